"""What recipes say that train no network: by features, by template, on a backbone."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pixelmine.core.errors import UsageError
from pixelmine.features import vector_features_from_card
from pixelmine.preprocess import Preprocessing

from .recipe import Recipe

if TYPE_CHECKING:
    from pixelmine.classify.heads import HeadOptions

__all__ = ["FeaturesRecipe", "TemplateRecipe", "TransferRecipe"]


@dataclass(frozen=True, kw_only=True)
class FeaturesRecipe(Recipe):
    """A head on designed features.

    `features`: their names and options, in order, each a table with a `feature`. `kind`: one of
    `classify.heads.HEADS`; `options`: the head's own.
    """

    features: tuple[dict[str, Any], ...]
    kind: str
    options: dict[str, Any] = field(default_factory=dict)

    family: ClassVar[str] = "features"
    trainer: ClassVar[str] = "pixelmine.train.by_features:train_features"
    tables: ClassVar[tuple[str, ...]] = ("describe", "head", "preprocessing", "training")

    def __post_init__(self) -> None:
        vector_features_from_card(self.features)
        _head(self.kind, self.options)
        super().__post_init__()

    @property
    def head(self) -> "HeadOptions":
        """The options as the head takes them."""
        return _head(self.kind, self.options)

    def with_even_classes(self) -> Self:
        """With the head's option `balanced`."""
        return replace(self, options={**self.options, "balanced": True})


@dataclass(frozen=True, kw_only=True)
class TransferRecipe(Recipe):
    """A head on the embedding of a model that is there already, which stays as it is.

    `backbone`: the name of a model. Pictures are prepared as its card says.
    """

    backbone: str
    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    height: int = 0
    width: int = 0
    channels: int | None = 3

    family: ClassVar[str] = "transfer"
    trainer: ClassVar[str] = "pixelmine.train.by_transfer:train_transfer"
    tables: ClassVar[tuple[str, ...]] = ("backbone", "head", "training")

    def __post_init__(self) -> None:
        _head(self.kind, self.options)  # the backbone is loaded when it is needed

    @property
    def head(self) -> "HeadOptions":
        """The options as the head takes them."""
        return _head(self.kind, self.options)

    def with_even_classes(self) -> Self:
        """With the head's option `balanced`."""
        return replace(self, options={**self.options, "balanced": True})

    def preprocessing(self, height: int, width: int, channels: int) -> Preprocessing:  # noqa: ARG002  the backbone's own
        """As the backbone's card says."""
        from pixelmine.models import load_bundle

        return Preprocessing.from_card(load_bundle(self.backbone).card.preprocessing)


@dataclass(frozen=True, kw_only=True)
class TemplateRecipe(Recipe):
    """Correlation with templates of each class. `options`: of `classify.template`."""

    options: dict[str, Any] = field(default_factory=dict)

    family: ClassVar[str] = "template"
    can_balance: ClassVar[bool] = False
    trainer: ClassVar[str] = "pixelmine.train.by_template:train_template"
    tables: ClassVar[tuple[str, ...]] = ("template", "preprocessing", "training")

    def check_several_labels(self) -> None:
        """It cannot."""
        raise UsageError(
            f"{self.name} gives each picture the one class that it looks most like. For several "
            "labels take another recipe."
        )


def _head(kind: str, options: dict[str, Any]) -> "HeadOptions":
    from pixelmine.classify.heads import HEADS

    return HEADS.get(kind).options.from_dict(options)
