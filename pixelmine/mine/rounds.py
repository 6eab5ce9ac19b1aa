"""What rounds of labelling bring: the accuracy now, and a trial of the choice against chance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError

from .out_of_fold import head_probabilities, out_of_fold
from .to_label import choose_next
from .together import fold_of

__all__ = ["Hits", "Trial", "accuracy_now", "simulate"]

_FOLDS = 5
Choice = Callable[[np.ndarray, int, int], np.ndarray]
"""Labels so far (N,), -1 without; how many; a seed: to places."""


@dataclass(frozen=True, kw_only=True)
class Hits:
    """`right` of `judged` pictures are named as labelled, by models that have not seen them."""

    right: int
    judged: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Rounds of labelling, tried on pictures whose labels are known.

    `labels`: how many there were after each of R rounds. `chosen`, `random`: float64 (S, R),
    accuracy on the part that was held back, 0 to 1, for each of S seeds. `held_back`: pictures of
    that part, on average.
    """

    labels: tuple[int, ...]
    chosen: np.ndarray
    random: np.ndarray
    held_back: int


def accuracy_now(
    vectors: np.ndarray, y: np.ndarray, units: np.ndarray, test: np.ndarray | None, classes: int
) -> Hits | None:
    """How often the labels so far lead to the label of a picture that was held back.

    `y`: int64 (N,), -1 without a label. `test`: bool (N,), a fixed part to be judged, of which the
    models learn nothing, nor of its units; None: each labelled picture is, by those of the other
    folds. `units`: int64 (N,), never divided. None where the labels are too few for that.
    """
    known = y >= 0
    if test is not None:
        learnt, judged = known & ~np.isin(units, units[test]), known & test
        if len(np.unique(y[learnt])) < 2 or not judged.any():
            return None
        found = head_probabilities(vectors[learnt], y[learnt], vectors[judged], classes)
        right = found.argmax(axis=1) == y[judged]
    else:
        names, codes = np.unique(y[known], return_inverse=True)
        if len(names) < 2 or len(np.unique(units[known])) < _FOLDS:
            return None
        opinions = out_of_fold(vectors[known], codes, units[known], folds=_FOLDS)
        right = opinions.head.argmax(axis=1) == codes
    return Hits(right=int(right.sum()), judged=len(right))


def simulate(
    vectors: np.ndarray,
    y: np.ndarray,
    units: np.ndarray,
    copies: np.ndarray,
    *,
    rounds: int,
    count: int,
    seeds: int,
) -> Trial:
    """Label `count` pictures a round, chosen and by chance, and see what a head makes of them.

    `y`: int64 (N,), a label for each. `units`: int64 (N,), what is tied (copies and groups): of
    these a fifth is held back, another one for each seed. `copies`: int64 (N,), copies alone, of
    which one is labelled. Raises UsageError where there are fewer pictures than would be labelled.
    """
    classes = int(y.max()) + 1
    chosen, chance, held = [], [], []
    for seed in range(seeds):
        test = fold_of(units, y, _FOLDS, seed) == 0
        inside = np.flatnonzero(~test)
        if rounds * count > len(inside):
            raise UsageError(
                f"{rounds} rounds of {count} need {rounds * count:,} labelled pictures beside "
                f"those that are held back. There are {len(inside):,}."
            )
        held.append(int(test.sum()))

        def choice(
            told: np.ndarray, some: int, draw: int, inside: np.ndarray = inside
        ) -> np.ndarray:
            return choose_next(
                vectors[inside], told, copies[inside], some, classes=classes, seed=draw
            ).places

        def by_chance(told: np.ndarray, some: int, draw: int) -> np.ndarray:
            free = np.flatnonzero(told < 0)
            return np.random.default_rng(draw).permutation(free)[:some]

        parts = vectors[inside], y[inside], vectors[test], y[test], classes
        chosen.append(_run(*parts, choice, rounds, count, seed))
        chance.append(_run(*parts, by_chance, rounds, count, seed))
    return Trial(
        labels=tuple(count * (number + 1) for number in range(rounds)),
        chosen=np.array(chosen),
        random=np.array(chance),
        held_back=round(sum(held) / len(held)),
    )


def _run(
    vectors: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    truth: np.ndarray,
    classes: int,
    choice: Choice,
    rounds: int,
    count: int,
    seed: int,
) -> list[float]:
    told, found = np.full(len(y), -1), []
    for number in range(rounds):
        places = choice(told, count, seed * rounds + number)
        told[places] = y[places]
        known = told >= 0
        guessed = head_probabilities(vectors[known], told[known], test, classes).argmax(axis=1)
        found.append(float((guessed == truth).mean()))
    return found
