"""How a network that has learnt something else before learns on. Imports no training framework."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError
from pixelmine.models.lite import LITES

__all__ = ["Phase", "Tuning"]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Pictures of `side` x `side` pixels. `rate`: the highest, in units of the learning rate."""

    side: int
    rate: float = 1.0

    def __post_init__(self) -> None:
        for name in ("side", "rate"):
            check_positive(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What of a pretrained network is trained, and on what.

    `variant`: one of `models.lite.LITES`. `phases`: in order, each beginning with the weights of
    the one before. `frozen`: so many blocks from the pixels on, and the stem, keep their weights; 0
    trains everything. `views`: of each training picture behind the frozen blocks, the first as it
    is, the others augmented; without frozen blocks pictures are augmented anew in each epoch, and
    it says nothing. `at_least`: training pictures that an epoch sees; where there are few, each has
    more views. `decay`: what a block's learning rate is to that of the next one (1: all the same).
    `tune_norms`: whether the batch normalisations of the trained blocks learn too, or keep their
    statistics, factors and biases. `dropout`, `drop_connect`: as `networks_lite.build_lite` has
    them.
    """

    variant: str
    phases: Sequence[Phase]
    frozen: int = 0
    views: int = 1
    at_least: int = 1
    decay: float = 1.0
    tune_norms: bool = False
    dropout: float = 0.2
    drop_connect: float = 0.0

    def __post_init__(self) -> None:
        check_one_of("builder", self.variant, LITES)
        for name in ("views", "at_least"):
            check_positive(name, getattr(self, name))
        check_positive("decay", self.decay, at_most=1)
        if not self.phases:
            raise UsageError("phases must be at least one.")
        if not 0 <= self.frozen < self.blocks:
            raise UsageError(
                f"frozen must be 0 to {self.blocks - 1}: {self.variant} has {self.blocks} blocks. "
                f"Got {self.frozen} instead."
            )

    @property
    def blocks(self) -> int:
        """Of the network."""
        return len(LITES[self.variant].blocks)

    @property
    def side(self) -> int:
        """Pixels, of the last phase: what the network takes."""
        return self.phases[-1].side

    def views_of(self, pictures: int) -> int:
        """Of each of so many pictures."""
        return max(self.views, -(-self.at_least // pictures))
