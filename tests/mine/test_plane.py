"""The map: neighbours stay neighbours, whatever their number, the same each time."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from pixelmine.core.errors import UsageError
from pixelmine.mine.plane import plane


def clouds(each: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(6), each)
    found = rng.standard_normal((6, 12))[truth] + 0.3 * rng.standard_normal((6 * each, 12))
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit.astype(np.float32), truth


@pytest.mark.parametrize("landmarks", [120, 240])
def test_what_is_alike_lies_together(landmarks: int) -> None:
    vectors, truth = clouds(40)
    found = plane(vectors, landmarks=landmarks)
    assert found.shape == (240, 2)
    assert found.dtype == np.float32
    assert found.min() == 0
    assert found.max() == 1
    near = NearestNeighbors(n_neighbors=6).fit(found).kneighbors(return_distance=False)
    assert (truth[near] == truth[:, None]).mean() > 0.95
    assert (found == plane(vectors, landmarks=landmarks)).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6])
def test_few_pictures_have_places_too(count: int) -> None:
    found = plane(clouds(2)[0][:count])
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_equal_vectors_have_places() -> None:
    assert np.isfinite(plane(np.ones((20, 1), np.float32))).all()


def test_landmarks_are_limited() -> None:
    with pytest.raises(UsageError, match="landmarks"):
        plane(clouds(2)[0], landmarks=9_000)
