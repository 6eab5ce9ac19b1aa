"""What an augmentation is, and how its chances are drawn."""

from math import isfinite
from typing import Protocol

import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["Augmentation", "Mixing", "between", "check_probability", "check_range", "draw"]


class Augmentation(Protocol):
    """A batch in, another of the same shape out, changed by chance; the input stays as it is."""

    def __call__(self, batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Take and give uint8 (N, H, W, C), C 1 (grey) or 3 (RGB)."""
        ...


class Mixing:
    """An augmentation that mixes pictures, and their labels with them."""

    def __call__(
        self, batch: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take and give uint8 (N, H, W, C) and float32 (N, K), each row of which sums to 1."""
        raise NotImplementedError  # each augmentation says what it does


def draw(rng: np.random.Generator, pictures: int, values: int) -> np.ndarray:
    """Numbers from 0 to below 1, float64 (N, values).

    Picture by picture, so that what happens to one does not depend on where a batch is divided.
    """
    return rng.random((pictures, values))


def between(chance: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Numbers from 0 to 1 as numbers from low to high; exactly low where both are the same."""
    low, high = limits
    return low + chance * (high - low)


def check_probability(name: str, value: float) -> None:
    """Raise UsageError unless 0 <= value <= 1."""
    if not 0 <= value <= 1:
        raise UsageError(f"{name} must be from 0 to 1. Got {value!r} instead.")


def check_range(step: object, name: str, least: float, most: float) -> None:
    """Make a list of a recipe the tuple (low, high). Raise UsageError for one out of bounds."""
    value = getattr(step, name)
    try:
        low, high = (float(side) for side in value)
        good = isfinite(low) and isfinite(high) and least <= low <= high <= most
    except (TypeError, ValueError):
        good = False
    if not good:
        raise UsageError(
            f"{name} must be a lowest and a highest value, both from {least:g} to {most:g}. "
            f"Got {value!r} instead."
        )
    object.__setattr__(step, name, (low, high))
