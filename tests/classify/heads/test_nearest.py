"""The votes of neighbours, against a slow and obvious reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.classify.heads import fit_head
from pixelmine.classify.heads.choose import choose_examples
from pixelmine.classify.heads.nearest import NearestOptions


def reference(metric: str, k: int, x: np.ndarray, y: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Log share of each of three classes for one query, in float64."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    stored, z = (x - mean) / spread, (query - mean) / spread
    if metric == "cosine":
        lengths = np.linalg.norm(stored, axis=1) * np.linalg.norm(z)
        distance = 1 - stored @ z / lengths
    else:
        distance = ((stored - z) ** 2).mean(axis=1)
    edge = np.sort(distance)[k]
    votes = np.bincount(y, minlength=3) / len(y)
    for neighbour in range(len(x)):
        votes[y[neighbour]] += max(0, 1 - distance[neighbour] / (edge + 1e-4))
    return np.log(votes / votes.sum())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_votes_are_those_of_the_reference(metric: str) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(60, 5)).astype(np.float32), rng.integers(0, 3, 60)
    head = fit_head("nearest", x, y, classes=3, options=NearestOptions(k=7, metric=metric))
    queries = rng.normal(size=(20, 5)).astype(np.float32)
    expected = [reference(metric, 7, x.astype(np.float64), y, query) for query in queries]
    np.testing.assert_allclose(head.logits(queries), expected, atol=1e-4)


def test_equal_pictures_with_two_labels_share_the_vote() -> None:
    x = np.repeat(np.random.default_rng(1).normal(size=(20, 8)), 20, axis=0).astype(np.float32)
    y = np.tile([0, 1], 200)
    options = NearestOptions(k=19, metric="euclidean")
    logits = fit_head("nearest", x, y, classes=2, options=options).logits(x[::20])
    np.testing.assert_allclose(logits, np.log(0.5), atol=0.05)


def test_the_prior_answers_where_no_neighbour_is_near() -> None:
    x = np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)
    y = np.repeat([0, 1], [80, 20])
    options = NearestOptions(metric="euclidean")
    far = fit_head("nearest", x, y, classes=2, options=options).logits(np.full((1, 4), 1e4))
    np.testing.assert_allclose(np.exp(far), [[0.8, 0.2]], atol=0.02)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 9))
def test_every_class_keeps_one(labels: list[int], most: int, seed: int) -> None:
    targets = np.eye(6, dtype=bool)[labels]
    kept = choose_examples(targets, most, seed)
    assert len(kept) == min(most, len(labels))
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(kept, choose_examples(targets, most, seed))
    present = targets.any(axis=0)
    if most >= present.sum():
        assert targets[kept].any(axis=0)[present].all()


def test_the_rare_stay_rare() -> None:
    targets = np.repeat(np.eye(3, dtype=bool), [900, 99, 1], axis=0)
    found = targets[choose_examples(targets, 100, 1)].sum(axis=0)
    np.testing.assert_allclose(found, [90, 9.9, 0.1], atol=1)


def test_fewer_are_stored_when_asked() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 30)).astype(np.float32), np.repeat([0, 1], 200)
    sizes = [
        len(fit_head("nearest", x, y, classes=2, options=NearestOptions(most=most)).to_onnx())
        for most in (400, 100)
    ]
    assert sizes[0] - sizes[1] > 300 * 30 * 4
