"""Checks of a feature's options: from a card may come whatever JSON can hold."""

from collections.abc import Callable
from math import isfinite

from pixelmine.core.errors import UsageError

__all__ = ["check_number", "check_several", "check_whole"]


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise UsageError unless value is a whole number, low to high."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} must be a whole number, {low} to {high}. Got {value!r} instead.")


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Raise UsageError unless value is a number, low to high."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not isfinite(value) or not low <= value <= high:  # type: ignore[arg-type,operator]  # a number by then
        raise UsageError(f"{name} must be a number, {low:g} to {high:g}. Got {value!r} instead.")


def check_several(name: str, values: object, check: Callable[[str, object], None]) -> None:
    """Raise UsageError unless values is a tuple of 1 to 16 that pass `check`, none twice."""
    if isinstance(values, tuple):
        for value in values:
            check(f"each of {name}", value)
        if 1 <= len(values) == len({*values}) <= 16:
            return
    raise UsageError(f"{name} must be 1 to 16 different numbers. Got {values!r} instead.")
