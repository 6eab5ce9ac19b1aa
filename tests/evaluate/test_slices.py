import numpy as np
import pytest
from scipy.stats import fisher_exact

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import slices
from pixelmine.evaluate.corrected import holm


def shares(*parts):
    """(pictures, right) of each part, one after the other."""
    return np.concatenate([np.arange(n) < right for n, right in parts])


def test_the_weakest_slice_comes_first_with_its_p_value():
    right = shares((100, 95), (50, 30), (50, 45))
    camera = ["phone"] * 100 + ["webcam"] * 50 + ["mirror"] * 50
    found = slices({"camera": camera}, right)
    assert [one.value for one in found] == ["webcam", "mirror", "phone"]
    worst = found[0]
    assert (worst.by, worst.right.hits, worst.right.pictures) == ("camera", 30, 50)
    assert worst.below == pytest.approx(170 / 200 - 30 / 50)
    plain = [
        fisher_exact([[h, n - h], [170 - h, 200 - n - (170 - h)]]).pvalue
        for h, n in ((30, 50), (45, 50), (95, 100))
    ]
    assert [one.p for one in found] == pytest.approx(holm(plain))
    assert [one.differs for one in found] == [True, False, True]


def test_numbers_are_cut_into_quarters():
    sharpness = np.arange(200.0)
    found = slices({"sharpness": sharpness.tolist()}, sharpness >= 50)
    assert found[0].value == "0 to 49"
    assert {one.right.pictures for one in found} == {50}
    assert found[0].right.value == 0


def test_few_different_numbers_are_values():
    found = slices({"orientation": [1] * 20 + [6] * 20}, shares((20, 20), (20, 10)))
    assert [one.value for one in found] == ["6", "1"]


def test_what_is_missing_is_a_slice_of_its_own():
    numbers = [*map(float, range(40)), *[None] * 20]
    found = slices({"width": numbers}, shares((40, 40), (20, 5)))
    assert (found[0].value, found[0].right.hits, found[0].right.pictures) == ("", 5, 20)
    words = slices({"camera": ["a"] * 20 + [None] * 20}, shares((20, 20), (20, 5)))
    assert words[0].value == ""


def test_small_slices_and_columns_of_one_value_are_left_out():
    right = shares((40, 30))
    assert slices({"format": ["jpeg"] * 40, "name": [str(i) for i in range(40)]}, right) == ()
    assert slices({"kind": ["a"] * 31 + ["b"] * 9}, right) == ()
    assert len(slices({"kind": ["a"] * 30 + ["b"] * 10}, right)) == 2


def test_equal_numbers_stay_together():
    column = [0.0] * 150 + list(map(float, range(1, 51)))
    found = slices({"x": column}, shares((200, 100)))
    assert sum(one.right.pictures for one in found) == 200
    assert all(not one.value.startswith("0 to 0") or one.right.pictures >= 150 for one in found)


def test_a_column_of_another_length_is_refused():
    with pytest.raises(UsageError, match="width must have 3 values"):
        slices({"width": [1, 2]}, np.array([True, False, True]))


def test_without_columns_there_are_no_slices():
    assert slices({}, np.array([True])) == ()
