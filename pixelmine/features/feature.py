"""What a designed feature is: one picture's pixels to named values."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pixelmine.core.registry import Registry

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FEATURES", "Feature", "feature_fields"]


class Feature(Protocol):
    """A frozen dataclass with its options. The same pixels give the same values every time."""

    @property
    def fields(self) -> "list[pa.Field]":
        """Arrow fields of the values, with their units in the docstring of the class."""
        ...

    @property
    def producer(self) -> str:
        """Digest of the feature's name, version and options: its table in a collection."""
        ...

    def __call__(self, pixels: np.ndarray, width: int, height: int) -> dict[str, Any]:
        """Look at uint8 (H, W, C) upright pixels, C = 1 (grey) or 3 (RGB).

        `width`, `height`: of the picture as stored, in pixels, which the decode rule may have
        scaled down. Gives a value for each of `fields`.
        """
        ...


FEATURES: Registry[Any] = Registry(
    "feature",
    {
        "pdq": "pixelmine.features.pdq:Pdq",
        "measures": "pixelmine.features.measures:Measures",
        "surface": "pixelmine.features.surface:Surface",
    },
)


def feature_fields(names: Iterable[str]) -> "list[pa.Field]":
    """The Arrow fields of these features, in order."""
    return [field for name in names for field in FEATURES.get(name)().fields]
