"""Parquet: one row a picture, with the bytes in it as Hugging Face's `datasets` has them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core import Cleared

from .names import escaped
from .notes import write_skipped
from .rows import EXPORTED, Batch

__all__ = ["GROUP_BYTES", "GROUP_ROWS", "ParquetForm"]

GROUP_BYTES = 64 * 2**20
"""Of pictures in a row group, about: what a reader unpacks at once, and a writer holds."""

GROUP_ROWS = {True: 1_000, False: 100_000}
"""Rows of a group at most, with bytes and without."""

IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
_HF = {"info": {"features": {"image": {"_type": "Image"}}}}
"""What makes `datasets.load_dataset("parquet", ...)` show `image` as a picture."""


class ParquetForm:
    """Writes one file. `with_bytes`: whether there is a column `image`.

    `several`: whether a picture may have more than one label; where none may, there is a column
    `label` beside `labels`.
    """

    def __init__(self, file: Path, skipped: Path, *, with_bytes: bool, several: bool) -> None:
        self._file, self._skipped = file, skipped
        self._with_bytes, self._several = with_bytes, several
        self._out: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []
        self._rows = self._weight = 0

    def write(self, batch: Batch) -> None:
        """Add pictures; a row group is written when enough have come together."""
        self._held.append(self._with_columns(batch))
        self._rows += batch.rows.item.num_rows
        self._weight += sum(len(one.item) for one in batch.pictures)
        if self._rows >= GROUP_ROWS[self._with_bytes] or self._weight >= GROUP_BYTES:
            self._write_group()

    def finish(self, skipped: Iterable[Cleared[pa.RecordBatch]]) -> None:
        """Close the file, and list beside it what could not be read."""
        self._write_group()
        self._out = self._out or self._writer(self._empty())
        self.close()
        if rows := list(skipped):
            write_skipped(self._skipped, rows)

    def about(self) -> dict[str, object]:
        """Nothing more."""
        return {}

    def close(self) -> None:
        """Let go of what is open, also after a failure."""
        if self._out is not None:
            self._out.close()

    def _with_columns(self, batch: Batch) -> pa.RecordBatch:
        rows = batch.rows.item
        if not self._several and "labels" in rows.schema.names:
            one = [labels[0] if labels else None for labels in rows["labels"].to_pylist()]
            at = rows.schema.names.index("labels")  # before it: `ingest` takes the first
            rows = rows.add_column(at, pa.field("label", pa.string()), pa.array(one, pa.string()))
        if not self._with_bytes:
            return rows
        images = [
            {"bytes": item.data, "path": f"{escaped(_stem(item.name, item.ending))}.{item.ending}"}
            for item in batch.items()
        ]
        return rows.append_column(pa.field("image", IMAGE), pa.array(images, IMAGE))

    def _write_group(self) -> None:
        if not self._held:
            return
        table = pa.Table.from_batches(self._held)
        self._out = self._out or self._writer(table.schema)
        self._out.write_table(table, row_group_size=table.num_rows)
        self._held, self._rows, self._weight = [], 0, 0

    def _writer(self, schema: pa.Schema) -> pq.ParquetWriter:
        texts = [f.name for f in schema if pa.types.is_string(f.type)]
        options: dict[str, Any] = {"compression": "zstd", "use_dictionary": texts}
        if "image" in schema.names:
            schema = schema.with_metadata({"huggingface": json.dumps(_HF)})
            names = [f.name for f in schema if f.name not in ("image", "labels")]
            leaves = ["image.bytes", "image.path", "labels.list.element", *names]
            # Pictures are packed already, and the largest of them is no figure to be kept.
            options["compression"] = {
                name: "none" if name == "image.bytes" else "zstd" for name in leaves
            }
            options["write_statistics"] = names
        return pq.ParquetWriter(self._file, schema, **options)

    def _empty(self) -> pa.Schema:
        fields = list(EXPORTED)
        if not self._several:
            fields.insert(EXPORTED.names.index("labels"), pa.field("label", pa.string()))
        return pa.schema([*fields, *([pa.field("image", IMAGE)] if self._with_bytes else [])])


def _stem(name: str, ending: str) -> str:
    return name.removesuffix(f".{ending}")
