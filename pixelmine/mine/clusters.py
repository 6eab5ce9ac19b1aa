"""N pictures as clusters within groups: what lies densely together, and what belongs to nothing.

The nearest neighbours of each, by cosine (`index.nearest`), give few coordinates (`spectral`), and
these a density hierarchy, of which the most stable clusters are taken (`density`). An odd picture
joins a cluster that most of its neighbours are in. Clusters that are near each other (Ward's
linkage of their middles) are a group; those within a cluster that hold no other are its parts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import NamedTuple

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.index import nearest

from .density import chosen, hierarchy, leaves, spanning_tree
from .landmarks import MOST, among, graph, sampled
from .principal import reduce, unit
from .spectral import spectral

__all__ = ["ClusterOptions", "Clusters", "Node", "find_clusters"]

_DIRECTIONS = 64
"""Numbers of each of many vectors that its neighbours are looked for by: a quarter of the time that
256 take, and on 5,755 photographs clusters that match their labels as well."""
_ROUNDS = 10
"""Of joining those around: later rounds move few."""
_LEAST = 5
_WIDEST = 100
"""Dimensions of the spectrum at most, one more for each piece of the graph."""


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """How pictures are divided.

    `min_size`: pictures of a cluster at least; None is half the square root of those that are
    divided, 20,000 of many (38 of 5,755, 3,536 of 10^6), at least 5. A smaller one than 5 of those
    that are divided finds no more. `neighbours`: of each picture in the graph; 15 keep 5,755
    photographs in one piece. `dense`: the neighbour whose distance tells the density. `dimensions`:
    of the spectrum. On 5,755 photographs with 17 labels, 8 to 30 dimensions, 5 to 15 for `dense`
    and 20 to 60 for `min_size` gave 18 to 26 clusters and an adjusted mutual information with the
    labels of .62 to .66 of those in clusters before the ones around join (2026-11).
    """

    min_size: int | None = None
    neighbours: int = 15
    dense: int = 5
    dimensions: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        if self.min_size is not None and self.min_size < 2:
            raise UsageError(f"A cluster has at least 2 pictures. Got {self.min_size} instead.")
        if not 1 <= self.dense <= self.neighbours or self.dimensions < 2:
            raise UsageError("dense must be 1 to neighbours, and dimensions at least 2.")

    def least(self, count: int) -> int:
        """Pictures of a cluster, of `count` in all."""
        if self.min_size is not None:
            return self.min_size
        divided = min(count, MOST)
        return max(_LEAST, round(sqrt(divided) / 2 * max(1, count / MOST)))


@dataclass(frozen=True, kw_only=True)
class Node:
    """A group (`level` 1), a cluster (2) or a part of one (3). `parent`: the node that it lies in.

    `pictures`: how many; groups and clusters are numbered from the largest.
    """

    node: int
    level: int
    parent: int | None
    pictures: int


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """`nodes` by number; N pictures by where they lie.

    `cluster`, `group`, `part`: int64 (N,), a node's number, or -1. `nearest`: the cluster, or the
    nearest one, where there is any. `probability`: float32 (N,), share of a picture's neighbours
    that are in that cluster. `space`: float32 (N, dimensions), rows of length 1.
    """

    nodes: tuple[Node, ...]
    cluster: np.ndarray = field(repr=False)
    group: np.ndarray = field(repr=False)
    part: np.ndarray = field(repr=False)
    nearest: np.ndarray = field(repr=False)
    probability: np.ndarray = field(repr=False)
    space: np.ndarray = field(repr=False)
    min_size: int

    def members(self, node: Node) -> np.ndarray:
        """Places of a node's pictures, int64, rising."""
        of = {1: self.group, 2: self.cluster, 3: self.part}[node.level]
        return np.flatnonzero(of == node.node)


def find_clusters(
    vectors: np.ndarray,
    options: ClusterOptions | None = None,
    told: Callable[[str], None] = lambda _step: None,
) -> Clusters:
    """Divide float32 (N, D) vectors of length 1. `told`: is given the name of each step."""
    options = options or ClusterOptions()
    count, least = len(vectors), options.least(len(vectors))
    if count < max(2 * least, 4):
        return _nothing(count, least)
    told("neighbours")
    short = reduce(vectors, _DIRECTIONS) if count > MOST else vectors
    chosen_ones = sampled(short, max(_LEAST, least * min(MOST, count) // count), options.seed)
    few = max(_LEAST, round(least * len(chosen_ones) / count))
    found = graph(short[chosen_ones], options.neighbours, few)
    if len(found.inside) < 2 * few:
        return _nothing(count, least)
    told("spectrum")
    dimensions = min(options.dimensions + found.pieces - 1, _WIDEST)
    space = spectral(found.places, found.cosines, dimensions, options.seed)
    told("density")
    cluster, part, places = _divided(space, options, few, found.places.shape[1])
    told("join")
    cluster = _numbered(_join(cluster, places))
    closest, probability = _closest(cluster, places, space)
    core = _Placed(cluster, part, closest, probability, space)
    inside = chosen_ones[found.inside]
    whole = _with_others(core, short, inside, options.neighbours)
    return _numbered_through(whole, least)


class _Placed(NamedTuple):
    """Of M pictures: `cluster`, `part` and `closest`, from 0, -1 for none; the rest as Clusters."""

    cluster: np.ndarray
    part: np.ndarray
    closest: np.ndarray
    probability: np.ndarray
    space: np.ndarray


def _nothing(count: int, least: int) -> Clusters:
    nothing = np.full(count, -1)
    return Clusters(
        nodes=(),
        cluster=nothing,
        group=nothing,
        part=nothing,
        nearest=nothing,
        probability=np.zeros(count, np.float32),
        space=np.ones((count, 1), np.float32),
        min_size=least,
    )


def _divided(
    space: np.ndarray, options: ClusterOptions, least: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cluster and the part of each, and its neighbours in these coordinates."""
    places, cosines = nearest(space, min(width, len(space) - 1), seed=options.seed)
    dense = options.dense * width // options.neighbours
    pairs, distances = spanning_tree(space, places, cosines, dense)
    found = hierarchy(len(space), pairs, distances, least)
    cluster = found.members(chosen(found))
    part = np.where(cluster >= 0, found.members(leaves(found)), -1)
    part[part == cluster] = -1
    return cluster, part, places


def _with_others(core: _Placed, vectors: np.ndarray, inside: np.ndarray, width: int) -> _Placed:
    """All N pictures: one that took no part is where more than half of its nearest are."""
    count = len(vectors)
    if len(inside) == count:
        return core
    others = np.setdiff1d(np.arange(count), inside, assume_unique=True)
    near, weight = among(vectors, inside, others, width)
    cluster, part, closest = (np.full(count, -1) for _ in range(3))
    probability = np.zeros(count, np.float32)
    space = np.empty((count, core.space.shape[1]), np.float32)
    cluster[inside], part[inside], closest[inside] = core.cluster, core.part, core.closest
    probability[inside], space[inside] = core.probability, core.space
    space[others] = unit(np.einsum("okd,ok->od", core.space[near[:, :3]], weight[:, :3]))
    best, most = _votes(core.cluster, near, np.arange(len(others)))
    joins = 2 * most > near.shape[1]
    cluster[others] = np.where(joins, best, -1)
    nearer = core.closest[near[:, 0]]
    closest[others] = np.where(best >= 0, best, nearer)
    probability[others] = (core.cluster[near] == closest[others][:, None]).mean(axis=1)
    inner, most = _votes(core.part, near, np.arange(len(others)))
    fits = joins & (2 * most > near.shape[1])
    part[others] = np.where(fits, inner, -1)
    return _Placed(cluster, part, closest, probability, space)


def _numbered_through(placed: _Placed, least: int) -> Clusters:
    """By falling size, group by group: what was numbered before the others came is no more."""
    cluster = _numbered(placed.cluster)
    closest = _renamed(placed.cluster, cluster)[placed.closest]
    levels = (_groups(cluster, placed.space), cluster, _numbered(placed.part))
    nodes, starts = _nodes(levels)
    group, cluster, part, closest = (
        np.where(label >= 0, label + start, -1)
        for label, start in zip((*levels, closest), (*starts, starts[1]), strict=True)
    )
    return Clusters(
        nodes=nodes,
        cluster=cluster,
        group=group,
        part=part,
        nearest=closest,
        probability=placed.probability,
        space=placed.space,
        min_size=least,
    )


def _renamed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What each old label is now; the last place, which -1 names, is -1."""
    known = np.full(before.max(initial=-1) + 2, -1)
    known[before[before >= 0]] = after[before >= 0]
    return known


def _numbered(label: np.ndarray) -> np.ndarray:
    """The labels from 0 by falling size, ties by what they were; -1 stays."""
    known, place, counts = np.unique(label[label >= 0], return_inverse=True, return_counts=True)
    rank = np.empty(len(known), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(known))
    found = np.full(len(label), -1)
    found[label >= 0] = rank[place]
    return found


def _votes(cluster: np.ndarray, places: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each of `rows`: the cluster that most of its neighbours are in, and how many are."""
    said = np.sort(np.where(places[rows] >= 0, cluster[places[rows]], -1), axis=1)
    best = np.full(len(rows), -1)
    most = np.zeros(len(rows), np.int64)
    run = np.zeros(len(rows), np.int64)
    for column in range(said.shape[1]):
        same = said[:, column] == said[:, column - 1] if column else np.zeros(len(rows), bool)
        run = np.where(same, run + 1, 1)
        better = (said[:, column] >= 0) & (run > most)
        best[better], most[better] = said[better, column], run[better]
    return best, most


def _join(cluster: np.ndarray, places: np.ndarray) -> np.ndarray:
    """An odd one joins a cluster that more than half of its neighbours are in, round by round."""
    cluster = cluster.copy()
    for _ in range(_ROUNDS):
        odd = np.flatnonzero(cluster < 0)
        best, most = _votes(cluster, places, odd)
        joins = 2 * most > places.shape[1]
        if not joins.any():
            break
        cluster[odd[joins]] = best[joins]
    return cluster


def _closest(
    cluster: np.ndarray, places: np.ndarray, space: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each, or the nearest one, and the share of its neighbours that are in it."""
    closest = cluster.copy()
    if (cluster < 0).all():
        return closest, np.zeros(len(cluster), np.float32)
    odd = np.flatnonzero(cluster < 0)
    closest[odd] = _votes(cluster, places, odd)[0]
    lost = np.flatnonzero(closest < 0)
    closest[lost] = np.argmax(space[lost] @ _middles(cluster, space).T, axis=1)
    share = ((cluster[places] == closest[:, None]) & (places >= 0)).mean(axis=1)
    return closest, share.astype(np.float32)


def _middles(label: np.ndarray, space: np.ndarray) -> np.ndarray:
    """The mean of each label's rows, of length 1."""
    known = label >= 0
    total = np.zeros((label.max() + 1, space.shape[1]))
    np.add.at(total, label[known], space[known])
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30))


def _groups(cluster: np.ndarray, space: np.ndarray) -> np.ndarray:
    """The group of each picture, by its cluster; a cluster that lies alone is in none.

    About as many groups as clusters in a group.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    count = int(cluster.max(initial=-1)) + 1
    if count < 4:
        return np.full(len(cluster), -1)
    tree = linkage(_middles(cluster, space), "ward")
    label = fcluster(tree, max(2, round(np.sqrt(count))), "maxclust")
    label = np.where(np.bincount(label)[label] > 1, label, -1)
    return _numbered(np.where(cluster >= 0, label[cluster], -1))


def _nodes(levels: tuple[np.ndarray, ...]) -> tuple[tuple[Node, ...], tuple[int, ...]]:
    """The nodes of all levels, numbered through, and the number that each level starts at."""
    nodes: list[Node] = []
    starts: list[int] = []
    above, first = np.full(len(levels[0]), -1), 0
    for level, label in enumerate(levels, 1):
        starts.append(len(nodes))
        inside = np.flatnonzero(label >= 0)
        sizes = np.bincount(label[inside])
        one_of = np.zeros(len(sizes), np.int64)
        one_of[label[inside]] = inside
        parents = [int(above[picture]) for picture in one_of]
        nodes += [
            Node(
                node=starts[-1] + number,
                level=level,
                parent=None if parent < 0 else first + parent,
                pictures=int(size),
            )
            for number, (size, parent) in enumerate(zip(sizes, parents, strict=True))
        ]
        above, first = label, starts[-1]
    return tuple(nodes), tuple(starts)
