"""Questions that join the tables of a collection."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import OK
from pixelmine.core.errors import CollectionError, UsageError

from .collection import Collection

__all__ = ["find_split", "good_images", "labelled_pictures", "split_parts", "split_pictures"]

_COLUMNS = [
    "row_id",
    "uri",
    "member",
    "frame",
    "offset",
    "length",
    "mtime_ns",
    "content_id",
    "picture_id",
    "group",
]


def good_images(
    collection: Collection, columns: Sequence[str], where: str | None = None
) -> pa.Table:
    """These columns of the good rows of `images`, in no order.

    `where`: an SQL expression over `images`. Raises UsageError for one that makes no sense.
    """
    try:
        rows = collection.images.read([*columns, "status"], where)
    except ValueError as error:
        known = ", ".join(collection.images.schema.names)
        raise UsageError(
            f"--where {where!r} is no condition in SQL over the columns of images, as in "
            f"\"width > 500 AND format = 'jpeg'\". The columns: {known}."
        ) from error
    return rows.filter(pc.equal(rows["status"], OK)).drop_columns(["status"])


def labelled_pictures(
    collection: Collection, split: str | None = None, where: str | None = None
) -> pa.Table:
    """Every good picture that has a label: the columns of `images` above, `labels` and `part`.

    `split` is `ID` or `ID:FOLD` (a prefix of the id will do): `part` is then `train`, `val` or
    `test`, pictures outside the split are left out, and of folds the named one is `test` and the
    others are `train`. Without it every picture is `train`. `where`: an SQL expression over
    `images`. Sorted by picture_id, so that the order does not depend on where the pictures lie.
    """
    images = good_images(collection, _COLUMNS, where)
    labels = collection.current_labels().select(["row_id", "labels"])
    order = pc.sort_indices(
        images, sort_keys=[("picture_id", "ascending"), ("row_id", "ascending")]
    )
    rows = _join(images.take(order), labels)
    if split is None:
        return rows.append_column("part", pa.array(["train"] * rows.num_rows, pa.string()))
    return _join(rows, split_parts(collection, split))


def split_parts(collection: Collection, split: str) -> pa.Table:
    """The rows of one split: `row_id` and `part`, folds turned into `train` and `test`."""
    name, _, fold = split.partition(":")
    parts = collection.splits.read(
        ["row_id", "part"], f"split_id = '{find_split(collection, name)}'"
    )
    known = pc.unique(parts["part"]).to_pylist()
    folds = [part for part in known if part.startswith("fold-")]
    if not fold:
        if folds:
            raise UsageError(f"Split {name} has folds: name one, as in {name}:0 of {len(folds)}.")
        return parts
    if f"fold-{fold}" not in known:
        raise UsageError(f"Split {name} has no fold {fold}. It has: {', '.join(sorted(known))}.")
    test = pc.equal(parts["part"], f"fold-{fold}")
    return parts.set_column(1, "part", pc.if_else(test, "test", "train"))


def split_pictures(collection: Collection, split: str) -> pa.Table:
    """The good pictures of a split, labelled now or not.

    Columns: `row_id, uri, member, picture_id, group, part`. `split`: `ID` or `ID:FOLD`, of folds as
    in `labelled_pictures`.
    """
    columns = ["row_id", "uri", "member", "picture_id", "group"]
    images = collection.images.read(columns, f"status = '{OK}'")
    return _join(images, split_parts(collection, split))


def find_split(collection: Collection, prefix: str) -> str:
    """The one split whose id starts with `prefix`."""
    if not re.fullmatch(r"[0-9a-f]{4,64}", prefix):
        raise UsageError(f"A split id is at least 4 hexadecimal digits. Got {prefix!r} instead.")
    ids = pc.unique(collection.splits.read(["split_id"])["split_id"]).to_pylist()
    found = [name for name in ids if name.startswith(prefix)]
    if len(found) != 1:
        known = ", ".join(name[:12] for name in ids) or "none; make one with: pixelmine split"
        raise CollectionError(f"{len(found)} splits start with {prefix!r}. There are: {known}.")
    return str(found[0])


def _join(left: pa.Table, right: pa.Table) -> pa.Table:
    """Rows of `left` whose row_id is in `right`, with right's other columns; left's order."""
    at = pc.index_in(left["row_id"], value_set=right["row_id"].combine_chunks())
    kept = left.filter(pc.is_valid(at))
    found = right.take(pc.drop_null(at))
    for name in right.column_names:
        if name != "row_id":
            kept = kept.append_column(name, found[name])
    return kept
