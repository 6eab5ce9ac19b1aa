"""The card: everything about a model that is not its network.

K labels; D dimensions of the embedding; pixels are (N, H, W, C).
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pixelmine.core.errors import ModelError
from pixelmine.core.ids import digest, digest_json

__all__ = [
    "CARD_VERSION",
    "KNOWING",
    "Calibration",
    "Card",
    "Conformal",
    "Described",
    "Input",
    "Knots",
    "Metric",
    "OutOfDistribution",
    "Thresholds",
    "Training",
]

CARD_VERSION = 1

KNOWING = "knowing.safetensors"
"""The bundle's file for what a model needs to know when it does not know."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=1, le=4096)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _later() -> Any:
    """A field that came later: left out where null, so that older cards keep their digests."""
    return Field(None, exclude_if=lambda value: value is None)


class Input(_Part):
    """What `pixels` takes. A uint8 network normalises in its own graph; values are 0..255."""

    dtype: Literal["uint8", "float32"]
    height: Side
    width: Side
    channels: Literal[1, 3]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return (self.height, self.width, self.channels)


class Described(_Part):
    """Designed features that the network takes instead of pixels, as `features` (N, D) float32.

    `steps`: their names and options in order (`features.vector_features_from_card`), computed on
    what the preprocessing gives, uint8 (H, W, C). `dimensions`: D.
    """

    steps: Annotated[list[dict[str, Any]], Field(min_length=1)]
    dimensions: Annotated[int, Field(ge=1)]


class Knots(_Part):
    """A rising line through points: of `x`, 0 to 1 and rising, `y`, 0 to 1; flat outside."""

    x: Annotated[list[float], Field(min_length=1)]
    y: Annotated[list[float], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> "Knots":
        x, y = np.array(self.x), np.array(self.y)
        inside = all(v.min() >= 0 and v.max() <= 1 for v in (x, y))
        if len(x) != len(y) or not inside or (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
            raise ValueError("x must rise and y must not fall, both of one length, from 0 to 1")
        return self


class Calibration(_Part):
    """How logits become probabilities.

    Logits are divided by `temperature`; 1 leaves them as they are. Method `bias` then adds `bias`,
    K values; `vector` multiplies by `scale`, K values, before that. With `isotonic` probabilities
    go through `knots`, a line a label, and (of one label a picture) add up to 1 again.
    """

    method: Literal["none", "temperature", "bias", "vector", "isotonic"] = "none"
    temperature: Annotated[float, Field(gt=0)] = 1.0
    scale: list[Annotated[float, Field(ge=0)]] | None = _later()
    bias: list[float] | None = _later()
    knots: list[Knots] | None = _later()


class Thresholds(_Part):
    """When a model decides. All are probabilities or shares, 0 to 1.

    `decision`: abstain where the best probability is below it; null: always decide. Where it was
    chosen for an `error` rate among what is decided, that holds with `confidence`. `labels`: of
    many labels at once, those at or above theirs are decided (K; null: 0.5 each). `ood`: abstain
    where the picture is odder than this share of the held-back pictures; null: never.
    """

    decision: Annotated[float, Field(ge=0, le=1)] | None = None
    error: Annotated[float, Field(gt=0, lt=1)] | None = _later()
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = _later()
    labels: list[Annotated[float, Field(ge=0, le=1)]] | None = _later()
    ood: Annotated[float, Field(ge=0, le=1)] | None = _later()


class Conformal(_Part):
    """Prediction sets that hold the truth for a share `coverage` of the pictures.

    A label is in the set where its probability reaches `at_least`: one value, or K, one a label.
    `empty`: whether a set may be empty; else it then holds the best label.
    """

    coverage: Annotated[float, Field(gt=0, lt=1)]
    at_least: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]
    empty: bool = False


class OutOfDistribution(_Part):
    """How odd a picture is, measured with what the bundle's `knowing.safetensors` holds."""

    method: Literal["energy+embedding"] = "energy+embedding"


class Metric(_Part):
    """A measured value with its 95 % interval, over `pictures` pictures of `data`."""

    value: float
    low: float
    high: float
    pictures: int
    data: str


class Training(_Part):
    """Where a model comes from. `data_digest`: SHA-256 over the sorted (picture, label) pairs.

    `start`: the digest of the model whose weights it began with; the pictures are its own only.
    """

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
    start: Sha256 | None = _later()


class Card(_Part):
    """A bundle's `card.json`. `files`: SHA-256 of every other file; `seal`: of the card itself."""

    card_version: Literal[1] = 1
    name: str
    description: str
    licence: str
    source: str
    created: str
    input: Input
    features: Described | None = _later()
    embedding_dimensions: Annotated[int, Field(ge=1)]
    labels: Annotated[list[str], Field(min_length=1)]
    preprocessing: dict[str, Any]
    calibration: Calibration = Calibration()
    thresholds: Thresholds = Thresholds()
    task: Literal["single", "multi"] = Field(
        default="single", exclude_if=lambda task: task == "single"
    )
    conformal: Conformal | None = _later()
    ood: OutOfDistribution | None = _later()
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

    @model_validator(mode="after")
    def _one_a_label(self) -> "Card":
        one = self.calibration
        several = {
            "calibration.scale": one.scale,
            "calibration.bias": one.bias,
            "calibration.knots": one.knots,
            "thresholds.labels": self.thresholds.labels,
            "conformal.at_least": self.conformal.at_least if self.conformal else None,
        }
        for name, values in several.items():
            whole = name == "conformal.at_least" and values is not None and len(values) == 1
            if values is not None and len(values) != len(self.labels) and not whole:
                raise ValueError(f"{name} must have one value a label")
        if one.method == "isotonic" and one.knots is None:
            raise ValueError("isotonic calibration must have knots")
        return self

    def fits(self, batch: np.ndarray) -> bool:
        """Whether a batch is what the network takes."""
        if self.features is not None:
            return batch.shape[1:] == (self.features.dimensions,) and batch.dtype == np.float32
        return batch.shape[1:] == self.input.shape and batch.dtype == self.input.dtype

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
        """Names what changes an answer: network, preprocessing, labels, and all of `knowing`."""
        names = ("input", "features", "labels", "preprocessing", "task")
        knowing = ("calibration", "thresholds", "conformal", "ood")
        parts = self.model_dump(mode="json", include={*names, *knowing})
        files = [self.files[name] for name in ("model.onnx", KNOWING) if name in self.files]
        return digest(files[0], digest_json(parts), *files[1:])

    @property
    def embedding_digest(self) -> str:
        """Names what changes an embedding: network and preprocessing."""
        parts = self.model_dump(mode="json", include={"input", "features", "preprocessing"})
        return digest(self.files["model.onnx"], digest_json(parts))
