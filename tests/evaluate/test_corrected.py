import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.evaluate.corrected import holm


def test_holms_own_example():
    """R's p.adjust(c(.01, .04, .03, .005), "holm"): .03 .06 .06 .02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_never_smaller_than_given_never_above_one_and_in_the_same_order(given_values):
    found = np.array(holm(given_values))
    assert (found >= np.array(given_values)).all()
    assert (found <= 1).all()
    order = np.argsort(given_values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert (found <= np.minimum(1, np.array(given_values) * max(1, len(given_values)))).all()
