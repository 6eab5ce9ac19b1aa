"""What sets a cluster apart, in words that no chance has put there.

A word is something that a picture has or has not: a label, the answer of a model, a measure far to
one side, a value of its table. A word stands for a cluster if it is more frequent inside than among
all by an exact test (hypergeometric), corrected by Holm's method for all words of all clusters that
are tried, and by an amount that matters: `lift` and `share`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelmine.core.checks import check_positive

__all__ = ["KINDS", "Counts", "Word", "WordOptions", "name_of", "subjects_of", "words_of"]

KINDS = ("label", "predicted", "colour", "look", "quality", "circumstance")
"""What words are about, in the order in which they are told: what a picture shows comes first."""

_SHOWN = ("label", "predicted")
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class WordOptions:
    """When a word is told of a cluster.

    `level`: chance of any false word in all clusters. `lift`: times as frequent as among all, at
    least; 1.5. `share`: of the cluster's pictures, at least; a fifth.
    """

    level: float = 0.05
    lift: float = 1.5
    share: float = 0.2

    def __post_init__(self) -> None:
        check_positive("level", self.level, 1)
        check_positive("share", self.share, 1)
        check_positive("lift", self.lift)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How often M words of one kind come, in all and in each of K clusters.

    `words`: M names. `total`: pictures in all, of which `known`, int64 (M,), have the word.
    `sizes`: int64 (K,), pictures of each cluster; `inside`: int64 (K, M), of them with the word.
    """

    kind: str
    words: Sequence[str]
    total: int
    known: np.ndarray
    sizes: np.ndarray
    inside: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Word:
    """`share`: of the cluster's pictures that have it. `lift`: times as often as among all.

    `p_value`: exact, corrected for all words of all clusters. `of`: pictures that were looked at.
    """

    kind: str
    word: str
    share: float
    lift: float
    p_value: float
    of: int


def words_of(counts: Sequence[Counts], options: WordOptions | None = None) -> list[list[Word]]:
    """The words of each of K clusters: by kind, and within one by share times log lift."""
    from scipy.stats import hypergeom

    options = options or WordOptions()
    if not counts:
        return []
    clusters = len(counts[0].sizes)
    chances = [
        hypergeom.sf(one.inside - 1, one.total, one.known[None, :], one.sizes[:, None])
        for one in counts
    ]
    flat = np.concatenate([chance.ravel() for chance in chances])
    corrected = np.split(_holm(flat), np.cumsum([chance.size for chance in chances])[:-1])
    found: list[list[tuple[float, Word]]] = [[] for _ in range(clusters)]
    for one, chance in zip(counts, corrected, strict=True):
        chance = chance.reshape(one.inside.shape)
        share = one.inside / np.maximum(one.sizes, 1)[:, None]
        lift = share / np.maximum(one.known / max(one.total, 1), 1e-30)
        stands = (chance <= options.level) & (lift >= options.lift) & (share >= options.share)
        for cluster, word in zip(*(places.tolist() for places in np.nonzero(stands)), strict=True):
            found[cluster].append(
                (
                    float(share[cluster, word] * np.log(lift[cluster, word])),
                    Word(
                        kind=one.kind,
                        word=one.words[word],
                        share=round(float(share[cluster, word]), 4),
                        lift=round(float(lift[cluster, word]), 3),
                        p_value=float(chance[cluster, word]),
                        of=int(one.sizes[cluster]),
                    ),
                )
            )
    return [
        [word for _, word in sorted(some, key=lambda one: (KINDS.index(one[1].kind), -one[0]))]
        for some in found
    ]


def name_of(words: Sequence[Word], others: int = 1) -> str:
    """`Dress, mostly white`: what is shown, then `others` things that set it apart; else empty.

    A label comes before the answer of a model, which says what the pictures show where no label
    stands, and else what more than half of them look like. `mostly`: more than half of the
    cluster's pictures have it; `often`: fewer. `A or B`: half have neither.
    """
    shown = " or ".join(subjects_of(words))
    labelled = any(one.kind == "label" for one in words)
    apart = []
    for one in words:
        if one.kind == "predicted" and labelled and one.share > _HALF and one.word != shown:
            apart.append(f"mostly like {one.word}")
        elif one.kind not in _SHOWN:
            apart.append(f"{'mostly' if one.share > _HALF else 'often'} {one.word}")
    return ", ".join([*([shown] if shown else []), *apart[:others]])


def subjects_of(words: Sequence[Word]) -> list[str]:
    """What the pictures show: one label that more than half of them have, or up to two, or none."""
    kinds = [[one for one in words if one.kind == kind] for kind in _SHOWN]
    shown = next((some for some in kinds if some), [])
    count = 1 if shown and shown[0].share > _HALF else 2
    return [one.word for one in shown[:count]]


def _holm(chances: np.ndarray) -> np.ndarray:
    """Corrected for their number (Holm 1979)."""
    order = np.argsort(chances, kind="stable")
    steps = chances[order] * np.arange(len(chances), 0, -1)
    found = np.empty(len(chances))
    found[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return found
