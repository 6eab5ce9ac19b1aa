"""Which pictures leave a collection, in which order, and with which labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.api.mine.plan_file import REMOVE, check_known, read_plan
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.store import Collection, good_images, split_parts

__all__ = ["Chosen", "choose"]

_COLUMNS = (
    *("row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns"),
    *("content_id", "picture_id", "format", "width", "height", "group"),
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """N rows of images, with `labels` (a list, null where there is none) and `part`.

    `order`: their places in the order in which they lie, by address, then by place in a container.
    `good`: pictures before a plan and a split; `left_out`: how many went, by why (`plan`, `split`).
    `unmatched`: rows of the plan that the collection does not have. Takes about 0.7 kB a row.
    """

    rows: pa.Table = field(repr=False)
    order: pa.Array = field(repr=False)
    good: int
    left_out: Mapping[str, int]
    unmatched: int = 0

    def batches(self, size: int) -> Iterator[pa.RecordBatch]:
        """The rows in order, some at a time: a sorted copy of all would take as much again."""
        for start in range(0, len(self.order), size):
            taken = self.rows.take(self.order.slice(start, size)).combine_chunks()
            yield from taken.to_batches()

    @property
    def several(self) -> bool:
        """Whether any picture has more than one label."""
        return (pc.max(pc.list_value_length(self.rows["labels"])).as_py() or 0) > 1

    @property
    def classes(self) -> list[str]:
        """All labels, sorted."""
        return sorted(pc.unique(pc.list_flatten(self.rows["labels"])).to_pylist())


def choose(
    collection: Collection,
    *,
    where: str | None = None,
    plan: str | Path | None = None,
    split: str | None = None,
    labels: bool = True,
) -> Chosen:
    """The good pictures of a condition, less those that a plan removes, with their labels.

    `where`: SQL over images. `plan`: see `api.mine.plan_file`. `split`: `ID` or `ID:FOLD`; pictures
    outside it are left out. `labels`: whether the current ones are wanted. Raises UsageError,
    CollectionError where nothing is left.
    """
    rows = _good(collection, where)
    good, left_out, unmatched = rows.num_rows, {}, 0
    if plan is not None:
        rows, unmatched = _without(collection, rows, plan)
        left_out["plan"] = good - rows.num_rows
    if split is not None:
        parts = split_parts(collection, split)
        at = pc.index_in(rows["row_id"], value_set=parts["row_id"].combine_chunks())
        rows = rows.append_column("part", parts["part"].combine_chunks().take(at))
        rows = rows.filter(pc.is_valid(at))
        left_out["split"] = good - left_out.get("plan", 0) - rows.num_rows
    else:
        rows = rows.append_column("part", pa.nulls(rows.num_rows, pa.string()))
    if rows.num_rows == 0:
        raise UsageError(_nothing_left(good, left_out))
    rows = _labelled(collection, rows) if labels else _unlabelled(rows)
    return Chosen(rows=rows, order=_order(rows), good=good, left_out=left_out, unmatched=unmatched)


def _good(collection: Collection, where: str | None) -> pa.Table:
    rows = good_images(collection, _COLUMNS, where)
    if rows.num_rows == 0:
        raise CollectionError(
            f"{collection.path} holds no good picture{' where ' + where if where else ''}. "
            "See what failed with: pixelmine collection show COLLECTION --failed."
        )
    return rows


def _without(collection: Collection, rows: pa.Table, plan: str | Path) -> tuple[pa.Table, int]:
    lines = read_plan(plan)
    known = set(collection.images.read(["row_id"])["row_id"].to_pylist())
    unmatched = check_known(lines, known, plan)
    gone = pa.array([line["row_id"] for line in lines if line["action"] == REMOVE], pa.string())
    return rows.filter(pc.invert(pc.is_in(rows["row_id"], value_set=gone))), unmatched


def _nothing_left(good: int, left_out: Mapping[str, int]) -> str:
    why = {"plan": "the plan removes", "split": "the split leaves out"}
    said = " and ".join(f"{why[name]} {count:,}" for name, count in left_out.items())
    return f"Nothing is left to export: of {good:,} good pictures {said}."


def _labelled(collection: Collection, rows: pa.Table) -> pa.Table:
    current = collection.current_labels()
    at = pc.index_in(rows["row_id"], value_set=current["row_id"].combine_chunks())
    return rows.append_column("labels", current["labels"].combine_chunks().take(at))


def _unlabelled(rows: pa.Table) -> pa.Table:
    return rows.append_column("labels", pa.nulls(rows.num_rows, pa.list_(pa.string())))


def _order(rows: pa.Table) -> pa.Array:
    """A container's members one after another as they lie, numbered ones by their number."""
    keys = ["uri", "offset", "long", "member", "frame", "row_id"]
    long = pc.binary_length(rows["member"])
    return pc.sort_indices(
        rows.append_column("long", long), sort_keys=[(key, "ascending") for key in keys]
    )
