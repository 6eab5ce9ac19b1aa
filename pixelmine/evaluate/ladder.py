"""Which of several ways to train is enough, measured on the same test pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pixelmine.core.errors import UsageError

from .corrected import LEVEL, holm
from .interval import Estimate, Rate
from .paired import Paired, compare_right

if TYPE_CHECKING:
    from .cost import Cost

__all__ = ["Ladder", "Rung", "make_ladder"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rung:
    """One recipe. Where it could not be trained or measured, `reason` says why, and no more is set.

    `row_ids`, `right`: N pictures and (N,) bool, whether the answer was right. `auc`: macro.
    `train_seconds`: of all epochs. `against`: what `make_ladder` adds: the best one (a) and this
    one (b) on the same pictures, and `p`, corrected by Holm; both None for the best one itself.
    """

    name: str
    reason: str | None = None
    row_ids: tuple[str, ...] = ()
    right: np.ndarray | None = None
    auc: Estimate | None = None
    cost: "Cost | None" = None
    train_seconds: float | None = None
    digest: str | None = None
    against: Paired | None = None
    p: float | None = None

    @property
    def accuracy(self) -> Rate | None:
        """On the pictures in common; None where it failed."""
        if self.right is None:
            return None
        return Rate(hits=int(self.right.sum()), pictures=len(self.right))

    def to_dict(self) -> dict[str, object]:
        """JSON-able, without what each picture got."""
        return {
            "recipe": self.name,
            "reason": self.reason,
            "accuracy": self.accuracy.to_dict() if self.accuracy else None,
            "auc": self.auc.to_dict() if self.auc else None,
            "cost": self.cost.to_dict() if self.cost else None,
            "train_seconds": self.train_seconds,
            "model_digest": self.digest,
            "against_best": self.against.to_dict() if self.against else None,
            "p": self.p,
        }


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Rungs in the order asked for. `pictures`: tested in all of those that were measured.

    `margin`: how much less accurate is still enough, 0 to 1, decided by the whole interval of the
    difference; None: enough is what these pictures do not show to be worse than the best.
    """

    rungs: tuple[Rung, ...]
    pictures: int
    margin: float | None = None

    @property
    def measured(self) -> list[Rung]:
        """Those that did not fail."""
        return [rung for rung in self.rungs if rung.reason is None]

    @property
    def best(self) -> Rung | None:
        """The most accurate; of equals the cheaper one, then the first."""
        ranked = sorted(self.measured, key=lambda one: (-_accuracy(one), _seconds(one)))
        return ranked[0] if ranked else None

    def is_enough(self, rung: Rung) -> bool:
        """Whether a rung is as good as the best one, or near enough."""
        if rung.reason is not None:
            return False
        if rung.against is None:
            return True
        if self.margin is not None:
            low = rung.against.difference.low
            return low is not None and low >= -self.margin
        return rung.p is not None and not (rung.p < LEVEL and rung.against.difference.value < 0)

    @property
    def enough(self) -> Rung | None:
        """Of those that are enough the one that takes the least time a picture."""
        found = [rung for rung in self.measured if self.is_enough(rung) and rung.cost]
        return min(found, key=_seconds) if found else self.best

    @property
    def smallest(self) -> Rung | None:
        """Of those that are enough the one with the smallest model."""
        found = [rung for rung in self.measured if self.is_enough(rung) and rung.cost]
        return min(found, key=_size) if found else self.best

    def front(self, by: str) -> list[Rung]:
        """The Pareto front, cheapest first: rungs that no other is cheaper and as accurate.

        `by`: `seconds` or `size`.
        """
        cost = _seconds if by == "seconds" else _size
        front: list[Rung] = []
        for rung in sorted(
            (one for one in self.measured if one.cost), key=lambda one: (cost(one), -_accuracy(one))
        ):
            if not front or _accuracy(rung) > _accuracy(front[-1]):
                front.append(rung)
        return front

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        from .ladder_words import verdict

        best, enough = self.best, self.enough
        return {
            "pictures": self.pictures,
            "margin": self.margin,
            "best": best.name if best else None,
            "enough": enough.name if enough else None,
            "sentence": " ".join(verdict(self, "en")),
            "recipes": [rung.to_dict() for rung in self.rungs],
            "front": {by: [rung.name for rung in self.front(by)] for by in ("seconds", "size")},
        }

    def to_markdown(self) -> str:
        """The verdict and a table, English."""
        from .ladder_words import to_markdown

        return to_markdown(self)


def make_ladder(rungs: Sequence[Rung], margin: float | None = None) -> Ladder:
    """Compare each rung with the best one on the pictures that all of them answered.

    Raises UsageError where they have none in common, or two have one name.
    """
    if len({rung.name for rung in rungs}) != len(rungs):
        raise UsageError("each recipe must be named once.")
    if margin is not None and not 0 <= margin < 1:
        raise UsageError(f"margin must be from 0 up to 1. Got {margin:g} instead.")
    measured = [rung for rung in rungs if rung.right is not None]
    if not measured:
        return Ladder(rungs=tuple(rungs), pictures=0, margin=margin)
    shared = sorted(set.intersection(*(set(rung.row_ids) for rung in measured)))
    if not shared:
        raise UsageError("The models have no test picture in common, so they cannot be compared.")
    aligned = {rung.name: _aligned(rung, shared) for rung in measured}
    draft = Ladder(rungs=tuple(aligned.get(one.name, one) for one in rungs), pictures=len(shared))
    best = draft.best
    others = [one for one in draft.measured if one is not best]
    found = {one.name: _against(best, one) for one in others if best}
    corrected = dict(zip(found, holm([one.p for one in found.values()]), strict=True))
    finished = tuple(
        replace(one, against=found.get(one.name), p=corrected.get(one.name)) for one in draft.rungs
    )
    return Ladder(rungs=finished, pictures=len(shared), margin=margin)


def _aligned(rung: Rung, shared: list[str]) -> Rung:
    place = {row: i for i, row in enumerate(rung.row_ids)}
    if rung.right is None:
        return rung
    right = rung.right[[place[row] for row in shared]]
    return replace(rung, row_ids=tuple(shared), right=right)


def _against(best: Rung, rung: Rung) -> Paired:
    if best.right is None or rung.right is None:
        raise ValueError("both rungs must have been measured")
    return compare_right(best.right, rung.right, names=(best.name, rung.name))


def _accuracy(rung: Rung) -> float:
    return rung.accuracy.value if rung.accuracy else 0.0


def _seconds(rung: Rung) -> float:
    return rung.cost.seconds if rung.cost else float("inf")


def _size(rung: Rung) -> float:
    return rung.cost.size_bytes if rung.cost else float("inf")
