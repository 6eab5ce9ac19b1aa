"""What a collection knows of its pictures that an evaluation can be sliced by."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import UsageError
from pixelmine.features import FEATURES
from pixelmine.store import Collection

__all__ = ["AUTO", "slice_columns"]

AUTO = (
    *("format", "orientation", "sharpness", "brightness", "contrast", "colourfulness"),
    *("short_side", "aspect"),
)
"""None of them says who or where: a group, a file's metadata and a table's columns are sliced by
only when they are named."""

_IMAGES = ("format", "orientation", "width", "height", "group")


def slice_columns(
    collection: Collection, rows: Mapping[str, Sequence[str]], by: str
) -> dict[str, list[object]]:
    """The values of each column for each row; None where one is not known.

    `rows`: `row_id` and `picture_id` of N pictures. `by`: names with commas between, of `images`
    columns (format, orientation, width, height, group), quality measures, or keys of `meta`; `auto`
    for those of `AUTO`; `none`. Raises UsageError for a name that no picture has.
    """
    if by == "none":
        return {}
    measures = _measures(collection, rows["picture_id"])
    images = _images(collection, rows["row_id"])
    if by == "auto":
        return {name: (measures | images)[name] for name in AUTO if name in measures | images}
    meta = images.pop("meta")
    found = {}
    for name in (part.strip() for part in by.split(",")):
        if name in measures | images:
            found[name] = (measures | images)[name]
            continue
        found[name] = [dict(one or ()).get(name) for one in meta]  # type: ignore[call-overload]  # meta is pairs
        if not any(value is not None for value in found[name]):
            keys = sorted({key for one in meta for key in dict(one or ())})  # type: ignore[call-overload]  # meta is pairs
            known = ", ".join([*images, *measures, *keys])
            raise UsageError(f"No picture has a column {name!r} to slice by. There are: {known}.")
    return found


def _images(collection: Collection, row_ids: Sequence[str]) -> dict[str, list[object]]:
    table = _of(collection.images.read(["row_id", *_IMAGES, "meta"]), "row_id", row_ids)
    return {name: [row.get(name) for row in table] for name in (*_IMAGES, "meta")}


def _measures(collection: Collection, pictures: Sequence[str]) -> dict[str, list[object]]:
    """Of each picture, as `ingest` kept them; nothing where it kept none."""
    feature = FEATURES.get("measures")()
    if feature.producer not in collection.producers("features"):
        return {}
    table = collection.feature(feature.producer, feature.fields)
    rows = _of(table.read(), "picture_id", pictures)
    return {field.name: [row.get(field.name) for row in rows] for field in feature.fields}


def _of(table: pa.Table, key: str, names: Sequence[str]) -> list[dict[str, object]]:
    """The row of each name, in their order; an empty one where there is none."""
    wanted = table.filter(pc.is_in(table[key], value_set=pa.array(sorted(set(names)), pa.string())))
    found = {row[key]: row for row in wanted.to_pylist()}
    return [found.get(name, {}) for name in names]
