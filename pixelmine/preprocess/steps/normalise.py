"""Pixels to what a network takes."""

from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["Normalise"]


@dataclass(frozen=True, kw_only=True)
class Normalise:
    """(pixel - mean) / std as float32; one value for all channels or one for each.

    `mean=0, std=255` gives 0..1.
    """

    mean: float | tuple[float, ...] = 0.0
    std: float | tuple[float, ...] = 255.0

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))
        if not np.all(np.asarray(self.std) > 0):
            raise UsageError(f"std must be above 0. Got {self.std} instead.")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take (..., C) of any range, give float32."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        return (pixels.astype(np.float32) - mean) / std
