"""Fitting what is quick to fit, and answers to pictures that were not learnt from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from pixelmine.classify.heads import FittedHead, fit_head

from .data import Examples
from .events import Events
from .held_back import units_of
from .plan import Plan
from .trained import Judged
from .warm import head_start

__all__ = ["FEW", "Fit", "fit_and_judge", "fit_head_and_judge"]

FEW = 20_000
"""Up to so many pictures none is spared: each is judged by one of five models that did not see it,
and the model that is kept has seen all."""

_FOLDS = 5

Model = TypeVar("Model")


@dataclass(frozen=True)
class Fit(Generic[Model]):
    """A fitted model, how many pictures it has learnt from, and its like's answers to other rows.

    `rows`: int64 (M,), the rows judged; `logits`: float32 (M, K).
    """

    model: Model
    learnt: int
    rows: np.ndarray
    logits: np.ndarray
    how: str

    def judged(self, examples: Examples, embedding: np.ndarray) -> Judged:
        """With the (M, D) embedding of the rows judged."""
        return Judged(
            logits=self.logits,
            embedding=embedding,
            y=examples.y[self.rows],
            groups=[examples.groups[row] for row in self.rows],
            how=self.how,
        )


def fit_and_judge(
    plan: Plan,
    fit: Callable[[np.ndarray], Model],
    ask: Callable[[Model, np.ndarray], np.ndarray],
    events: Events,
) -> Fit[Model]:
    """Fit on rows of `plan.examples`, and judge others.

    `fit`: of int64 (M,) rows. `ask`: gives a model's logits to rows, (M, K). Where a split names a
    part `val`, or there are more than FEW pictures, what is held back is judged; else all are, in
    five folds that keep groups and identical pictures together.
    """
    examples = plan.examples
    if "val" in examples.part or len(examples) > FEW:
        kept, held = np.flatnonzero(~plan.held), np.flatnonzero(plan.held)
        events.start("fit", 1)
        model = fit(kept)
        events.advance(1)
        events.finish()
        return Fit(model, len(kept), held, ask(model, held), "training pictures held back")
    folds = _folds(plan)
    events.start("fit", len(folds) + 1)
    logits = np.zeros((len(examples), len(examples.labels)), np.float32)
    for kept, held in folds:
        logits[held] = ask(fit(kept), held)
        events.advance(1)
    everything = np.arange(len(examples))
    model = fit(everything)
    events.advance(1)
    events.finish()
    how = f"training pictures, each judged by one of {len(folds)} models that had not seen it"
    return Fit(model, len(everything), everything, logits, how)


def fit_head_and_judge(
    plan: Plan, x: np.ndarray, describes: str, events: Events
) -> Fit[FittedHead]:
    """The same with the recipe's head, on what stands for each picture, float32 (N, D).

    `describes`: names what `x` was computed by.
    """
    examples, recipe = plan.examples, plan.recipe
    start = head_start(plan.earlier, examples.labels, describes) if plan.earlier else None

    def fit(rows: np.ndarray) -> FittedHead:
        return fit_head(
            recipe.kind,
            x[rows],
            examples.y[rows],
            classes=len(examples.labels),
            multi=examples.multi,
            options=recipe.head,
            seed=plan.job.seed,
            start=start,
        )

    return fit_and_judge(plan, fit, lambda head, rows: head.logits(x[rows]), events)


def _folds(plan: Plan) -> list[tuple[np.ndarray, np.ndarray]]:
    """(learnt, judged) rows; a class with fewer units than folds misses from some."""
    from sklearn.model_selection import StratifiedGroupKFold

    units = np.array(units_of(plan.examples))
    count = max(2, min(_FOLDS, len(np.unique(units))))
    divide = StratifiedGroupKFold(count, shuffle=True, random_state=plan.job.seed)
    return list(divide.split(np.zeros(len(units)), _strata(plan.examples), units))


def _strata(examples: Examples) -> np.ndarray:
    """What each fold has the same share of, int64 (N,): the label; of several the rarest."""
    if not examples.multi:
        return examples.y
    rare = np.where(examples.y, examples.counts, len(examples) + 1)
    return np.asarray(rare.argmin(axis=1))
