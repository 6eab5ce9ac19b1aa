import numpy as np
import pytest

from pixelmine.preprocess.augment import RandomErasing


def erase(step, count=400, height=32, width=32):
    """True where a pixel was painted over, (N, H, W)."""
    batch = np.full((count, height, width, 3), 200, np.uint8)
    found = step(batch, np.random.default_rng(1))
    gone = found == step.value
    assert ((found == 200) | gone).all()
    assert (gone.all(axis=3) == gone.any(axis=3)).all()
    return gone[..., 0]


def test_about_as_many_are_erased_as_asked():
    assert 0.25 < erase(RandomErasing(probability=0.3)).any(axis=(1, 2)).mean() < 0.35


@pytest.mark.parametrize("value", [0, 7])
def test_what_is_gone_is_one_box_of_the_area_and_the_ratio_asked_for(value):
    gone = erase(RandomErasing(probability=1, area=(0.1, 0.2), ratio=(0.5, 2), value=value))
    rows, columns = gone.any(axis=2).sum(axis=1), gone.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(rows * columns, gone.sum(axis=(1, 2)))
    area, ratio = rows * columns / 32**2, columns / rows
    assert 0.08 < area.min() < 0.12
    assert 0.18 < area.max() < 0.22
    assert 0.4 < ratio.min() < 0.6
    assert 1.7 < ratio.max() < 2.3
    assert gone.any(axis=(0, 1)).all()  # every row and every column goes now and then
    assert gone.any(axis=(0, 2)).all()


def test_everything_or_nothing():
    assert erase(RandomErasing(probability=1, area=(1, 1), ratio=(1, 1))).all()
    assert not erase(RandomErasing(probability=1, area=(0, 0))).any()
    assert not erase(RandomErasing(probability=0)).any()
