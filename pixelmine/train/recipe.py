"""Recipes: training methods as data. Imports no training framework."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry
from pixelmine.preprocess import DecodeOptions, Preprocessing, Resize

__all__ = ["FAMILIES", "Header", "Recipe", "load_recipe", "parse_recipe", "recipe_names"]

_FOLDER = Path(__file__).parent / "recipes"

FAMILIES: Registry[Any] = Registry(
    "family",
    {
        "network": "pixelmine.train.recipe_network:NetworkRecipe",
        "features": "pixelmine.train.recipe_heads:FeaturesRecipe",
        "finetune": "pixelmine.train.recipe_finetune:FinetuneRecipe",
        "template": "pixelmine.train.recipe_heads:TemplateRecipe",
        "transfer": "pixelmine.train.recipe_heads:TransferRecipe",
    },
)
"""The ways to classify, by name: what a recipe of each says."""


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
    `channels`: 1 grey, 3 RGB; None: 1 for an idx folder, else 3. `held_back`: the share of the
    training pictures that is not learnt from, where a split names no part `val`: they choose the
    epoch and tell how sure the model may be.
    """

    name: str
    header: Header
    decode_rule: str = "scaled-256"
    interpolation: str = "area"
    height: int
    width: int
    channels: int | None = None
    held_back: float = 1 / 12

    family: ClassVar[str]
    trainer: ClassVar[str]
    """`module:function`, what trains it."""
    keras: ClassVar[bool] = False
    """Whether it needs the extra `train`."""
    can_balance: ClassVar[bool] = True
    """Whether it can let every class count the same."""

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            check_positive(name, getattr(self, name))
        if self.channels not in (None, 1, 3):
            raise UsageError(f"channels must be 1 (grey) or 3 (RGB). Got {self.channels} instead.")
        check_positive("held_back", self.held_back, at_most=0.5)
        self.preprocessing(self.height, self.width, self.channels or 3)

    def with_even_classes(self) -> Self:
        """The same method, every class counting the same however rare it is.

        Raises UsageError where it has no such way.
        """
        raise UsageError(f"{self.name} does not count pictures: --balanced says nothing to it.")

    def check_several_labels(self) -> None:
        """Raise UsageError where it cannot learn from pictures with several labels."""

    def preprocessing(self, height: int, width: int, channels: int) -> Preprocessing:
        """Bytes to uint8 (height, width, channels), and what the network wants done to those."""
        return Preprocessing(
            decode=DecodeOptions(rule=self.decode_rule, colour="grey" if channels == 1 else "rgb"),
            steps=(Resize(height=height, width=width, interpolation=self.interpolation),),
        )


def parse_recipe(text: str) -> Any:
    """Read a recipe. Raises UsageError for a field that is missing, unknown or out of range."""
    try:
        tables = tomllib.loads(text)
        values: dict[str, Any] = {"name": tables.pop("name")}
        family = FAMILIES.get(tables.pop("family"))
        values["header"] = Header(**tables.pop("header"))
        for table in family.tables:
            values |= tables.pop(table)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"The recipe cannot be read: {error}.") from error
    unknown = sorted(set(values) - {f.name for f in fields(family)}) + sorted(tables)
    if unknown:
        raise UsageError(f"The recipe has unknown fields: {', '.join(unknown)}.")
    try:
        return family(**values)
    except TypeError as error:
        raise UsageError(f"The recipe cannot be used: {error}.") from error


def recipe_names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(_recipes())


def load_recipe(name: str) -> Any:
    """The recipe of that name. Raises UsageError for an unknown one."""
    check_one_of("recipe", name, _recipes())
    return _recipes()[name]


@cache
def _recipes() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        recipe = parse_recipe(path.read_text("utf-8"))
        if recipe.name in found:
            raise UsageError(f"There are two recipes named {recipe.name!r}.")
        found[recipe.name] = recipe
    return found
