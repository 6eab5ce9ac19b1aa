from types import ModuleType
from typing import Any

import numpy as np
import pytest

PEAK, WARM_UP = 0.02, 0.25


@pytest.fixture
def rate(keras: ModuleType) -> Any:
    from pixelmine.train.one_cycle import OneCycle

    return OneCycle(PEAK, WARM_UP)


def expected(done: np.ndarray) -> np.ndarray:
    """The slow way: a line up to the peak, a line down from it, never quite zero."""
    return np.maximum(np.interp(done, [0, WARM_UP, 1], [0, PEAK, 0]), PEAK * 1e-3)


def test_it_rises_to_the_peak_and_falls_to_the_end(rate: Any) -> None:
    rate.cover(0, 100, 0.0, 1.0)
    found = [float(rate(step)) for step in range(101)]
    np.testing.assert_allclose(found, expected(np.arange(101) / 100), rtol=1e-5, atol=1e-8)


def test_an_epoch_covers_its_own_part_from_its_own_first_step(rate: Any) -> None:
    rate.cover(1_000, 10, 0.5, 0.75)
    found = [float(rate(np.int64(1_000 + step))) for step in range(11)]
    np.testing.assert_allclose(found, expected(np.linspace(0.5, 0.75, 11)), rtol=1e-5)
