"""What a recipe of the family `network` says."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.preprocess import Normalise, Preprocessing
from pixelmine.preprocess.augment import Augmentation, Mixing, from_card, to_card

from .recipe import Recipe

__all__ = ["NetworkRecipe"]

_OPTIMIZERS = ("adam", "adamw")
_SCHEDULES = ("constant", "one_cycle")
_PRECISIONS = ("float32", "bfloat16", "auto")
_MIRRORS = ("no", "auto")
_LOSSES = ("sparse_categorical_crossentropy",)


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(Recipe):
    """A network that Keras trains.

    `builder`: one of `networks.NETWORKS`. `mean`, `std`: a pixel p becomes (p - mean) / std.
    `patience`: stop after so many epochs without a better one; None runs them all. `augment`: what
    changes each training picture by chance, in order, each a table with a `step` and its options.
    `mirror`: `auto` adds mirror images where nearest neighbours are not misled by them. The others
    are those of `LoopOptions`.
    """

    builder: str
    mean: float
    std: float
    optimizer: str
    loss: str
    batch_size: int
    epochs: int
    patience: int | None = None
    augment: tuple[dict[str, Any], ...] = ()
    mirror: str = "no"
    learning_rate: float = 0.001
    schedule: str = "constant"
    warm_up: float = 0.25
    weight_decay: float = 0.0
    average: float | None = None
    label_smoothing: float = 0.0
    precision: str = "float32"

    family: ClassVar[str] = "network"
    trainer: ClassVar[str] = "pixelmine.train.by_network:train_network"
    keras: ClassVar[bool] = True
    tables: ClassVar[tuple[str, ...]] = ("network", "preprocessing", "training")

    def __post_init__(self) -> None:
        for name in ("std", "batch_size", "epochs"):
            check_positive(name, getattr(self, name))
        if self.patience is not None:
            check_positive("patience", self.patience)
        check_one_of("optimizer", self.optimizer, _OPTIMIZERS)
        check_one_of("loss", self.loss, _LOSSES)
        check_one_of("schedule", self.schedule, _SCHEDULES)
        check_one_of("precision", self.precision, _PRECISIONS)
        check_one_of("mirror", self.mirror, _MIRRORS)
        check_positive("learning_rate", self.learning_rate)
        # with every default, so that a checkpoint is not gone on from under another one
        object.__setattr__(self, "augment", tuple(to_card(from_card(self.augment))))
        super().__post_init__()

    def preprocessing(self, height: int, width: int, channels: int) -> Preprocessing:
        """Decode, scale to height x width pixels, normalise."""
        found = super().preprocessing(height, width, channels)
        return replace(found, steps=(*found.steps, self.normalise))

    @property
    def normalise(self) -> Normalise:
        """The last step, which gives float32."""
        return Normalise(mean=self.mean, std=self.std)

    @property
    def augmentations(self) -> tuple[Augmentation | Mixing, ...]:
        """What `augment` lists."""
        return from_card(self.augment)
