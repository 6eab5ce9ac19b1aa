"""What a recipe of the family `network` says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import Normalise, Preprocessing
from pixelmine.preprocess.augment import Augmentation, Mixing, from_card, to_card

from .recipe import Recipe

__all__ = ["MIRRORED", "Longer", "NetworkRecipe"]

MIRRORED = "-mirrored"
"""At the end of a card's `builder`: the mean over mirror images, `networks.mean_over_mirror`."""

_OPTIMIZERS = ("adam", "adamw")
_SCHEDULES = ("constant", "one_cycle")
_PRECISIONS = ("float32", "bfloat16", "auto")
_MIRRORS = ("no", "auto")
_LOSSES = ("sparse_categorical_crossentropy",)


@dataclass(frozen=True, kw_only=True)
class Longer:
    """A training that is worth its time where there is enough.

    `times`: an epoch takes so many times as long. `least_epochs`: fewer are not worth it.
    """

    times: float
    least_epochs: int
    recipe: "NetworkRecipe"

    def fits(self, minutes: float, epoch_s: float) -> bool:
        """Whether there is time enough, where an epoch of the shorter takes `epoch_s` seconds."""
        return 60 * minutes >= self.least_epochs * self.times * epoch_s


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(Recipe):
    """A network that Keras trains.

    `builder`: one of `networks.NETWORKS`. `mean`, `std`: a pixel p becomes (p - mean) / std.
    `least_steps`: so many batches at least, by more epochs where pictures are few, `--epochs` does
    not say, and the rate does not follow the clock. `patience`: stop after so many epochs without a
    better one; None runs them all. `augment`: what changes each training picture by chance, in
    order, each a table with a `step` and its options. `mirror`: `auto` adds mirror images where
    nearest neighbours are not misled by them. `mirror_mean`: where pictures are mirrored in the
    training, the answer is the mean of those to a picture and its mirror image. `balanced`: every
    class counts the same, however rare it is. `longer`: what is otherwise where `--minutes` are
    enough, fields as here beside those of `Longer`. The others are those of `LoopOptions`.
    """

    builder: str
    mean: float
    std: float
    optimizer: str
    loss: str
    batch_size: int
    epochs: int
    least_steps: int = 1
    patience: int | None = None
    augment: tuple[dict[str, Any], ...] = ()
    mirror: str = "no"
    mirror_mean: bool = False
    learning_rate: float = 0.001
    schedule: str = "constant"
    warm_up: float = 0.25
    weight_decay: float = 0.0
    average: float | None = None
    label_smoothing: float = 0.0
    precision: str = "float32"
    balanced: bool = False
    longer: Mapping[str, Any] | None = None

    family: ClassVar[str] = "network"
    trainer: ClassVar[str] = "pixelmine.train.by_network:train_network"
    keras: ClassVar[bool] = True
    tables: ClassVar[tuple[str, ...]] = ("network", "preprocessing", "training")

    def __post_init__(self) -> None:
        for name in ("std", "batch_size", "epochs", "least_steps"):
            check_positive(name, getattr(self, name))
        if self.patience is not None:
            check_positive("patience", self.patience)
        check_one_of("optimizer", self.optimizer, _OPTIMIZERS)
        check_one_of("loss", self.loss, _LOSSES)
        check_one_of("schedule", self.schedule, _SCHEDULES)
        check_one_of("precision", self.precision, _PRECISIONS)
        check_one_of("mirror", self.mirror, _MIRRORS)
        check_positive("learning_rate", self.learning_rate)
        if self.longer is not None and not {"times", "least_epochs"} <= set(self.longer):
            raise UsageError("longer must have times and least_epochs.")
        # with every default, so that a checkpoint is not gone on from under another one
        object.__setattr__(self, "augment", tuple(to_card(from_card(self.augment))))
        super().__post_init__()
        if self.given_time is not None:
            check_positive("times", self.given_time.times)
            check_positive("least_epochs", self.given_time.least_epochs)

    def with_even_classes(self) -> Self:
        """With `balanced`."""
        return replace(self, balanced=True)

    def check_several_labels(self) -> None:
        """Not with `balanced`: a label weighs by how many have it and how many do not."""
        if self.balanced:
            raise UsageError(
                "--balanced with several labels goes with a head (transfer, linear-features, "
                f"svm-features, nearest, boosted-features), not with {self.name}."
            )

    @property
    def given_time(self) -> Longer | None:
        """`longer`, checked. Raises UsageError."""
        if self.longer is None:
            return None
        changes = dict(self.longer)
        times, least = changes.pop("times"), changes.pop("least_epochs")
        try:
            recipe = replace(self, longer=None, **changes)
        except TypeError as error:
            raise UsageError(f"The recipe's longer cannot be used: {error}.") from error
        return Longer(times=times, least_epochs=least, recipe=recipe)

    @property
    def builders(self) -> list[str]:
        """The networks that it may train."""
        given_time = self.given_time
        return [self.builder, *([given_time.recipe.builder] if given_time else [])]

    def epochs_for(self, pictures: int) -> int:
        """How many for so many training pictures, where nobody says."""
        steps = -(-pictures // self.batch_size)
        return max(self.epochs, -(-self.least_steps // steps))

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
