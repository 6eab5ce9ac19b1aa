"""Which training pictures choose the epoch, and never change a weight."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from pixelmine.core.errors import TrainError

from .data import Examples

__all__ = ["draw", "hold_back", "label_lists", "units_of"]


def hold_back(examples: Examples, fraction: float, seed: int) -> np.ndarray:
    """Which of N pictures are held back: bool (N,).

    The part `val` is held back where a split names one. Else a `fraction` of each class is, drawn
    by `seed`; pictures of one group, and identical pictures, stay on one side, and no class loses
    its last training picture. Raises TrainError where nothing can be held back.
    """
    held = np.array([part == "val" for part in examples.part], bool)
    if not held.any():
        held = draw(label_lists(examples.y), units_of(examples), fraction, seed)
    if not held.any():
        raise TrainError(
            f"No picture can be held back to choose the best epoch: there are {len(examples)} in "
            f"{len(set(units_of(examples)))} groups. Give more pictures or smaller groups, or a "
            "split with a part val."
        )
    return held


def label_lists(y: np.ndarray) -> list[list[int]]:
    """The labels of each row of `Examples.y`."""
    if y.ndim == 2:
        return [np.flatnonzero(row).tolist() for row in y]
    return [[label] for label in y.tolist()]


def draw(
    labels: Sequence[Sequence[int]], units: Sequence[int], fraction: float, seed: int
) -> np.ndarray:
    """Which rows to hold back: bool (N,).

    `labels`: of each row. `units`: what each row must stay together with.

    Units come in an order drawn by the seed; one is held back where that brings the counts of its
    classes nearer to their share (least squares), and where each class keeps a training picture.
    """
    counts: dict[int, Counter[int]] = {}
    left: Counter[int] = Counter()
    for unit, own in zip(units, labels, strict=True):
        counts.setdefault(unit, Counter()).update(own)
        left.update(own)
    wanted = {label: fraction * count for label, count in left.items()}
    chosen = set()
    names = list(counts)
    for index in np.random.default_rng(seed).permutation(len(names)):
        inside = counts[names[index]]
        nearer = sum(n * n - 2 * n * wanted[k] for k, n in inside.items()) < 0
        if nearer and all(left[k] > n for k, n in inside.items()):
            chosen.add(names[index])
            for label, count in inside.items():
                left[label] -= count
                wanted[label] -= count
    return np.array([unit in chosen for unit in units], bool)


def units_of(examples: Examples) -> list[int]:
    """A number for each row, the same for rows tied by a group or a picture, however remotely."""
    parent = list(range(len(examples)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[Hashable, int] = {}
    for row, (group, picture) in enumerate(zip(examples.groups, examples.picture_ids, strict=True)):
        for key in (("picture", picture), ("group", group)):
            if key[1]:
                parent[root(row)] = root(first.setdefault(key, row))
    return [root(row) for row in range(len(examples))]
