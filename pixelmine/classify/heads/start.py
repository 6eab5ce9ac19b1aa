"""A linear head's weights from an earlier fit, to go on from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from pixelmine.core.errors import ModelError

from .scale import Scale

__all__ = ["Start"]


@dataclass(frozen=True)
class Start:
    """A linear head's scores as weight . z + bias, on features z standardised as they were then.

    The scale stays that of the first fit: by that of a few new pictures the weights would not mean
    what they did. `labels`: K names. `weight`: float64 (K, D). `bias`: float64 (K,). A row of zeros
    is a class that the earlier fit knew nothing of. `counts`: float64 (K,), the examples of each
    class that were learnt from.
    """

    labels: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    scale: Scale
    counts: np.ndarray

    @classmethod
    def from_weights(cls, weights: Mapping[str, np.ndarray]) -> Self:
        """Read what `weights` gave, as safetensors loads it. Raises ModelError for other arrays."""
        try:
            labels = json.loads(weights["labels"].tobytes())
            weight, bias, counts = (
                weights[name].astype(np.float64) for name in ("weight", "bias", "counts")
            )
            mean, factor = (weights[name].astype(np.float32) for name in ("mean", "factor"))
        except (KeyError, ValueError) as error:
            raise ModelError(f"The weights are not those of a linear head: {error}.") from error
        names = isinstance(labels, list) and all(isinstance(name, str) for name in labels)
        if not names or len(set(labels)) != len(labels):
            raise ModelError("The weights are not those of a linear head: labels must be names.")
        classes = (len(labels),)
        same = weight.shape[:1] == bias.shape == counts.shape == classes
        if not same or not weight.shape[1:] == mean.shape == factor.shape:
            raise ModelError("The weights are not those of a linear head: their shapes differ.")
        if not all(np.isfinite(part).all() for part in (weight, bias, mean, factor, counts)):
            raise ModelError("The weights are not those of a linear head: they are not finite.")
        return cls(tuple(labels), weight, bias, Scale(mean, factor), counts)

    def weights(self) -> dict[str, np.ndarray]:
        """Arrays for a safetensors file: `weight`, `bias`, `mean`, `factor`, `counts`, `labels`."""
        labels = np.frombuffer(json.dumps(self.labels).encode(), np.uint8)
        return {
            "weight": self.weight,
            "bias": self.bias,
            "mean": self.scale.mean,
            "factor": self.scale.factor,
            "counts": self.counts,
            "labels": labels.copy(),
        }

    def aligned(self, labels: Sequence[str]) -> "Start":
        """The same for another list of labels: a new one starts at zero, one not named goes."""
        place = {name: at for at, name in enumerate(self.labels)}
        known = [name in place for name in labels]
        rows = [place[name] for name in labels if name in place]
        found: dict[str, Any] = {}
        for name in ("weight", "bias", "counts"):
            values = getattr(self, name)
            found[name] = np.zeros((len(labels), *values.shape[1:]))
            found[name][known] = values[rows]
        return replace(self, labels=tuple(labels), **found)

    def rows(self, chosen: np.ndarray) -> "Start":
        """Those classes whose index is in int64 (S,)."""
        return self.aligned([self.labels[index] for index in chosen])

    @property
    def theta(self) -> np.ndarray:
        """Float64 (K, D + 1): the weight, the bias last."""
        return np.concatenate([self.weight, self.bias[:, None]], axis=1)

    @property
    def known(self) -> np.ndarray:
        """Bool (K,): the classes that are not all zero."""
        return np.asarray((self.theta != 0).any(axis=1))
