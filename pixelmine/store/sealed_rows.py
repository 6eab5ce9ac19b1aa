"""Rows of a table whose values nobody can read or exchange: the key stays, the rest is one column.

    key columns    as they are
    sealed         binary: 12 bytes of nonce, the values by AES-256-GCM, 16 bytes of tag

The values are one Arrow record batch. Bound in are the table and the row's key, so that a row's
values cannot stand in another row or table. A nonce is random: a table's key is good for 2^32 rows,
those included that were replaced. An older version of a row in its own place is not found.
"""

import secrets
from collections.abc import Sequence

import pyarrow as pa

from pixelmine.core.errors import TamperedError
from pixelmine.core.ids import digest

__all__ = ["SEALED", "RowSeal", "plain_schema"]

SEALED = "sealed"
_PLAIN = b"pixelmine.plain"
_VERSION = "row 1"
_NONCE = 12


class RowSeal:
    """Of one table, known by its name in the collection. `key`: 32 bytes, for it alone."""

    def __init__(self, table: str, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.table = table
        self._cipher = AESGCM(key)

    def seal(self, rows: pa.Table, key: Sequence[str]) -> pa.Table:
        """The same rows, all but the key columns sealed; the schema that they had goes along."""
        schema = rows.schema.remove_metadata()
        values = rows.combine_chunks().drop_columns(list(key)).to_batches()
        names = self._names(rows, key)
        plain = (batch.slice(at, 1) for batch in values for at in range(batch.num_rows))
        sealed = [self._seal(row.serialize(), name) for row, name in zip(plain, names, strict=True)]
        made = rows.select(list(key)).append_column(
            pa.field(SEALED, pa.binary(), nullable=False), pa.array(sealed, pa.binary())
        )
        return made.replace_schema_metadata({_PLAIN: schema.serialize().to_pybytes().hex()})

    def open(self, rows: pa.RecordBatch, key: Sequence[str], schema: pa.Schema) -> pa.RecordBatch:
        """Rows of `schema` again. Raises TamperedError."""
        values = pa.schema([field for field in schema if field.name not in key])
        opened = [
            pa.ipc.read_record_batch(self._open(sealed, name), values)
            for sealed, name in zip(rows[SEALED].to_pylist(), self._names(rows, key), strict=True)
        ]
        whole = pa.Table.from_batches(opened, values).combine_chunks()
        columns = [
            rows[field.name] if field.name in key else whole[field.name].combine_chunks()
            for field in schema
        ]
        arrays = [
            one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for one in columns
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _names(self, rows: pa.Table | pa.RecordBatch, key: Sequence[str]) -> list[bytes]:
        several = zip(*(rows[name].to_pylist() for name in key), strict=True)
        return [digest(_VERSION, self.table, *map(str, one)).encode() for one in several]

    def _seal(self, data: pa.Buffer, name: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data.to_pybytes(), name)

    def _open(self, sealed: bytes, name: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name)
        except (InvalidTag, ValueError) as error:
            raise TamperedError(
                f"A row of {self.table} was changed since it was sealed, or stood in another "
                "place. Restore the collection from a copy, or delete the table: it is made again."
            ) from error


def plain_schema(stored: pa.Schema) -> pa.Schema:
    """What a sealed table's rows are, opened; the schema itself of a table that is not sealed."""
    told = (stored.metadata or {}).get(_PLAIN)
    return (
        stored if told is None else pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(told.decode())))
    )
