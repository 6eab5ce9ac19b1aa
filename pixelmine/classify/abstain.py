"""When to say nothing: a threshold that keeps the error rate of what is said below what was asked.

N pictures, K labels; probabilities are float32, 0 to 1.
"""

import numpy as np

__all__ = ["error_threshold", "label_thresholds"]

_STARTS = (0.1, 0.25, 0.5, 0.75, 1.0)
_STEPS = 100
_RARE = 10


def error_threshold(
    best: np.ndarray, right: np.ndarray, error: float, confidence: float = 0.95
) -> float | None:
    """The lowest probability of the best label at which at most `error` of the answers are wrong.

    `best`: (N,) and `right`: (N,) bool, of pictures that the model has not seen. With `confidence`
    the error rate of new pictures stays below `error` too; None where no threshold does that, and 0
    where nothing need be held back. Fixed-sequence testing from five starts, which share the chance
    of a mistake: A. Angelopoulos, S. Bates, E. Candes, M. Jordan, L. Lei, "Learn then test", 2021;
    each test is the exact binomial one (C. Clopper, E. Pearson, 1934).
    """
    order = np.argsort(-best, kind="stable")
    wrong = np.cumsum(~right[order])
    levels = np.unique(np.ceil(np.arange(1, _STEPS + 1) / _STEPS * len(best)).astype(int))
    levels = _whole_ties(best[order], levels)
    chance = (1 - confidence) / len(_STARTS)
    upper = _upper(wrong[levels - 1], levels, chance)
    found = 0
    for start in _STARTS:
        for n, bound in zip(levels, upper, strict=True):
            if n < start * len(best):
                continue
            if bound > error:
                break
            found = max(found, int(n))
    if not found:
        return None
    return 0.0 if found == len(best) else float(best[order][found - 1])


def label_thresholds(probabilities: np.ndarray, y: np.ndarray) -> list[float]:
    """Of each of K labels the threshold with the best F1 score; y: (N, K) bool.

    0.5 where a label has fewer than 10 pictures with it, or without.
    """
    return [_best_f1(p, hit) for p, hit in zip(probabilities.T, y.T, strict=True)]


def _whole_ties(ordered: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Numbers of pictures moved up to where the probability falls, so that a threshold is exact."""
    ends = len(ordered) - np.searchsorted(ordered[::-1], ordered[levels - 1], side="left")
    return np.unique(ends)


def _upper(wrong: np.ndarray, counts: np.ndarray, chance: float) -> np.ndarray:
    """What the error rate stays below but for a chance, by so many wrong of so many."""
    from scipy.stats import beta

    some = np.maximum(counts - wrong, 1)
    return np.asarray(np.where(wrong < counts, beta.ppf(1 - chance, wrong + 1, some), 1.0))


def _best_f1(probability: np.ndarray, hit: np.ndarray) -> float:
    if min(hit.sum(), (~hit).sum()) < _RARE:
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ordered = probability[order]
    right = np.cumsum(hit[order])
    f1 = 2 * right / (np.arange(1, len(hit) + 1) + hit.sum())
    f1[:-1][ordered[:-1] == ordered[1:]] = -1.0
    return float(ordered[int(f1.argmax())])
