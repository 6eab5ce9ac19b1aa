"""A model in memory: its network, and everything between a picture's pixels and an answer."""

from dataclasses import dataclass

import numpy as np

from pixelmine import classify, features, preprocess, runtime
from pixelmine.models import Card

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """A bundle that is loaded and has passed its golden check on this machine."""

    card: Card
    network: runtime.Network
    preprocessing: preprocess.Preprocessing
    described: tuple[features.VectorFeature, ...]
    head: classify.Head

    def take(self, pixels: np.ndarray) -> np.ndarray:
        """One picture, uint8 (H, W, C) or (V, H, W, C), as the network takes it, (V, ...)."""
        if self.described:
            return features.describe(pixels, self.described)[None]
        ready = self.preprocessing.normalise(pixels)
        return ready if self.preprocessing.views > 1 else ready[None]

    def take_array(self, pixels: np.ndarray) -> np.ndarray:
        """As `take`, of uint8 (H, W) or (H, W, 3) that is no file; (...) where there is 1 view."""
        ready = self.preprocessing.from_array(pixels)
        return features.describe(ready, self.described) if self.described else ready
