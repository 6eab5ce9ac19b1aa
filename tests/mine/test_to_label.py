"""Which pictures come next, and that the choice beats chance where labels are uneven."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.mine.principal import unit
from pixelmine.mine.rounds import accuracy_now, simulate
from pixelmine.mine.to_label import choose_next, choose_typical

from .test_out_of_fold import blobs


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 60), st.integers(1, 70), st.integers(0, 59), st.integers(0, 3))
def test_different_unlabelled_pictures_as_many_as_there_are(
    size: int, count: int, labelled: int, seed: int
) -> None:
    x, truth = blobs(size, seed)
    y = np.where(np.arange(size) < min(labelled, size - 1), truth, -1)
    found = choose_next(x, y, np.arange(size), count, classes=3, seed=seed)
    assert len(found.places) == min(count, int((y < 0).sum()))
    assert len(set(found.places.tolist())) == len(found.places)
    assert (y[found.places] == -1).all()
    again = choose_next(x, y, np.arange(size), count, classes=3, seed=seed)
    np.testing.assert_array_equal(found.places, again.places)


def test_without_labels_each_kind_is_among_the_first() -> None:
    x, kind = blobs(300, seed=2)
    found = choose_next(x, np.full(300, -1), np.arange(300), 6, classes=0)
    assert set(kind[found.places].tolist()) == {0, 1, 2}
    assert np.isnan(found.uncertainty).all()
    assert set(found.suggested.tolist()) == {-1}
    assert sorted(choose_typical(x[:5], 9).tolist()) == [0, 1, 2, 3, 4]


def test_what_lies_between_two_kinds_is_taken_before_what_is_plain() -> None:
    random = np.random.default_rng(0)
    axes = np.eye(8, dtype=np.float32)
    plain = np.concatenate([axes[[0] * 60], axes[[1] * 60]])
    between = (axes[[0] * 10] + axes[[1] * 10]) / 2
    x = unit(np.concatenate([plain, between]) + 0.03 * random.normal(size=(130, 8)))
    y = np.full(130, -1)
    y[:10], y[60:70] = 0, 1
    found = choose_next(x, y, np.arange(130), 5, classes=2)
    assert found.places[0] >= 120
    assert found.uncertainty[0] > 0.9
    many = [choose_next(x, y, np.arange(130), 5, classes=2, seed=seed) for seed in range(20)]
    assert np.mean([(one.places >= 120).mean() for one in many]) > 2 * 10 / 110


def test_of_copies_one_is_taken_and_none_whose_copy_has_a_label() -> None:
    x, truth = blobs(40)
    x, units = np.concatenate([x, x]), np.tile(np.arange(40), 2)
    y = np.full(80, -1)
    y[:10] = truth[:10]
    found = choose_next(x, y, units, 30, classes=3)
    assert sorted(units[found.places].tolist()) == list(range(10, 40))
    more = choose_next(x, y, units, 35, classes=3)
    assert len(more.places) == 35, "where there is nothing else, copies too"


def test_accuracy_is_of_pictures_that_were_not_learnt_from() -> None:
    x, y = blobs(300)
    test = np.arange(300) < 100
    found = accuracy_now(x, y, np.arange(300), test, 3)
    assert found is not None
    assert found.judged == 100
    assert found.right > 80
    wrong = np.where(test, (y + 1) % 3, y)
    found = accuracy_now(x, wrong, np.arange(300), test, 3)
    assert found is not None
    assert found.right < 20, "else the test part was learnt"
    assert accuracy_now(x, np.full(300, -1), np.arange(300), None, 3) is None
    assert accuracy_now(x, np.zeros(300, int), np.arange(300), None, 3) is None


def test_the_choice_beats_chance_where_one_label_is_rare() -> None:
    x, y = blobs(900, seed=3, classes=6)
    keep = (y < 2) | (np.random.default_rng(0).random(900) < 0.15)
    x, y = x[keep], y[keep]
    units = np.arange(len(y))
    found = simulate(x, y, units, units, rounds=3, count=20, seeds=3)
    assert found.labels == (20, 40, 60)
    assert found.chosen.shape == found.random.shape == (3, 3)
    assert found.chosen.mean() > found.random.mean()
    with pytest.raises(UsageError, match="rounds"):
        simulate(x, y, units, units, rounds=100, count=20, seeds=1)
