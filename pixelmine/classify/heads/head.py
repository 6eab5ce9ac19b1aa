"""What a head is: vectors to scores. N rows, D dimensions, K classes, E dimensions of embedding.

A head is fitted here, by scikit-learn, SciPy or NumPy, and leaves as a small ONNX graph.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from pixelmine.core.errors import UsageError

if TYPE_CHECKING:
    from .examples import Examples
    from .graph import Graph

__all__ = ["Fitted", "HeadKind", "HeadOptions", "Scorer", "check_count"]


class Fitted(Protocol):
    """A head that has been fitted."""

    @property
    def kind(self) -> str:
        """Its name in HEADS."""
        ...

    @property
    def classes(self) -> int:
        """K."""
        ...

    @property
    def dimensions(self) -> int:
        """D."""
        ...

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Float32 (N, D) to float32 (N, K): the trainer's own answer, which the graph gives too.

        One label a picture: softmax turns a row into probabilities. Several: the sigmoid does, each
        on its own. Raises UsageError for another shape, and for what is not finite.
        """
        ...

    def to_onnx(self) -> bytes:
        """The head as a serialized ONNX model; the same head gives the same bytes.

        Input `features`, float32 (N, D), N free. Outputs `logits`, float32 (N, K), and `embedding`,
        float32 (N, E): what distances are measured on, the standardised features.
        """
        ...


class Scorer(Protocol):
    """The part of a head that differs from kind to kind.

    `x` are the features, `z` the same standardised, both float32 (N, D). S scores a row: of the
    classes that the head has seen, or of all labels where a picture has several.
    """

    def scores(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Float32 (N, S)."""
        ...

    def emit(self, graph: "Graph", x: str, z: str) -> str:
        """Add the same computation to a graph; `x` and `z` name tensors, as does the result."""
        ...


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """What is common to the options of all heads; each head adds its own."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read options as a recipe has them. Raises UsageError for a name that is not known."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise UsageError(
                f"The options of a head must be among {', '.join(known) or 'none'}. "
                f"Got {', '.join(unknown)} instead."
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise UsageError(f"The options of a head cannot be used: {error}.") from error


def check_count(name: str, value: object) -> None:
    """Raise UsageError unless value is a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} must be a whole number of at least 1. Got {value!r} instead.")


@dataclass(frozen=True)
class HeadKind:
    """What a head registers.

    `options`: its class of options, all with defaults. `fit`: examples and options to a scorer.
    `continues`: whether it can go on from the weights of an earlier fit.
    """

    options: type[HeadOptions]
    fit: Callable[["Examples", Any], Scorer]
    continues: bool = False
