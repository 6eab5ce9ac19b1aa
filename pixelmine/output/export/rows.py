"""What a writer of an export takes: cleared rows, and the cleared picture of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pixelmine.core import Cleared

__all__ = ["EXPORTED", "SKIPPED", "Batch", "Item", "labels_text"]

EXPORTED = pa.schema(
    [
        pa.field("row_id", pa.string()),
        pa.field("picture_id", pa.string()),
        pa.field("uri", pa.string()),
        pa.field("member", pa.string()),
        pa.field("frame", pa.int32()),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("group", pa.string()),
        pa.field("part", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("format", pa.string()),
    ]
)
"""One row for each picture. `row_id`, `picture_id`: in the collection. `uri`, `member`, `frame`:
where it came from. `labels`: current ones, empty where there is none. `part`: of the split.
`width`, `height` in pixels as stored, and `format`: of the bytes that are written."""

SKIPPED = pa.schema(
    [
        *(EXPORTED.field(name) for name in ("row_id", "uri", "member", "frame")),
        pa.field("reason", pa.string()),
    ]
)
"""What was chosen and could not be read, with the reason (`core.reasons`)."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One picture: its cleared row, its bytes (None: rows alone), and what its file is called.

    `name`: as people call it; `ending`: that of its format, without the dot.
    """

    row: Mapping[str, Any]
    data: bytes | None
    name: str
    ending: str

    @property
    def labels(self) -> list[str]:
        """Empty where there is none, or a policy has taken them."""
        return list(self.row.get("labels") or ())


@dataclass(frozen=True, kw_only=True)
class Batch:
    """N rows of EXPORTED, less what a policy took. `pictures`: N, or none for rows alone.

    `names`, `endings`: see Item; N each.
    """

    rows: Cleared[pa.RecordBatch]
    pictures: Sequence[Cleared[bytes]]
    names: Sequence[str]
    endings: Sequence[str]

    def __post_init__(self) -> None:
        if not all(isinstance(one, Cleared) for one in (self.rows, *self.pictures)):
            raise TypeError("An export takes only what core.clear(item, policy) let through.")
        count = self.rows.item.num_rows
        lengths = [len(self.names), len(self.endings), len(self.pictures) or count]
        if lengths != [count] * 3:
            raise ValueError(f"{count} rows need as many names and pictures. Got {lengths}.")

    def items(self) -> Iterator[Item]:
        """One by one."""
        data: list[bytes | None] = [one.item for one in self.pictures]
        data = data or [None] * len(self.names)
        rows = self.rows.item.to_pylist()
        for row, bytes_, name, ending in zip(rows, data, self.names, self.endings, strict=True):
            yield Item(row=row, data=bytes_, name=name, ending=ending)


def labels_text(labels: Sequence[str], several: bool) -> str:
    """Labels in one cell: joined by `|`; a JSON list where that would not say which they are.

    `several`: whether any picture has more than one. `LabelOptions(separator="|")` reads both.
    """
    if not several:
        return labels[0] if labels else ""
    if any("|" in label or label.startswith("[") or label != label.strip() for label in labels):
        return json.dumps(list(labels), ensure_ascii=False)
    return "|".join(labels)
