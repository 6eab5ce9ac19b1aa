"""Recipes: training methods as data. Imports no training framework."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize
from pixelmine.preprocess.augment import Augmentation, Mixing, from_card, to_card

__all__ = ["Header", "Recipe", "load_recipe", "recipe_names"]

_FOLDER = Path(__file__).parent / "recipes"
_TABLES = ("network", "preprocessing", "training")
_OPTIMIZERS = ("adam",)
_LOSSES = ("sparse_categorical_crossentropy",)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a reader needs to know before running a recipe."""

    source: str
    cost: str
    command: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training method. The values of each field are in `recipes/NAME.toml`, with the reasons.

    `height`, `width`: what pictures are scaled to, in pixels; an idx folder's own size goes first.
    `channels`: 1 grey, 3 RGB. `mean`, `std`: a pixel p becomes (p - mean) / std. `held_back`: the
    share of the training pictures that chooses the epoch, where a split names no part `val`.
    `patience`: stop after so many epochs without a better one; None runs them all. `augment`: what
    changes each training picture by chance, in order, each a table with a `step` and its options.
    """

    name: str
    header: Header
    builder: str
    height: int
    width: int
    channels: int
    decode_rule: str
    interpolation: str
    mean: float
    std: float
    optimizer: str
    loss: str
    batch_size: int
    epochs: int
    held_back: float
    patience: int | None = None
    augment: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for name in ("height", "width", "std", "batch_size", "epochs"):
            check_positive(name, getattr(self, name))
        if self.patience is not None:
            check_positive("patience", self.patience)
        if self.channels not in (1, 3):
            raise UsageError(f"channels must be 1 (grey) or 3 (RGB). Got {self.channels} instead.")
        check_positive("held_back", self.held_back, at_most=0.5)
        check_one_of("optimizer", self.optimizer, _OPTIMIZERS)
        check_one_of("loss", self.loss, _LOSSES)
        self.preprocessing(self.height, self.width)
        # with every default, so that a checkpoint is not gone on from under another one
        object.__setattr__(self, "augment", tuple(to_card(from_card(self.augment))))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a recipe. Raises UsageError for a field that is missing, unknown or out of range."""
        try:
            tables = tomllib.loads(text)
            values: dict[str, Any] = {"name": tables.pop("name")}
            values["header"] = Header(**tables.pop("header"))
            for table in _TABLES:
                values |= tables.pop(table)
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise UsageError(f"The recipe cannot be read: {error}.") from error
        unknown = sorted(set(values) - {f.name for f in fields(cls)}) + sorted(tables)
        if unknown:
            raise UsageError(f"The recipe has unknown fields: {', '.join(unknown)}.")
        try:
            return cls(**values)
        except TypeError as error:
            raise UsageError(f"The recipe cannot be used: {error}.") from error

    def preprocessing(self, height: int, width: int) -> Preprocessing:
        """Bytes to what the network takes: decode, scale to height x width pixels, normalise."""
        colour = "grey" if self.channels == 1 else "rgb"
        return Preprocessing(
            decode=DecodeOptions(rule=self.decode_rule, colour=colour),
            steps=(
                Resize(height=height, width=width, interpolation=self.interpolation),
                self.normalise,
            ),
        )

    @property
    def normalise(self) -> Normalise:
        """The last step, which gives float32."""
        return Normalise(mean=self.mean, std=self.std)

    @property
    def augmentations(self) -> tuple[Augmentation | Mixing, ...]:
        """What `augment` lists."""
        return from_card(self.augment)


def recipe_names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(_recipes())


def load_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises UsageError for an unknown one."""
    check_one_of("recipe", name, _recipes())
    return _recipes()[name]


@cache
def _recipes() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        recipe = Recipe.from_toml(path.read_text("utf-8"))
        if recipe.name in found:
            raise UsageError(f"There are two recipes named {recipe.name!r}.")
        found[recipe.name] = recipe
    return found
