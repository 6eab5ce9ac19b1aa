"""Coefficients of an earlier fit, to go on from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pixelmine.core.errors import ModelError

from .scale import Scale

__all__ = ["Start"]


@dataclass(frozen=True)
class Start:
    """A linear head's scores as coefficients . x + intercept, on features as they come.

    `labels`: K names. `coefficients`: float64 (K, D). `intercept`: float64 (K,). A row of zeros is
    a class that the earlier fit knew nothing of.
    """

    labels: tuple[str, ...]
    coefficients: np.ndarray
    intercept: np.ndarray

    @classmethod
    def from_weights(cls, weights: Mapping[str, np.ndarray]) -> Self:
        """Read what `weights` gave, as safetensors loads it. Raises ModelError for other arrays."""
        try:
            labels = json.loads(weights["labels"].tobytes())
            coefficients = weights["coefficients"].astype(np.float64)
            intercept = weights["intercept"].astype(np.float64)
        except (KeyError, ValueError) as error:
            raise ModelError(f"The weights are not those of a linear head: {error}.") from error
        names = isinstance(labels, list) and all(isinstance(name, str) for name in labels)
        if not names or len(set(labels)) != len(labels):
            raise ModelError("The weights are not those of a linear head: labels must be names.")
        if coefficients.ndim != 2 or not len(labels) == len(coefficients) == len(intercept):
            raise ModelError("The weights are not those of a linear head: their shapes differ.")
        if intercept.ndim != 1 or not np.isfinite(coefficients.sum() + intercept.sum()):
            raise ModelError("The weights are not those of a linear head: they are not finite.")
        return cls(tuple(labels), coefficients, intercept)

    def weights(self) -> dict[str, np.ndarray]:
        """Arrays for a safetensors file: `coefficients`, `intercept`, `labels` (JSON as uint8)."""
        labels = np.frombuffer(json.dumps(self.labels).encode(), np.uint8)
        return {
            "coefficients": self.coefficients,
            "intercept": self.intercept,
            "labels": labels.copy(),
        }

    def aligned(self, labels: Sequence[str]) -> "Start":
        """The same for another list of labels: a new one starts at zero, one not named goes."""
        place = {name: at for at, name in enumerate(self.labels)}
        known = [name in place for name in labels]
        rows = [place[name] for name in labels if name in place]
        coefficients = np.zeros((len(labels), self.coefficients.shape[1]))
        intercept = np.zeros(len(labels))
        coefficients[known], intercept[known] = self.coefficients[rows], self.intercept[rows]
        return Start(tuple(labels), coefficients, intercept)

    def rows(self, chosen: np.ndarray) -> "Start":
        """Those classes whose index is in int64 (S,)."""
        labels = tuple(self.labels[index] for index in chosen)
        return Start(labels, self.coefficients[chosen], self.intercept[chosen])

    def standardised(self, scale: Scale) -> np.ndarray:
        """Float64 (K, D + 1): what gives the same scores of standardised features, bias last."""
        varies = scale.factor > 0
        spread = np.where(varies, 1 / np.where(varies, scale.factor, 1).astype(np.float64), 0)
        bias = self.intercept + self.coefficients @ scale.mean
        return np.concatenate([self.coefficients * spread, bias[:, None]], axis=1)

    @property
    def known(self) -> np.ndarray:
        """Bool (K,): the classes that are not all zero."""
        return np.asarray((self.coefficients != 0).any(axis=1) | (self.intercept != 0))
