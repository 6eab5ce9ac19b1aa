"""The card: everything about a model that is not its network.

K labels; D dimensions of the embedding; pixels are (N, H, W, C).
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pixelmine.core.errors import ModelError
from pixelmine.core.ids import digest, digest_json

__all__ = ["CARD_VERSION", "Calibration", "Card", "Input", "Metric", "Thresholds", "Training"]

CARD_VERSION = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=1, le=4096)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Input(_Part):
    """What `pixels` takes. A uint8 network normalises in its own graph; values are 0..255."""

    dtype: Literal["uint8", "float32"]
    height: Side
    width: Side
    channels: Literal[1, 3]

    def fits(self, pixels: np.ndarray) -> bool:
        """Whether one prepared picture is what the network takes."""
        return pixels.shape == (self.height, self.width, self.channels) and (
            pixels.dtype == self.dtype
        )


class Calibration(_Part):
    """Logits are divided by `temperature` before softmax; 1 leaves them as they are."""

    method: Literal["none", "temperature"] = "none"
    temperature: Annotated[float, Field(gt=0)] = 1.0


class Thresholds(_Part):
    """`decision`: abstain where the best probability is below it; null: always decide."""

    decision: Annotated[float, Field(ge=0, le=1)] | None = None


class Metric(_Part):
    """A measured value with its 95 % interval, over `pictures` pictures of `data`."""

    value: float
    low: float
    high: float
    pictures: int
    data: str


class Training(_Part):
    """Where a model comes from. `data_digest`: SHA-256 over the sorted (picture, label) pairs."""

    recipe: str
    seed: int
    epochs: int
    best_epoch: int
    pictures: int
    held_back: int
    data_digest: str
    split_id: str | None = None
    history: dict[str, list[float]] = Field(default_factory=dict)
    seconds: float = 0.0


class Card(_Part):
    """A bundle's `card.json`. `files`: SHA-256 of every other file; `seal`: of the card itself."""

    card_version: Literal[1] = 1
    name: str
    description: str
    licence: str
    source: str
    created: str
    input: Input
    embedding_dimensions: Annotated[int, Field(ge=1)]
    labels: Annotated[list[str], Field(min_length=1)]
    preprocessing: dict[str, Any]
    calibration: Calibration = Calibration()
    thresholds: Thresholds = Thresholds()
    metrics: dict[str, Metric] = Field(default_factory=dict)
    training: Training | None = None
    builder: str | None = None
    files: dict[str, Sha256]
    seal: str = ""

    @field_validator("labels")
    @classmethod
    def _unique(cls, labels: list[str]) -> list[str]:
        if len(set(labels)) != len(labels):
            raise ValueError("labels must be unique")
        return labels

    @classmethod
    def parse(cls, text: str | bytes) -> "Card":
        """Read and check a card. Raises ModelError with the first thing that is wrong."""
        try:
            card = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ModelError(f"card.json is not a model card: {where}: {first['msg']}.") from error
        if card.seal != card.compute_seal():
            raise ModelError("card.json was changed after it was written: its seal does not fit.")
        return card

    def sealed(self) -> "Card":
        """The same card with its seal."""
        return self.model_copy(update={"seal": self.compute_seal()})

    def compute_seal(self) -> str:
        """SHA-256 of everything in the card but the seal."""
        return digest_json(self.model_dump(mode="json", exclude={"seal"}))

    @property
    def digest(self) -> str:
        """Names what changes an answer: network, preprocessing, labels, calibration, thresholds."""
        names = ("input", "labels", "preprocessing", "calibration", "thresholds")
        parts = self.model_dump(mode="json", include=set(names))
        return digest(self.files["model.onnx"], digest_json(parts))

    @property
    def embedding_digest(self) -> str:
        """Names what changes an embedding: network and preprocessing."""
        parts = self.model_dump(mode="json", include={"input", "preprocessing"})
        return digest(self.files["model.onnx"], digest_json(parts))
