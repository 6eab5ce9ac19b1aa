"""What a recipe of the family `finetune` says."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError
from pixelmine.models.lite import LITES
from pixelmine.preprocess import CenterCrop, DecodeOptions, Preprocessing, Resize

from .recipe_network import NetworkRecipe

__all__ = ["FinetuneRecipe"]


@dataclass(frozen=True, kw_only=True)
class FinetuneRecipe(NetworkRecipe):
    """A pretrained network that learns on.

    `builder`: one of `models.lite.LITES`. `phases`: in order, each a table with a `side`, pixels,
    and, where it is not 1, a `rate`, in units of `learning_rate`; `epochs` are those of each phase.
    The last side is the network's. `middle`: the share of the short side that a picture keeps; what
    lies around it is cut off. `frozen`, `views`, `decay`, `tune_norms`, `dropout`, `drop_connect`:
    as `finetune.Tuning` has them.
    """

    phases: tuple[dict[str, Any], ...]
    middle: float = 1.0
    frozen: int = 0
    views: int = 1
    decay: float = 1.0
    tune_norms: bool = False
    dropout: float = 0.2
    drop_connect: float = 0.0
    height: int = 0
    width: int = 0
    channels: int | None = 3

    family: ClassVar[str] = "finetune"
    trainer: ClassVar[str] = "pixelmine.train.by_finetune:train_finetune"

    def __post_init__(self) -> None:
        check_one_of("builder", self.builder, LITES)
        check_positive("middle", self.middle, at_most=1)
        if not self.phases:
            raise UsageError("phases must be at least one.")
        for phase in self.phases:
            if unknown := sorted(set(phase) - {"side", "rate"}):
                raise UsageError(f"A phase has a side and a rate. Got {', '.join(unknown)} too.")
            check_positive("side", phase.get("side", 0))
            check_positive("rate", phase.get("rate", 1))
        for name in ("height", "width"):
            object.__setattr__(self, name, self.phases[-1]["side"])
        super().__post_init__()

    def preprocessing(self, height: int, width: int, channels: int) -> Preprocessing:  # noqa: ARG002  the last phase's
        """Decode, scale the short side, cut out the middle, normalise."""
        side = self.phases[-1]["side"]
        colour = "grey" if channels == 1 else "rgb"
        return Preprocessing(
            decode=DecodeOptions(rule=self.decode_rule, colour=colour),
            steps=(
                Resize(short_side=round(side / self.middle), interpolation=self.interpolation),
                CenterCrop(height=side, width=side),
                self.normalise,
            ),
        )
