"""Stretches of an axis have names that say what they cover, and no more than they must."""

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.privacy.grouping.axes import axis_of
from pixelmine.privacy.grouping.values import read_values

TREE = {
    "Bonn": ("Rhine", "west"),
    "Cologne": ("Rhine", "west"),
    "Essen": ("Ruhr", "west"),
    "Bremen": ("coast", "north"),
    "Kiel": ("coast", "north"),
}


def axis(values, tree=None, kind=None):
    return axis_of(read_values(pa.chunked_array([pa.array(values, kind)]), "it"), "it", tree)


def test_a_hierarchy_is_one_order_in_which_groups_are_stretches():
    found = axis(list(TREE), TREE)
    assert found.first == ["Bremen", "Kiel", "Bonn", "Cologne", "Essen"]
    assert found.codes.tolist() == [2, 3, 4, 0, 1]
    assert found.apart.tolist() == [2, 0, 2, 1]


@pytest.mark.parametrize(
    ("low", "high", "name", "covered"),
    [
        ("Bonn", "Bonn", "Bonn", 1),
        ("Bonn", "Cologne", "Rhine", 2),
        ("Cologne", "Essen", "west", 3),
        ("Bremen", "Kiel", "coast", 2),
        ("Kiel", "Bonn", "*", 5),
        (None, "Kiel", "null | coast", 3),
        (None, "Bonn", "*", 6),
    ],
)
def test_a_stretch_is_named_for_the_groups_it_touches(low, high, name, covered):
    values = [*TREE, None] if low is None else list(TREE)
    found = axis(values, TREE)
    first = 0 if low is None else found.first.index(low)
    last = found.first.index(high)
    assert found.name(first, last) == name
    begin, end = found.covered(first, last)
    assert end - begin + 1 == covered
    assert found.share(first, last) == pytest.approx((covered - 1) / (len(values) - 1))


def test_of_groups_that_cover_the_same_the_finest_is_named():
    found = axis(list(TREE), TREE)
    assert found.name(0, 1) == "coast", "and not north, which is no more"


def test_numbers_lie_by_their_size_and_null_below_them():
    found = axis([0, 10, 5, None], kind=pa.int64())
    assert found.codes.tolist() == [1, 3, 2, 0]
    assert np.allclose(found.low, np.array([0, 0.1, 0.6, 1.1]) / 1.1)
    assert found.name(0, 0) is None
    assert found.name(1, 2) == "0 .. 5"
    assert found.name(0, 1) == "null | 0"
    assert found.name(0, 3) == "*"
    assert axis([3, 3]).share(0, 0) == 0
    assert axis([None, None], kind=pa.string()).name(0, 0) is None


def test_infinite_numbers_lie_by_their_ranks():
    assert axis([1.0, float("inf"), -float("inf")]).low.tolist() == [0, 0.5, 1]


def test_a_refused_hierarchy_tells_no_values():
    with pytest.raises(UsageError, match="lacks 1 of its 2 values") as caught:
        axis(["Bonn", "secret"], TREE)
    assert "secret" not in str(caught.value)
