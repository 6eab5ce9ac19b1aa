"""What a step is."""

from typing import Protocol, runtime_checkable

import numpy as np

__all__ = ["Grows", "Step"]


class Step(Protocol):
    """One picture in, one out, and the same one every time. `FiveCrop` alone gives five."""

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take (H, W, C) and give (H', W', C')."""
        ...


@runtime_checkable
class Grows(Protocol):
    """A step whose result may be far larger than its picture, and which knows how large before."""

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Height and width that (H, W, C) will have."""
        ...
