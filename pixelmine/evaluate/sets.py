"""Whether sets of answers hold the truth as often as they promise, and how large they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .interval import Rate

__all__ = ["SetResult", "evaluate_sets"]


@dataclass(frozen=True, kw_only=True)
class SetResult:
    """`coverage`: sets that hold the truth. `mean_size`: in labels. `sizes`: pictures by size.

    `class_coverage`: by label, where it has a picture: a promise kept on the whole may be broken
    for one class.
    """

    coverage: Rate
    mean_size: float
    sizes: Mapping[int, int]
    class_coverage: Mapping[str, Rate]

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "coverage": self.coverage.to_dict(),
            "mean_size": self.mean_size,
            "sizes": {str(size): count for size, count in self.sizes.items()},
            "class_coverage": {name: r.to_dict() for name, r in self.class_coverage.items()},
        }


def evaluate_sets(labels: tuple[str, ...], truth: np.ndarray, sets: np.ndarray) -> SetResult:
    """Measure conformal prediction sets. `truth`: (N,) int; `sets`: (N, K) bool, what is in each.

    Coverage is as in A. N. Angelopoulos, S. Bates, "A gentle introduction to conformal prediction",
    arXiv 2107.07511 (2021), section 4.
    """
    held, sizes = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
    found, counts = np.unique(sizes, return_counts=True)
    return SetResult(
        coverage=Rate(hits=int(held.sum()), pictures=len(held)),
        mean_size=float(sizes.mean()),
        sizes={int(size): int(count) for size, count in zip(found, counts, strict=True)},
        class_coverage={
            labels[k]: Rate(hits=int(held[truth == k].sum()), pictures=int((truth == k).sum()))
            for k in np.unique(truth)
        },
    )
