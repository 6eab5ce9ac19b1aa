"""Nobody judges a picture who has seen it, or whatever is tied to it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from pixelmine.core.errors import UsageError
from pixelmine.mine.out_of_fold import out_of_fold, vote
from pixelmine.mine.principal import reduce, unit


def blobs(count: int, seed: int = 0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, count)
    middles = random.normal(size=(classes, 16))
    return unit((middles[y] + 0.4 * random.normal(size=(count, 16))).astype(np.float32)), y


def test_the_head_is_that_of_the_other_folds() -> None:
    x, y = blobs(200)
    found = out_of_fold(x, y, np.arange(200), seed=2)
    inside = found.fold == 3
    scale = StandardScaler().fit(x[~inside])
    head = LogisticRegression(C=0.01, tol=1e-6).fit(scale.transform(x[~inside]), y[~inside])
    expected = head.predict_proba(scale.transform(x[inside]))
    np.testing.assert_allclose(found.head[inside], expected, atol=0.01)


def test_what_is_tied_neither_votes_nor_lies_in_another_fold() -> None:
    x, y = blobs(60)
    copies = np.concatenate([x, x])
    labels = np.concatenate([y, (y + 1) % 3])  # each copy says something else
    found = out_of_fold(copies, labels, np.tile(np.arange(60), 2))
    assert (found.fold[:60] == found.fold[60:]).all()
    near = found.near
    assert (near % 60 != np.arange(120)[:, None] % 60).all()
    untied = out_of_fold(copies, labels, np.arange(120))
    assert (untied.near[:60, 0] == np.arange(60, 120)).all(), "else a copy is the nearest"


def test_a_picture_whose_whole_neighbourhood_is_tied_to_it_gets_an_even_vote() -> None:
    x, y = blobs(100)
    units = np.where(np.arange(100) < 80, 0, np.arange(100))
    found = out_of_fold(x, y, units)
    alone = (found.near[:80] < 0).all(axis=1)
    np.testing.assert_allclose(found.votes[:80][alone], 1 / 3, atol=1e-6)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_vote_falls_with_the_distance() -> None:
    votes = vote(np.array([[0, 1, 2]]), np.array([[1.0, 0.9, 0.8]], np.float32), np.arange(3), 3)
    raw = np.array([1, 0.5, 0]) + 1 / 3
    np.testing.assert_allclose(votes[0], raw / raw.sum(), atol=1e-4)


def test_fewer_units_than_folds_are_refused() -> None:
    x, y = blobs(20)
    with pytest.raises(UsageError, match="too few"):
        out_of_fold(x, y, np.arange(20) // 6)


def test_reduced_vectors_keep_who_is_near_whom() -> None:
    random = np.random.default_rng(1)
    x = (random.normal(size=(300, 5)) @ random.normal(size=(5, 40))).astype(np.float32)
    short, whole = reduce(x, 5), reduce(x, 40)
    assert short.shape == (300, 5)
    assert whole.shape == (300, 40)
    np.testing.assert_allclose(short @ short.T, whole @ whole.T, atol=1e-3)
