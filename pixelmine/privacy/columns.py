"""Table masking: each column leaves by its rule, and one without a rule does not leave.

A rule may name a key of a map, `meta.KEY`; then only the keys that are named leave. Of a list each
item is masked. See `column_rule` for the rules.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pixelmine.core.errors import UsageError

from .coarser import generalised, truncated
from .column_rule import ColumnRule, read_rules
from .pseudonym import Pseudonyms

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ColumnRule", "mask_table", "read_rules"]

Rows = TypeVar("Rows", "pa.Table", "pa.RecordBatch")
_KEEP = ColumnRule(do="keep")
_DROP = ColumnRule(do="drop")


def mask_table(
    table: Rows,
    rules: Mapping[str, ColumnRule],
    *,
    default: ColumnRule = _DROP,
    pseudonyms: Pseudonyms | None = None,
) -> Rows:
    """The columns of `table` that may leave, in their order, masked; a batch stays a batch.

    `default`: for a column without a rule. `pseudonyms`: for `hash`; all columns have one purpose,
    so that the same value has the same pseudonym in each. What a schema says about itself beside
    names and types does not leave. A rule for a column that is not there does nothing.

    Raises UsageError where a rule does not fit its column, or `hash` has no key.
    """
    import pyarrow as pa

    columns, fields = [], []
    for place, field in enumerate(table.schema):
        keys = _keys(rules, field.name, table.schema.names) if _is_map(field.type) else {}
        rule = rules.get(field.name, default if not keys else _DROP)
        if rule.do == "drop" and not keys:
            continue
        column = table.column(place)
        chunks = column.chunks if isinstance(table, pa.Table) else [column]
        mask = _masking(rule, keys, field.name, pseudonyms)
        masked = [mask(chunk) for chunk in chunks] or [mask(pa.array([], field.type))]
        columns.append(pa.chunked_array(masked) if isinstance(table, pa.Table) else masked[0])
        same = rule.do == "keep" and not keys
        fields.append(
            pa.field(field.name, masked[0].type, nullable=field.nullable if same else True)
        )
    if not columns:
        return table.select([]).replace_schema_metadata(None)
    return type(table).from_arrays(columns, schema=pa.schema(fields))


def _is_map(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_map(kind))


def _keys(rules: Mapping[str, ColumnRule], column: str, names: list[str]) -> dict[str, ColumnRule]:
    """The rules for keys of a map; a column that is itself called so is none."""
    begin = f"{column}."
    return {
        name.removeprefix(begin): rule
        for name, rule in rules.items()
        if name.startswith(begin) and name not in names
    }


def _masking(
    rule: ColumnRule, keys: Mapping[str, ColumnRule], name: str, pseudonyms: Pseudonyms | None
) -> Callable[["pa.Array"], "pa.Array"]:
    def of_values(column: "pa.Array", by: ColumnRule, what: str) -> "pa.Array":
        import pyarrow as pa

        if by.do == "keep":
            return column
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            return _map_list(column, lambda items: of_values(items, by, what))
        if pa.types.is_nested(column.type):
            raise UsageError(
                f"The column {what!r} is of {column.type}: keep it, drop it, or name the keys of a "
                "map."
            )
        if by.truncate is not None:
            return truncated(column, by.truncate, what)
        if by.generalise is not None:
            return generalised(column, by.generalise, what)
        if pseudonyms is None:
            raise UsageError(f"The rule of {what!r} is hash, which needs a key: give pseudonyms.")
        return pseudonyms.of_column(column)

    if not keys:
        return lambda column: of_values(column, rule, name)
    if rule.do not in ("keep", "drop"):
        raise UsageError(f"The map {name!r} has rules for its keys: itself it is kept or dropped.")
    return lambda column: _map_keys(
        column,
        keys,
        rule.do == "keep",
        lambda items, key: of_values(items, keys[key], f"{name}.{key}"),
    )


def _entries(column: "pa.Array") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a list or map: the places of its entries in its values, the row of each, and null rows."""
    offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    null = column.is_null().to_numpy(zero_copy_only=False)
    lengths = np.where(null, 0, np.diff(offsets))
    rows = np.repeat(np.arange(len(column)), lengths)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(offsets[:-1], lengths) + within, rows, null


def _offsets(rows: np.ndarray, number: int) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=number))))


def _map_list(column: "pa.Array", mask: Callable[["pa.Array"], "pa.Array"]) -> "pa.Array":
    import pyarrow as pa

    places, rows, null = _entries(column)
    items = mask(column.values.take(pa.array(places)))
    large = pa.types.is_large_list(column.type)
    offsets = pa.array(_offsets(rows, len(column)), pa.int64() if large else pa.int32())
    made = pa.LargeListArray if large else pa.ListArray
    return made.from_arrays(offsets, items, mask=pa.array(null))


def _map_keys(
    column: "pa.Array",
    rules: Mapping[str, ColumnRule],
    keep_others: bool,
    mask: Callable[["pa.Array", str], "pa.Array"],
) -> "pa.Array":
    """A map with only the keys that may leave; what a rule makes of a value is written as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    places, rows, null = _entries(column)
    keys, items = (part.take(pa.array(places)) for part in (column.keys, column.items))
    if any(rule.do != "keep" for rule in rules.values()) and not pa.types.is_string(items.type):
        items = items.cast(pa.string())
    stays = np.full(len(rows), keep_others)
    for key, rule in rules.items():
        chosen = pc.equal(keys.cast(pa.string()), key)
        here = chosen.to_numpy(zero_copy_only=False).astype(bool)
        stays[here] = rule.do != "drop"
        if rule.do in ("keep", "drop"):
            continue
        masked = mask(items.filter(chosen), key).cast(items.type)
        items = pc.replace_with_mask(items, chosen, masked)
    left = pa.array(stays)
    offsets = pa.array(_offsets(rows[stays], len(column)), pa.int32())
    return pa.MapArray.from_arrays(
        offsets, keys.filter(left), items.filter(left), mask=pa.array(null)
    )
