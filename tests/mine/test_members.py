"""Representatives are typical and unlike each other; odd members are the least of it."""

import numpy as np

from pixelmine.mine.members import odd, representatives


def fan() -> np.ndarray:
    """100 directions over 90 degrees, and one at 180."""
    angle = np.append(np.linspace(0, np.pi / 2, 100), np.pi)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def test_representatives_begin_in_the_middle_and_spread_without_the_rim() -> None:
    found = representatives(fan(), np.arange(101), 5)
    assert abs(found[0] - 50) <= 3
    assert len(set(found.tolist())) == 5
    assert found.max() - found.min() > 35, "they show the width"
    assert found.min() > 10
    assert found.max() < 90, "but not its rim"


def test_places_are_those_of_the_members() -> None:
    members = np.array([3, 20, 40, 60, 99])
    assert set(representatives(fan(), members, 3).tolist()) <= set(members.tolist())
    assert len(representatives(fan(), members, 50)) == 5
    assert representatives(fan(), members[:0], 3).tolist() == []
    assert odd(fan(), members[:0], np.ones(101), 3).tolist() == []


def test_odd_ones_have_few_neighbours_inside_or_lie_far_out() -> None:
    probability = np.ones(101, np.float32)
    probability[7] = 0.4
    assert odd(fan(), np.arange(101), probability, 2).tolist() == [7, 100]


def test_equal_vectors_are_no_error() -> None:
    same = np.repeat(fan()[:1], 9, axis=0)
    assert len(set(representatives(same, np.arange(9), 4).tolist())) == 4
