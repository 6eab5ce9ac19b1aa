"""Golden pictures show whether a model still gives the answer it was made with, on any machine.

Each is compared from its file's bytes to its probabilities, so that a decoder, a resize or a
runtime that changed is noticed as well as a damaged network.
"""

from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pixelmine.core.errors import ModelError

__all__ = ["SHIPPED", "TOLERANCES", "GoldenPicture", "GoldenSet", "golden_bytes"]

SHIPPED = ("drawn.jpg", "drawn.png")
"""Drawn for this purpose: a traffic light and a crossword."""

TOLERANCES = {"f32": 1e-3, "bf16": 2e-2}
"""Largest difference of one probability, by precision. 1e-3 is what two equal results may differ
by; bfloat16 keeps 8 bits of a number, and its rounding adds up over the layers."""

_OWN_TOLERANCES = {"f32": 0.0, "int8": 5e-2}
"""By the network's own precision: whatever runs an 8-bit one, a value between two of its 256 steps
may fall to either. EfficientNet-Lite0 on ONNX Runtime and OpenVINO: half of 80 photographs differed
by more than .012, the worst by .047 (2026-11)."""


class GoldenEntry(BaseModel):
    """One picture of `golden.json`."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    name: str
    logits: list[float]
    embedding: list[float]
    precision: Literal["f32", "int8"] = "f32"


class GoldenSet(BaseModel):
    """The file `golden.json`: at least one picture, or nothing would be checked."""

    model_config = ConfigDict(extra="forbid", strict=True)
    pictures: Annotated[list[GoldenEntry], Field(min_length=1, max_length=16)]


@dataclass(frozen=True)
class GoldenPicture:
    """A picture file and the (K,) float32 logits and (D,) float32 embedding it must give.

    `precision`: the network's own, `f32`, or `int8` where it was quantised.
    """

    name: str
    data: bytes
    logits: np.ndarray
    embedding: np.ndarray
    precision: Literal["f32", "int8"] = "f32"

    def with_embedding(self, embedding: np.ndarray) -> Self:
        """The same picture and logits, with another (D,) embedding."""
        return replace(self, embedding=embedding)

    def entry(self) -> dict[str, Any]:
        """As JSON, without the bytes."""
        own = {} if self.precision == "f32" else {"precision": self.precision}
        return {
            "name": self.name,
            "logits": [float(f"{value:.7g}") for value in self.logits.tolist()],
            "embedding": [float(f"{value:.7g}") for value in self.embedding.tolist()],
            **own,
        }

    @classmethod
    def from_entry(cls, entry: dict[str, Any], data: bytes) -> Self:
        """Inverse of `entry`."""
        logits = np.array(entry["logits"], np.float32)
        embedding = np.array(entry["embedding"], np.float32)
        return cls(entry["name"], data, logits, embedding, entry.get("precision", "f32"))

    def compare(self, logits: np.ndarray, embedding: np.ndarray, precision: str) -> float:
        """Largest difference of a probability. Raises ModelError where it is over the tolerance.

        The embedding may differ by ten times the tolerance of its own length.
        """
        tolerance = max(TOLERANCES[precision], _OWN_TOLERANCES[self.precision])
        worst = float(np.abs(_softmax(logits) - _softmax(self.logits)).max())
        length = float(np.linalg.norm(self.embedding)) or 1.0
        drift = float(np.linalg.norm(embedding - self.embedding)) / length
        if not worst <= tolerance or not drift <= 10 * tolerance:
            raise ModelError(
                f"the golden picture {self.name} does not give the answer it must: a probability "
                f"differs by {worst:.2g} (allowed {tolerance:g}), the embedding by {drift:.2g} of "
                f"its length (allowed {10 * tolerance:g})."
            )
        return worst


def golden_bytes(name: str) -> bytes:
    """The file of one of the SHIPPED pictures."""
    return (files("pixelmine.models") / "golden_set" / name).read_bytes()


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shifted / shifted.sum())
