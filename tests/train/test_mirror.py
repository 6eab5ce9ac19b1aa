from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pixelmine.preprocess import Preprocessing
from pixelmine.train.data import Examples
from pixelmine.train.mirror import keeps_labels


def examples(x: np.ndarray, y: np.ndarray) -> Examples:
    return Examples(
        x=x if x.ndim == 4 else x[..., None],
        y=y.astype(np.int64),
        labels=[str(k) for k in range(10)],
        picture_ids=[str(i) for i in range(len(y))],
        groups=[None] * len(y),
        part=["train"] * len(y),
        preprocessing=Preprocessing(),
    )


@pytest.fixture(scope="module")
def bars() -> Examples:
    """Two bars in noise, the left or the right one longer: class 0 or 1."""
    random = np.random.default_rng(3)
    y = random.integers(0, 2, 300)
    x = random.integers(0, 60, (300, 28, 28)).astype(np.uint8)
    for picture, label in zip(x, y, strict=True):
        picture[4 : 14 + 8 * (1 - label), 6:10] += 150
        picture[4 : 14 + 8 * label, 18:22] += 150
    return examples(x, y)


def test_left_and_right_are_no_mirror_images(bars: Examples) -> None:
    assert not keeps_labels(bars, 1)


def test_up_and_down_are(bars: Examples) -> None:
    assert keeps_labels(replace(bars, x=np.ascontiguousarray(bars.x.transpose(0, 2, 1, 3))), 1)


def test_digits_are_not_mirrored() -> None:
    data = load_digits()
    digits = examples((data.images * 15).astype(np.uint8), data.target)
    assert not keeps_labels(digits, 1)


def test_a_picture_s_own_mirror_image_does_not_count() -> None:
    """Each is nearest to its own, which has the right label: the others have to tell."""
    from pixelmine.train.mirror import _nearest

    random = np.random.default_rng(4)
    one = random.random((20, 6, 6, 1), np.float32)
    have = (one + one[:, :, ::-1]) / 2
    both = np.concatenate([have, have[:, :, ::-1]])
    found = _nearest(both, np.arange(20), 20)
    assert (found != np.arange(20)).all()
    np.testing.assert_array_equal(found, _nearest(have, np.arange(20), 20))


def test_few_pictures_are_mirrored() -> None:
    one = examples(np.zeros((3, 20, 20, 3), np.uint8), np.array([0, 1, 1]))
    assert keeps_labels(one, 1)
