"""Words of clusters: none by chance, the most telling first."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from pixelmine.core.errors import UsageError
from pixelmine.mine.cluster_words import Counts, Word, WordOptions, name_of, subjects_of, words_of


def counted(kind: str, labels: np.ndarray, cluster: np.ndarray, names: list[str]) -> Counts:
    """`labels`: bool (N, M)."""
    of = [labels[cluster == number] for number in range(cluster.max() + 1)]
    return Counts(
        kind=kind,
        words=names,
        total=len(labels),
        known=labels.sum(axis=0),
        sizes=np.array([len(one) for one in of]),
        inside=np.stack([one.sum(axis=0) for one in of]),
    )


def test_what_sets_a_cluster_apart_is_told_with_share_lift_and_chance() -> None:
    cluster = np.repeat([0, 1], [40, 160])
    has = np.zeros((200, 2), bool)
    has[:30, 0] = has[100:110, 0] = True  # 30 of 40, and 10 of 160
    has[:, 1] = np.arange(200) % 2 == 0
    found = words_of([counted("label", has, cluster, ["dress", "even"])])
    assert [word.word for word in found[0]] == ["dress"]
    assert found[1] == []
    word = found[0][0]
    assert (word.share, word.lift, word.of) == (0.75, 3.75, 40)
    assert word.p_value == pytest.approx(4 * hypergeom.sf(29, 200, 40, 40))


def test_chance_puts_no_word_there() -> None:
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        cluster = rng.integers(0, 12, 600)
        has = rng.random((600, 25)) < rng.uniform(0.02, 0.4, 25)
        names = [str(number) for number in range(25)]
        wrong += any(words_of([counted("label", has, cluster, names)], WordOptions(lift=1.01)))
    assert wrong <= 9, "at a level of .05"


def test_words_of_what_is_shown_come_first_and_rare_ones_not_at_all() -> None:
    cluster = np.repeat([0, 1], [50, 450])
    has = np.zeros((500, 3), bool)
    has[:45, 0] = True
    has[:8, 1] = True  # never elsewhere, but only 8 of 50
    has[:50, 2] = True
    counts = [
        counted("look", has[:, 2:], cluster, ["dark"]),
        counted("label", has[:, :2], cluster, ["hat", "rare"]),
    ]
    assert [word.word for word in words_of(counts)[0]] == ["hat", "dark"]


def word(kind: str, text: str, share: float) -> Word:
    return Word(kind=kind, word=text, share=share, lift=3.0, p_value=0.001, of=50)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ([], ""),
        ([word("label", "Dress", 0.8), word("colour", "white", 0.6)], "Dress, mostly white"),
        ([word("label", "A", 0.4), word("label", "B", 0.3)], "A or B"),
        ([word("predicted", "jean", 0.7), word("look", "dark", 0.4)], "jean, often dark"),
        ([word("label", "Pants", 0.9), word("predicted", "jean", 0.7)], "Pants, mostly like jean"),
        ([word("label", "Pants", 0.9), word("predicted", "jean", 0.4)], "Pants"),
        ([word("circumstance", "camera = 7", 0.9)], "mostly camera = 7"),
    ],
)
def test_names(words: list[Word], name: str) -> None:
    assert name_of(words) == name


def test_more_words_where_one_is_not_enough() -> None:
    words = [word("label", "Hat", 0.9), word("colour", "red", 0.6), word("look", "dark", 0.3)]
    assert name_of(words, 2) == "Hat, mostly red, often dark"
    assert subjects_of(words) == ["Hat"]


def test_nothing_to_tell() -> None:
    assert words_of([]) == []
    with pytest.raises(UsageError):
        WordOptions(level=0)
