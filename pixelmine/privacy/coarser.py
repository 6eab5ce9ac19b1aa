"""One column made coarser by a rule. A value that the rule cannot read becomes null, not itself."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.errors import UsageError

from .column_rule import Generalise, Period, Truncate

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["generalised", "truncated"]

_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_DATE = r"^\d{4}[-:]\d{2}[-:]\d{2}"
"""As ISO 8601 and EXIF begin a time."""
_LENGTH = {"year": 4, "month": 7, "day": 10}
_FORMAT = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}


def truncated(column: "pa.Array", rule: Period | Truncate, name: str) -> "pa.Array":
    """Times, numbers and text stay what they are; numbers and times written as text stay text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(rule, str):
        if _is_text(column):
            return _written_time(column, rule)
        return pc.floor_temporal(_times(column, name), unit=rule)
    if rule.characters is not None:
        return pc.utf8_slice_codeunits(_text(column, name), 0, rule.characters)
    numbers, step = _numbers(column, name), rule.step or 1.0
    if rule.decimals is not None:
        coarse = pc.round(numbers, ndigits=rule.decimals)
    else:
        coarse = pc.multiply(pc.floor(pc.divide(numbers, step)), step)
    if pa.types.is_integer(column.type) and rule.decimals is None and step % 1:
        return coarse  # a multiple of .5 is no whole number
    return (
        coarse.cast(column.type, safe=False) if not _is_text(column) else coarse.cast(pa.string())
    )


def generalised(column: "pa.Array", rule: Generalise, name: str) -> "pa.Array":
    """Text: a group, a bin, a period, or a cell of a grid."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if rule.groups is not None:
        texts = _text(column, name)
        known = pa.array(rule.groups.keys(), pa.string())
        groups = pa.array(rule.groups.values(), pa.string())
        found = pc.take(groups, pc.index_in(texts, value_set=known))
        if rule.other is None:
            return found
        lost = pc.and_(pc.is_null(found), pc.is_valid(texts))
        return pc.if_else(lost, pa.scalar(rule.other), found)
    if rule.period is not None:
        if _is_text(column):
            return _written_time(column, rule.period)
        return pc.strftime(_times(column, name), format=_FORMAT[rule.period])
    numbers = _numbers(column, name)
    known = np.isfinite(values := numbers.to_numpy(zero_copy_only=False))
    if rule.bins is not None:
        edges = rule.bins
        names = [f"below {edges[0]:.12g}"]
        names += [f"{a:.12g} to below {b:.12g}" for a, b in pairwise(edges)]
        names.append(f"{edges[-1]:.12g} and above")
        places = np.searchsorted(edges, values, side="right")
        return pc.take(pa.array(names), pa.array(places, mask=~known))
    assert rule.grid is not None  # noqa: S101  # the rule is checked when it is made
    cells, which = np.unique(np.floor(values[known] / rule.grid), return_inverse=True)
    names = [f"{c * rule.grid:.9g} to below {(c + 1) * rule.grid:.9g}" for c in cells]
    places = np.zeros(len(values), np.int64)
    places[known] = which
    return pc.take(pa.array(names, pa.string()), pa.array(places, mask=~known))


def _is_text(column: "pa.Array") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _text(column: "pa.Array", name: str) -> "pa.Array":
    import pyarrow as pa

    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise UsageError(f"The rule of {name!r} is for text, and the column is of {column.type}.")
    return column.cast(pa.string())


def _times(column: "pa.Array", name: str) -> "pa.Array":
    import pyarrow as pa

    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise UsageError(f"The rule of {name!r} is for times, and the column is of {column.type}.")
    return column


def _written_time(column: "pa.Array", period: Period) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.cast(pa.string())
    good = pc.match_substring_regex(texts, _DATE)
    begin = pc.replace_substring(pc.utf8_slice_codeunits(texts, 0, _LENGTH[period]), ":", "-")
    return pc.if_else(good, begin, pa.scalar(None, pa.string()))


def _numbers(column: "pa.Array", name: str) -> "pa.Array":
    """As float64; of text what is a number, the rest null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if _is_text(column):
        good = pc.match_substring_regex(column, _NUMBER)
        column = pc.utf8_trim_whitespace(pc.if_else(good, column, pa.scalar(None, kind)))
        return pc.replace_substring_regex(column, r"^\+", "").cast(pa.float64())
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise UsageError(f"The rule of {name!r} is for numbers, and the column is of {kind}.")
    return column.cast(pa.float64(), safe=False)
