import math
import re

import pytest

from pixelmine.core.checks import check_fraction, check_one_of, check_positive, check_side
from pixelmine.core.errors import UsageError


@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, -math.inf])
def test_positive_refuses(value):
    with pytest.raises(UsageError, match=f"top must be above 0. Got {value:g} instead"):
        check_positive("top", value)


@pytest.mark.parametrize("value", [1e-9, 1, 1000, math.inf])
def test_positive_accepts(value):
    check_positive("top", value)


def test_positive_has_an_upper_limit():
    check_positive("top", 10, at_most=10)
    with pytest.raises(UsageError, match=r"top must be above 0 and at most 10. Got 11 instead"):
        check_positive("top", 11, at_most=10)


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.1, math.nan])
def test_fraction_refuses(value):
    with pytest.raises(UsageError, match="share must be between 0 and 1"):
        check_fraction("share", value)


def test_fraction_accepts():
    check_fraction("share", 0.001)
    check_fraction("share", 0.999)


def test_one_of():
    check_one_of("rule", "full", ("scaled", "full"))
    with pytest.raises(UsageError, match=r"rule must be one of full, scaled. Got 'half' instead"):
        check_one_of("rule", "half", ("scaled", "full"))


@pytest.mark.parametrize("value", [1, 224, 4096])
def test_a_side_is_a_number_of_pixels(value):
    check_side("height", value)


@pytest.mark.parametrize("value", [0, -1, 4097, 2.0, True, "5", None])
def test_a_side_refuses(value):
    said = re.escape(f"height must be a whole number, 1 to 4096. Got {value!r} instead.")
    with pytest.raises(UsageError, match=said):
        check_side("height", value)
