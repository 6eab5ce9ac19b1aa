"""Which examples are kept where not all can be."""

import numpy as np

__all__ = ["choose_examples"]


def choose_examples(targets: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Indices of at most `most` of the rows of bool (N, S), ascending.

    Chance picks, but each class keeps its share, and every class its first example before any gets
    a second. A row of several labels counts as its rarest.
    """
    if len(targets) <= most:
        return np.arange(len(targets))
    sizes = np.where(targets, targets.sum(axis=0), len(targets) + 1)
    group = np.where(targets.any(axis=1), sizes.argmin(axis=1), targets.shape[1])
    shuffled = np.random.default_rng(seed).permutation(len(targets))
    turn = np.empty(len(targets))
    for index in np.unique(group):
        rows = shuffled[group[shuffled] == index]
        turn[rows] = np.arange(len(rows)) / len(rows)
    order = shuffled[np.argsort(turn[shuffled], kind="stable")]
    return np.sort(order[:most])
