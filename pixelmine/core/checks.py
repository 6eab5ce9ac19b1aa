"""Checks of options: the same words for the same mistake."""

from collections.abc import Collection

from .errors import UsageError

__all__ = ["check_fraction", "check_one_of", "check_positive", "check_side"]

MAX_SIDE = 4096
"""Pixels, of what a model takes: over ten times the largest input in common use."""


def check_positive(name: str, value: float, at_most: float | None = None) -> None:
    """Raise UsageError unless 0 < value (and value <= at_most)."""
    if not value > 0 or (at_most is not None and value > at_most):
        limit = f" and at most {at_most:g}" if at_most is not None else ""
        raise UsageError(f"{name} must be above 0{limit}. Got {value:g} instead.")


def check_side(name: str, value: object) -> None:
    """Raise UsageError unless value is a whole number of pixels, 1 to MAX_SIDE."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_SIDE:
        raise UsageError(f"{name} must be a whole number, 1 to {MAX_SIDE}. Got {value!r} instead.")


def check_fraction(name: str, value: float) -> None:
    """Raise UsageError unless 0 < value < 1."""
    if not 0 < value < 1:
        raise UsageError(f"{name} must be between 0 and 1. Got {value:g} instead.")


def check_one_of(name: str, value: str, known: Collection[str]) -> str:
    """Give the value back. Raises UsageError unless it is known; the message lists what is."""
    if value not in known:
        raise UsageError(
            f"{name} must be one of {', '.join(sorted(known))}. Got {value!r} instead."
        )
    return value
