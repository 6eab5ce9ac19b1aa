"""Which pictures to label next, so that a batch of labels brings most.

N pictures, of which some have one of K labels. Without labels those are taken that stand for most
of the others (k-means, and of each cluster the picture nearest to its middle: Hacohen, Dekel and
Weinshall, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets", ICML 2022).
With labels, those that the models are unsure of and that differ from each other: k-means++ on the
gradients that their most probable labels would give (Ash et al., "Deep Batch Active Learning by
Diverse, Uncertain Gradient Lower Bounds", ICLR 2020, BADGE). The probabilities are the mean of a
linear head's and of the labelled neighbours' votes, so that pictures on which the two disagree are
unsure pictures too.
"""

from dataclasses import dataclass, field

import numpy as np

from pixelmine.index import nearest

from .out_of_fold import NEIGHBOURS, head_probabilities, vote

__all__ = ["Chosen", "choose_next", "choose_typical"]

_CANDIDATES = 50_000
"""Of more unlabelled pictures the most unsure are looked at: each choice passes over them all."""

_PER_CLUSTER = 256
"""Pictures that a cluster is learnt from, at most."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """C pictures to label, in the order in which they were taken.

    `places`: int64 (C,). `suggested`: int64 (C,), the most probable label, -1 without labels.
    `probability`: float32 (C,), its, NaN without. `uncertainty`: float32 (C,), 0 to 1: one minus
    the margin to the second. `disagreement`: float32 (C,), 0 to 1: the part of the probability that
    the head and the neighbours give to different labels.
    """

    places: np.ndarray
    suggested: np.ndarray = field(repr=False)
    probability: np.ndarray = field(repr=False)
    uncertainty: np.ndarray = field(repr=False)
    disagreement: np.ndarray = field(repr=False)


def choose_next(
    vectors: np.ndarray,
    y: np.ndarray,
    units: np.ndarray,
    count: int,
    *,
    classes: int,
    seed: int = 0,
) -> Chosen:
    """At most `count` of the pictures without a label.

    `vectors`: float32 (N, D), each of length 1. `y`: int64 (N,), 0 to `classes` - 1, -1 without a
    label. `units`: int64 (N,), equal for copies: of those one is taken, and none whose copy has a
    label, as long as there are others.
    """
    free = _one_of_each(y, units)
    if len(free) < count:
        rest = np.setdiff1d(np.flatnonzero(y < 0), free)
        free = np.concatenate([free, rest[: count - len(free)]])
    known = np.flatnonzero(y >= 0)
    count = min(count, len(free))
    if len(np.unique(y[known])) < 2:
        picked = free[choose_typical(vectors[free], count, seed=seed)]
        nothing = np.full(count, np.nan, np.float32)
        return Chosen(
            places=picked,
            suggested=np.full(count, -1),
            probability=nothing,
            uncertainty=nothing,
            disagreement=nothing,
        )
    head = head_probabilities(vectors[known], y[known], vectors[free], classes)
    near = nearest(vectors[known], min(NEIGHBOURS, len(known)), queries=vectors[free], seed=seed)
    votes = vote(near.places, near.cosines, y[known], classes)
    both = (head + votes) / 2
    ordered = np.sort(both, axis=1)
    uncertainty = 1 - (ordered[:, -1] - ordered[:, -2])
    some = np.sort(np.argsort(-uncertainty, kind="stable")[:_CANDIDATES])
    at = some[_diverse(vectors[free[some]], both[some], count, seed)]
    return Chosen(
        places=free[at],
        suggested=both[at].argmax(axis=1),
        probability=both[at].max(axis=1),
        uncertainty=uncertainty[at].astype(np.float32),
        disagreement=(np.abs(head[at] - votes[at]).sum(axis=1) / 2).astype(np.float32),
    )


def choose_typical(vectors: np.ndarray, count: int, *, seed: int = 0) -> np.ndarray:
    """At most `count` places, each nearest to the middle of a cluster; large clusters first."""
    import faiss

    if len(vectors) <= count:
        return np.arange(len(vectors))
    clusters = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=20,
        seed=seed + 1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=_PER_CLUSTER,
    )
    clusters.train(np.ascontiguousarray(vectors), init_centroids=_spread(vectors, count, seed))
    away, cluster = clusters.index.search(np.ascontiguousarray(vectors), 1)
    cluster, closeness = cluster[:, 0], away[:, 0]
    order = np.lexsort([np.arange(len(vectors)), -closeness, cluster])
    names, first, sizes = np.unique(cluster[order], return_index=True, return_counts=True)
    chosen = order[first][np.argsort(-sizes, kind="stable")]
    if len(names) < count:  # a cluster was empty
        rest = np.setdiff1d(np.arange(len(vectors)), chosen)
        chosen = np.concatenate([chosen, rest[: count - len(names)]])
    return np.asarray(chosen)


def _spread(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Float32 (count, D) to begin with: k-means++ (Arthur and Vassilvitskii, SODA 2007)."""
    random = np.random.default_rng(seed)
    some = random.permutation(len(vectors))[: _PER_CLUSTER * count]
    sample = vectors[np.sort(some)]
    chosen = [int(random.integers(len(sample)))]
    away = np.full(len(sample), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, np.maximum(1 - sample @ sample[chosen[-1]], 0))
        away[chosen] = 0
        total = float(away.sum())
        left = np.setdiff1d(np.arange(len(sample)), chosen)
        chosen.append(int(random.choice(len(away), p=away / total)) if total > 0 else int(left[0]))
    return np.ascontiguousarray(sample[chosen])


def _one_of_each(y: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The first picture of each unit that has no label at all."""
    free = np.flatnonzero(~np.isin(units, units[y >= 0]))
    return free[np.sort(np.unique(units[free], return_index=True)[1])]


def _diverse(vectors: np.ndarray, probabilities: np.ndarray, count: int, seed: int) -> np.ndarray:
    """K-means++ on the gradients (p - its best label) x vector, without writing them down."""
    random = np.random.default_rng(seed)
    error = probabilities.copy()
    error[np.arange(len(error)), error.argmax(axis=1)] -= 1
    size = (error**2).sum(axis=1) * (vectors**2).sum(axis=1)
    chosen = [int(size.argmax())]
    away = np.full(len(vectors), np.inf)
    free = np.ones(len(vectors), bool)
    while True:
        last = chosen[-1]
        free[last] = False
        if len(chosen) == count:
            return np.array(chosen)
        product = (error @ error[last]) * (vectors @ vectors[last])
        away = np.minimum(away, np.maximum(size + size[last] - 2 * product, 0))
        weight = np.where(free, away, 0)
        total = float(weight.sum())
        if total > 0:
            chosen.append(int(random.choice(len(weight), p=weight / total)))
        else:
            chosen.append(int(free.argmax()))
