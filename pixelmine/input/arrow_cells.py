"""The picture column of an Arrow batch, without a copy of its bytes for Python."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ArrowColumn", "column_of", "is_bytes"]


@dataclass(frozen=True)
class ArrowColumn:
    """N cells: `data` holds the bytes, `text` a path or address where those are null."""

    data: pa.Array | None
    text: pa.Array | None

    def sizes(self) -> list[int | None]:
        """Length of each cell's bytes; None where there are none."""
        if self.data is None:
            return [None] * len(self.text or ())
        sizes: list[int | None] = pc.binary_length(self.data).to_pylist()
        return sizes

    def texts(self) -> list[Any]:
        """Each cell's path or address; None where there is none."""
        if self.text is None:
            return [None] * len(self.data or ())
        texts: list[Any] = self.text.to_pylist()
        return texts


def column_of(batch: pa.RecordBatch, name: str) -> ArrowColumn:
    """The column `name`, nested ones with dots; of a struct its fields `bytes` and `path`."""
    array = _field(batch, name)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_struct(array.type):
        names = {field.name for field in array.type}
        data = pc.struct_field(array, "bytes") if "bytes" in names else None
        text = pc.struct_field(array, "path") if "path" in names else None
        if data is not None and not is_bytes(data.type):
            data = None
        if data is None and text is None:
            text = pa.nulls(len(array))
        return ArrowColumn(_measured(data), text)
    if is_bytes(array.type):
        return ArrowColumn(_measured(array), None)
    return ArrowColumn(None, array)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a type is one of bytes."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _measured(data: pa.Array | None) -> pa.Array | None:
    """As a type whose lengths Arrow can tell: it has no kernel for views."""
    if data is not None and pa.types.is_binary_view(data.type):
        return data.cast(pa.large_binary())
    return data


def _field(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name in batch.schema.names:
        return batch.column(name)
    head, *rest = name.split(".")
    array = batch.column(head)
    for field in rest:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        if not pa.types.is_struct(array.type) or field not in {f.name for f in array.type}:
            return pa.nulls(len(batch))
        array = pc.struct_field(array, field)
    return array
