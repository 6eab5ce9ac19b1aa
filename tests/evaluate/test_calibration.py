import numpy as np
import pytest

from pixelmine.evaluate.calibration import BINS, calibration_error, reliability


def obvious_error(confidence, right):
    """Guo et al. 2017, equations 1 to 3, one bin after the other."""
    total = 0.0
    for m in range(1, BINS + 1):
        inside = (confidence > (m - 1) / BINS) & (confidence <= m / BINS)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    return total / len(confidence)


def test_the_error_is_the_papers():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 1000)
    right = rng.uniform(size=1000) < confidence**2
    bins = reliability(confidence, right)
    assert calibration_error(bins) == pytest.approx(obvious_error(confidence, right))


def test_a_bin_holds_its_upper_end():
    (only,) = reliability(np.array([1 / BINS]), np.array([True]))
    assert (only.low, only.high) == pytest.approx((0, 1 / BINS))


def test_a_model_that_is_always_sure_and_never_right():
    bins = reliability(np.ones(4, np.float32), np.zeros(4, bool))
    assert calibration_error(bins) == 1.0
    assert [b.right.pictures for b in bins] == [4]


def test_every_picture_is_in_one_bin():
    confidence = np.linspace(0, 1, 301)
    bins = reliability(confidence, confidence > 0.5)
    assert sum(b.right.pictures for b in bins) == 301
    assert len(bins) == BINS
