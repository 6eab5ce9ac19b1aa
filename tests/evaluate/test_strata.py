import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.evaluate.strata import apportion, spread

quick = settings(deadline=None, max_examples=80, database=None)
shares = st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (0.6, 0.2, 0.2), (0.2,) * 5]).map(np.array)
totals = st.lists(st.integers(0, 40), min_size=1, max_size=12).map(np.array)


@quick
@given(totals, shares)
def test_each_label_is_shared_out_whole_and_to_within_one(totals, shares):
    given_to = apportion(totals, shares)
    assert (given_to.sum(axis=0) == totals).all()
    assert (given_to >= 0).all()
    slack = 1 if shares[0] < 0.5 else 2
    assert (abs(given_to - shares[:, None] * totals) < slack).all()


@quick
@given(totals, shares)
def test_the_parts_are_met_over_all_labels_too(totals, shares):
    totals = totals[totals > 5]
    off = apportion(totals, shares).sum(axis=1) - shares * totals.sum()
    assert (abs(off) <= 2).all()


def test_training_knows_every_label():
    assert (apportion(np.ones(30, int), np.array([0.8, 0.1, 0.1]))[0] == 1).all()


def units(labels_of):
    """unit (P,) and label (P,) from the labels of each unit's rows."""
    pairs = [(unit, label) for unit, labels in enumerate(labels_of) for label in labels]
    return np.array(pairs, np.int64).reshape(-1, 2).T


singles = st.lists(st.integers(0, 4).map(lambda label: [label]), min_size=1, max_size=80)
seeds = st.integers(0, 2**32 - 1)


def placed(labels_of, shares, seed):
    random = np.random.default_rng(seed)
    wished = random.choice(len(shares), len(labels_of), p=shares)
    return wished, spread(*units(labels_of), wished, random.permutation(len(labels_of)), shares)


@quick
@given(singles, shares, seeds)
def test_single_pictures_meet_the_shares_exactly(labels_of, shares, seed):
    labels = np.array(labels_of).ravel()
    _, place = placed(labels_of, shares, seed)
    for part, wanted in enumerate(apportion(np.bincount(labels), shares)):
        assert (np.bincount(labels[place == part], minlength=len(wanted)) == wanted).all()


@quick
@given(singles, shares, seeds)
def test_no_more_move_than_must(labels_of, shares, seed):
    """Only what a part has too much of leaves it."""
    labels = np.array(labels_of).ravel()
    wished, place = placed(labels_of, shares, seed)
    wanted = apportion(np.bincount(labels), shares)
    for label in range(len(wanted[0])):
        for part in range(len(shares)):
            here = (labels == label) & (wished == part)
            stayed = (place[here] == part).sum()
            assert stayed == min(here.sum(), wanted[part, label])


groups = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=40, max_size=90)


@settings(quick, max_examples=20)
@given(groups, shares, seeds)
def test_groups_come_nearer_to_the_shares_than_by_chance(labels_of, shares, seed):
    _, label = units(labels_of)
    size = np.array([len(labels) for labels in labels_of])
    wanted = apportion(np.bincount(label), shares).sum(axis=1)
    _, place = placed(labels_of, shares, seed)
    counts = np.bincount(place, size, len(shares))
    assert (abs(counts - wanted) <= 2 * size.max()).all()


def test_a_large_unit_goes_where_it_fits():
    """Nine rows of one label do not go to the tenth of them, whatever is wished."""
    labels_of = [[0] * 9, *[[0]] * 11]
    place = spread(*units(labels_of), np.full(12, 2), np.arange(12), np.array([0.8, 0.1, 0.1]))
    assert place[0] == 0
    assert np.bincount(place[1:], minlength=3).tolist() == [7, 2, 2]


@pytest.mark.parametrize("labels_of", [[], [[], []], [[0], []]])
def test_units_without_labels_stay_where_they_wish(labels_of):
    count = len(labels_of)
    place = spread(*units(labels_of), np.full(count, 1), np.arange(count), np.array([0.5, 0.5]))
    assert place[1:].tolist() == [1] * max(count - 1, 0)
