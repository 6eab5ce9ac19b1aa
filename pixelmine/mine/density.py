"""The clusters of a density hierarchy: HDBSCAN* (Campello, Moulavi and Sander 2013), from a tree.

A minimum spanning tree of mutual reachability distances is gone through from its shortest edge to
its longest: what hangs together at a distance is a component, and one of `min_size` members is a
cluster. Where two clusters meet, both end in a new one. Its stability is how many members it has
over how long a stretch of density (1 / distance); of a cluster and those within it the more stable
are chosen (excess of mass).

scikit-learn's HDBSCAN takes no graph of neighbours but a dense matrix or a tree of its own making.
Here 10^6 members take seconds: what is gone through is one edge a member.
"""

from dataclasses import dataclass, field

import numpy as np

from pixelmine.index import components, nearest

__all__ = ["Hierarchy", "chosen", "hierarchy", "leaves", "spanning_tree"]

_SHORTEST = 1e-9
"""Of distances: equal vectors have no density but a very high one."""


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """C clusters of N members, each cluster after those within it; the last holds the most.

    `parent`: int64 (C,), -1 for what lies in nothing. `stability`: float64 (C,). `size`: int64
    (C,). `first`: int64 (N,), the smallest cluster that a member lies in, -1 for none.
    """

    parent: np.ndarray = field(repr=False)
    stability: np.ndarray = field(repr=False)
    size: np.ndarray = field(repr=False)
    first: np.ndarray = field(repr=False)

    def members(self, kept: np.ndarray) -> np.ndarray:
        """Which of the clusters `kept`, bool (C,), each member lies in: int64 (N,), -1 for none.

        Of several that lie in each other, the largest.
        """
        within = np.full(len(kept) + 1, -1)  # the last place: of no cluster
        for cluster in range(len(kept) - 1, -1, -1):
            above = within[self.parent[cluster]]
            within[cluster] = cluster if above < 0 and kept[cluster] else above
        return np.asarray(within[self.first])


def spanning_tree(
    vectors: np.ndarray, places: np.ndarray, cosines: np.ndarray, dense: int
) -> tuple[np.ndarray, np.ndarray]:
    """A minimum spanning tree over mutual reachability: (N-1, 2) pairs and their distances.

    `vectors`: float32 (N, D) of length 1. `places`, `cosines`: their nearest, as `index.nearest`
    gives them. The reach of a member is the distance to its `dense`-th nearest. Parts of the graph
    of neighbours that do not hang together are joined by members that are near each other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    count, width = places.shape
    far = np.sqrt(np.maximum(2 - 2 * cosines.astype(np.float64), 0))
    reach = far[:, min(dense, width) - 1]
    known = places.ravel() >= 0
    pairs = np.stack([np.repeat(np.arange(count), width), places.ravel()], axis=1)[known]
    length = np.maximum(far.ravel()[known], reach[pairs].max(axis=1))
    label = components(count, pairs)
    if label.max(initial=0) > 0:
        more, between = _joined(vectors, label)
        pairs = np.concatenate([pairs, more])
        length = np.concatenate([length, np.maximum(between, reach[more].max(axis=1))])
    pairs = np.sort(pairs, axis=1)
    order = np.lexsort((length, pairs[:, 1], pairs[:, 0]))
    pairs, length = pairs[order], length[order]
    first = np.ones(len(pairs), bool)
    first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    pairs, length = pairs[first], length[first]
    graph = coo_array((length + _SHORTEST, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    return np.stack([tree.row, tree.col], axis=1).astype(np.int64), np.asarray(tree.data)


def _joined(vectors: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A pair from the middle of each part to what is nearest to it in the largest."""
    sizes = np.bincount(label)
    largest = int(sizes.argmax())
    inside = np.flatnonzero(label == largest)
    order = np.argsort(label, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    middles = []
    for part in np.flatnonzero(np.arange(len(sizes)) != largest):
        own = order[starts[part] : starts[part] + sizes[part]]
        middles.append(own[np.argmax(vectors[own] @ vectors[own].mean(axis=0))])
    asked = np.array(middles)
    found = nearest(vectors[inside], 1, queries=vectors[asked])
    far = np.sqrt(np.maximum(2 - 2 * found.cosines[:, 0].astype(np.float64), 0))
    return np.stack([asked, inside[found.places[:, 0]]], axis=1), far


def hierarchy(count: int, pairs: np.ndarray, distances: np.ndarray, min_size: int) -> Hierarchy:
    """All clusters of at least `min_size` members, from a spanning tree of `count` members."""
    order = np.argsort(distances, kind="stable")
    density = (1 / np.maximum(distances[order], _SHORTEST)).tolist()
    root, size, cluster = list(range(count)), [1] * count, [-1] * count
    waiting: list[list[int] | None] = [[member] for member in range(count)]
    first = np.full(count, -1)
    parent: list[int] = []
    stability: list[float] = []
    sizes: list[int] = []

    def top(member: int) -> int:
        while root[member] != member:
            root[member] = member = root[root[member]]
        return member

    for (one, two), dense in zip(pairs[order].tolist(), density, strict=True):
        large, small = top(one), top(two)
        if size[large] < size[small]:
            large, small = small, large
        both = size[large] + size[small]
        here, there = cluster[large], cluster[small]
        if here < 0:
            kept = waiting[large] or []
            kept.extend(waiting[small] or [])
            if both >= min_size:
                cluster[large] = len(parent)
                first[kept] = len(parent)
                parent.append(-1)
                stability.append(dense * both)
                sizes.append(both)
                waiting[large] = None
        elif there < 0:
            first[waiting[small]] = here
            stability[here] += dense * size[small]
            sizes[here] += size[small]
        else:
            for ended in (here, there):
                parent[ended] = len(parent)
                stability[ended] -= dense * sizes[ended]
            cluster[large] = len(parent)
            parent.append(-1)
            stability.append(dense * both)
            sizes.append(both)
        waiting[small] = None
        root[small] = large
        size[large] = both
    return Hierarchy(
        parent=np.array(parent, np.int64),
        stability=np.array(stability),
        size=np.array(sizes, np.int64),
        first=first,
    )


def chosen(found: Hierarchy) -> np.ndarray:
    """Which clusters are the most stable, none within another and never that of all: bool (C,)."""
    best = found.stability.copy()
    inner = np.zeros(len(best))
    has = np.zeros(len(best), bool)
    taken = np.zeros(len(best), bool)
    for cluster, parent in enumerate(found.parent):  # those within come before
        taken[cluster] = parent >= 0 and (not has[cluster] or best[cluster] >= inner[cluster])
        if not taken[cluster] and has[cluster]:
            best[cluster] = inner[cluster]
        if parent >= 0:
            inner[parent] += best[cluster]
            has[parent] = True
    covered = np.zeros(len(best) + 1, bool)
    for cluster in range(len(best) - 1, -1, -1):
        above = covered[found.parent[cluster]] or (
            found.parent[cluster] >= 0 and taken[found.parent[cluster]]
        )
        covered[cluster] = above
        taken[cluster] &= not above
    return taken


def leaves(found: Hierarchy) -> np.ndarray:
    """Which clusters hold no other: bool (C,)."""
    inner = np.ones(len(found.parent) + 1, bool)
    inner[found.parent] = False
    return inner[:-1]
