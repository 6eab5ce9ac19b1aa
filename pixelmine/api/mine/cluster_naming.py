"""Names for clusters, from all that a collection knows of their pictures."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pixelmine.api.predicted import read_logits
from pixelmine.api.thumbnails import Thumbnails
from pixelmine.core.errors import CollectionError
from pixelmine.core.processors import processors
from pixelmine.mine.cluster_words import Counts, Word, WordOptions, name_of, subjects_of, words_of
from pixelmine.mine.clusters import Clusters
from pixelmine.mine.colour_words import COLOURS, main_colours
from pixelmine.mine.items import Attribute, Item, ItemOptions, make_items
from pixelmine.store import Collection

from .attributes import attributes
from .measures import read_measures
from .pile import Embedded, predicted_labels

__all__ = ["Named", "name_nodes"]

_LOOKS = {
    "brightness": ("dark", "bright"),
    "colourfulness": ("pale", "colourful"),
    "contrast": ("low in contrast", "high in contrast"),
    "sharpness": ("blurred or plain", "full of detail"),
}
"""A measure, and what its lowest and highest fifth in the collection are called."""
_FIFTH = 0.2
_MIXED = "mixed"
_SUBJECTS = 3
_LEFT_OUT = ("group",)
"""Who sent a picture is no name for what it shows."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A name and the words of each node; `tried`: how many words were tried in all."""

    names: list[str]
    words: list[list[Word]]
    tried: int


def name_nodes(
    collection: Collection,
    seen: Embedded,
    found: Clusters,
    shown: Sequence[np.ndarray],
    options: WordOptions,
) -> Named:
    """Name the nodes of `found`; `shown`: places of the representatives of each."""
    if not found.nodes:
        return Named(names=[], words=[], tried=0)
    predicted = predicted_labels(collection, seen)[0] if _speaks(collection, seen) else None
    known = attributes(collection, seen.rows, predicted)
    known = [one for one in known if one.name not in _LEFT_OUT]
    counts = [*_counted(known, found), *_looks(collection, seen, found)]
    counts.append(_colours(collection, seen, shown))
    counts = [one for one in counts if len(one.words)]
    words = words_of(counts, options)
    tried = sum(len(one.words) for one in counts) * len(found.nodes)
    return Named(names=_apart(words, found), words=words, tried=tried)


def _speaks(collection: Collection, seen: Embedded) -> bool:
    """Whether the model's answers are there, and are words: not numbers of classes."""
    if all(label.isdigit() for label in seen.stage.bundle.card.labels):
        return False
    return bool(read_logits(collection, seen.stage, seen.pictures[:1]))


def _counted(known: Sequence[Attribute], found: Clusters) -> list[Counts]:
    """By kind, each item in each node."""
    items = make_items(known, ItemOptions(support=1e-4, least=5, items=3_000))
    total = len(found.cluster)
    members = _membership(found)
    inside = np.asarray((members @ items.matrix.astype(np.int64)).todense())
    kinds = sorted({item.kind for item in items.items})
    return [
        Counts(
            kind=kind,
            words=[_said(item) for item in items.items if item.kind == kind],
            total=total,
            known=np.array([item.count for item in items.items if item.kind == kind]),
            sizes=np.array([node.pictures for node in found.nodes]),
            inside=inside[:, [item.kind == kind for item in items.items]],
        )
        for kind in kinds
    ]


def _membership(found: Clusters) -> "object":
    """(K, N): which pictures a node has; sparse, of int64."""
    from scipy.sparse import csr_array

    members = [found.members(node) for node in found.nodes]
    ends = np.cumsum([0, *map(len, members)])
    places = np.concatenate(members)
    shape = (len(members), len(found.cluster))
    return csr_array((np.ones(len(places), np.int64), places, ends), shape=shape)


def _said(item: Item) -> str:
    """`Dress`, `format = png`."""
    return str(item) if item.kind == "circumstance" else item.value


def _looks(collection: Collection, seen: Embedded, found: Clusters) -> list[Counts]:
    """What lies in the lowest or the highest fifth of a measure of quality."""
    try:
        measures = read_measures(collection, seen.pictures)
    except CollectionError:  # an older collection has none: there are other words
        return []
    has: dict[str, np.ndarray] = {}
    for name, (low, high) in _LOOKS.items():
        values = measures[name].to_numpy().astype(np.float64)
        if np.isfinite(values).sum() < len(values) / 2:
            continue
        bottom, top = np.nanquantile(values, [_FIFTH, 1 - _FIFTH])
        if bottom < top:
            has[low], has[high] = values <= bottom, values >= top
    if not has:
        return []
    matrix = np.stack(list(has.values()), axis=1)
    return [
        Counts(
            kind="look",
            words=list(has),
            total=len(matrix),
            known=matrix.sum(axis=0),
            sizes=np.array([node.pictures for node in found.nodes]),
            inside=np.stack([matrix[found.members(node)].sum(axis=0) for node in found.nodes]),
        )
    ]


def _colours(collection: Collection, seen: Embedded, shown: Sequence[np.ndarray]) -> Counts:
    """The main colours of the representatives, against those of all others' representatives."""
    places = sorted({int(place) for some in shown for place in some})
    row = {place: number for number, place in enumerate(places)}
    rows = seen.rows.take(pa.array(places)).to_pylist()
    thumbnails = Thumbnails.of_rows(rows, collection.bytes)
    with ThreadPoolExecutor(processors()) as pool:
        words = list(pool.map(lambda at: main_colours(thumbnails.at(at)), range(len(rows))))
    matrix = np.array([[colour in some for colour in COLOURS] for some in words])
    return Counts(
        kind="colour",
        words=COLOURS,
        total=len(matrix),
        known=matrix.sum(axis=0),
        sizes=np.array([len(some) for some in shown]),
        inside=np.stack([matrix[[row[int(p)] for p in some]].sum(axis=0) for some in shown]),
    )


def _apart(words: Sequence[Sequence[Word]], found: Clusters) -> list[str]:
    """A name for each node, two of one level never the same where words can tell them apart.

    A group is called by what the largest clusters in it show.
    """
    names = [name_of(some) or _MIXED for some in words]
    for node in found.nodes:
        if node.level == 1:
            inside = [other.node for other in found.nodes if other.parent == node.node]
            shown = dict.fromkeys(one for number in inside for one in subjects_of(words[number]))
            names[node.node] = ", ".join(list(shown)[:_SUBJECTS]) or _MIXED
    for level in (1, 2, 3):
        _tell_apart(names, words, [node.node for node in found.nodes if node.level == level])
    return names


def _tell_apart(names: list[str], words: Sequence[Sequence[Word]], nodes: list[int]) -> None:
    """More words for those of one name, then numbers."""
    for others in (2, 3):
        same = Counter(names[node] for node in nodes)
        for node in nodes:
            if same[names[node]] > 1 and names[node].startswith(name_of(words[node]) or "?"):
                names[node] = name_of(words[node], others)
    taken: Counter[str] = Counter()
    for node in nodes:
        taken[names[node]] += 1
        if taken[names[node]] > 1:
            names[node] = f"{names[node]} ({taken[names[node]]})"
