"""The cells that embeddings are counted in: k-means on their principal directions, with names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Space", "cell_names", "families", "family_names", "make_space"]

_DIMENSIONS = 64
"""Principal directions: of Lite0's 1,280 they keep about three quarters of the variance."""
_SAMPLE = 20_000
_FEWEST, _MOST, _EACH = 20, 100, 200
"""Cells: one for each so many pictures, between the two."""
_LEAST = 30
"""Pictures of a cell on average, where so few make fewer cells than 20: with less, a cell would
have to double to be told from chance."""
_TOLD_BY = 0.02
"""Least information, in nats, by which a label must tell a cell from the rest to name it."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """`middle` float32 (D,), `directions` float32 (D, R), `centres` float32 (K, R).

    Made without knowing which picture is of which side. All directions are scaled by one number,
    so that the mean variance of a projected dimension is 1.
    """

    middle: np.ndarray = field(repr=False)
    directions: np.ndarray = field(repr=False)
    centres: np.ndarray = field(repr=False)

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """float32 (N, D) to float32 (N, R)."""
        return np.asarray((vectors - self.middle) @ self.directions, np.float32)

    def cells(self, projected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest centre of each, int64 (N,), and the squared distance to it."""
        import faiss

        index = faiss.IndexFlatL2(self.centres.shape[1])
        index.add(np.ascontiguousarray(self.centres, np.float32))
        distances, at = index.search(np.ascontiguousarray(projected, np.float32), 1)
        return at[:, 0].astype(np.int64), distances[:, 0]


def make_space(vectors: np.ndarray, cells: int | None, seed: int) -> Space:
    """Fit to float32 (N, D), N >= 1; `cells`: None for a number by N."""
    import faiss
    from sklearn.utils.extmath import randomized_svd

    count = len(vectors)
    sample = np.random.default_rng(seed).permutation(count)[:_SAMPLE]
    some = vectors[np.sort(sample)]
    middle = some.mean(axis=0)
    kept = min(_DIMENSIONS, *some.shape)
    _, spread, directions = randomized_svd(some - middle, kept, n_iter=4, random_state=seed)
    scale = max(float(np.sqrt(np.square(spread).mean() / len(some))), 1e-6)
    space = Space(
        middle=middle.astype(np.float32),
        directions=np.ascontiguousarray(directions.T / scale, np.float32),
        centres=np.zeros((1, kept), np.float32),
    )
    projected = space.project(vectors)
    wanted = cells or max(1, min(max(count // _EACH, min(_FEWEST, count // _LEAST)), _MOST))
    means = faiss.Kmeans(
        projected.shape[1],
        min(wanted, count),
        niter=20,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=500,
    )
    means.train(np.ascontiguousarray(projected))
    return Space(
        middle=space.middle, directions=space.directions, centres=np.array(means.centroids)
    )


def families(centres: np.ndarray) -> list[tuple[int, ...]]:
    """Neighbouring cells taken together, a quarter as many, by Ward's method; none of one cell.

    What grows in several cells that are alike grows too little in each to be told from chance.
    """
    from scipy.cluster.hierarchy import fcluster, ward

    if len(centres) < _FEWEST:
        return []
    family = fcluster(ward(centres.astype(np.float64)), len(centres) // 4, "maxclust")
    found = [tuple(np.flatnonzero(family == one).tolist()) for one in np.unique(family)]
    return [cells for cells in found if len(cells) > 1]


def cell_names(
    cells: np.ndarray, many: int, labels: Sequence[Sequence[Sequence[str]]]
) -> list[str]:
    """A name for each of `many` cells, by what tells its pictures from the others most.

    `cells`: int64 (N,). `labels`: kinds of labels, each with those of N pictures; the name has the
    best of each kind, or the number of the cell where none tells it.
    """
    parts: list[list[str]] = [[] for _ in range(many)]
    for kind in labels:
        overall = Counter(value for values in kind for value in values)
        inside: list[Counter[str]] = [Counter() for _ in range(many)]
        for cell, values in zip(cells, kind, strict=True):
            inside[cell].update(values)
        sizes = np.bincount(cells, minlength=many)
        for cell, counts in enumerate(inside):
            told = [
                (share * np.log(share * len(cells) / overall[value]), value)
                for value, found in counts.items()
                if (share := found / sizes[cell])
            ]
            if told and (best := max(told))[0] > _TOLD_BY and best[1] not in parts[cell]:
                parts[cell].append(best[1])
    return [" / ".join(part) or f"cell {number}" for number, part in enumerate(parts, 1)]


def family_names(
    groups: Sequence[tuple[int, ...]], cells: np.ndarray, labels: Sequence[Sequence[Sequence[str]]]
) -> dict[str, tuple[int, ...]]:
    """Families by name, as `cell_names` names cells."""
    found: dict[str, tuple[int, ...]] = {}
    for group in groups:
        inside = np.isin(cells, group).astype(np.int64)
        name = cell_names(inside, 2, labels)[1] if inside.any() else "cell 2"
        name = f"{len(group)} cells" if name == "cell 2" else f"{name}, {len(group)} cells"
        while name in found:
            name += " more"
        found[name] = group
    return found
