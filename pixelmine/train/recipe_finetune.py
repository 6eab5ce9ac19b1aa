"""What a recipe of the family `finetune` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import CenterCrop, DecodeOptions, Preprocessing, Resize

from .recipe_network import NetworkRecipe
from .tuning import Phase, Tuning

__all__ = ["FinetuneRecipe"]


@dataclass(frozen=True, kw_only=True)
class FinetuneRecipe(NetworkRecipe):
    """A pretrained network that learns on.

    `builder`: one of `models.lite.LITES`. `epochs`: of each phase. `middle`: the share of the short
    side that a picture keeps; what lies around it is cut off. `tuning`: the fields of `Tuning` but
    the variant, each phase a table of its own. Pictures have the side of the last phase.
    """

    tuning: Mapping[str, Any]
    middle: float = 1.0
    height: int = 0
    width: int = 0
    channels: int | None = 3

    family: ClassVar[str] = "finetune"
    trainer: ClassVar[str] = "pixelmine.train.by_finetune:train_finetune"

    def __post_init__(self) -> None:
        if self.longer is not None:
            raise UsageError(f"{self.name} has no longer: its phases say how long it takes.")
        check_positive("middle", self.middle, at_most=1)
        for name in ("height", "width"):
            object.__setattr__(self, name, self.how.side)
        super().__post_init__()

    @cached_property
    def how(self) -> Tuning:
        """`tuning`, checked."""
        try:
            phases = tuple(Phase(**phase) for phase in self.tuning.get("phases", ()))
            return Tuning(**{**self.tuning, "variant": self.builder, "phases": phases})
        except TypeError as error:
            raise UsageError(f"The recipe's tuning cannot be used: {error}.") from error

    def preprocessing(self, height: int, width: int, channels: int) -> Preprocessing:  # noqa: ARG002  the last phase's
        """Decode, scale the short side, cut out the middle, normalise."""
        side = self.how.side
        return Preprocessing(
            decode=DecodeOptions(rule=self.decode_rule, colour="grey" if channels == 1 else "rgb"),
            steps=(
                Resize(short_side=round(side / self.middle), interpolation=self.interpolation),
                CenterCrop(height=side, width=side),
                self.normalise,
            ),
        )
