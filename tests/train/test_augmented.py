"""The batches of an epoch, without the loop."""

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pixelmine.preprocess import Preprocessing
from pixelmine.preprocess.augment import CutMix, RandomErasing, RandomFlip
from pixelmine.train.data import Examples

COUNT = 75


def examples() -> Examples:
    """Picture i is of level i, and of class i modulo 3."""
    y = np.arange(COUNT) % 3
    return Examples(
        x=np.broadcast_to(np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (COUNT, 8, 8, 1)),
        y=y.astype(np.int64),
        labels=["a", "b", "c"],
        picture_ids=[f"{i}" for i in range(COUNT)],
        groups=[None] * COUNT,
        part=["train"] * COUNT,
        preprocessing=Preprocessing(),
    )


def batches(steps: Any, seed: int = 1, epoch: int = 0) -> Any:
    from pixelmine.train.augmented import AugmentedBatches

    order = np.random.default_rng(9).permutation(COUNT)
    return AugmentedBatches(examples(), order, 32, steps, seed, epoch)


def test_every_picture_comes_once_in_order_with_its_label(keras: ModuleType) -> None:
    found = list(batches([RandomFlip()]))
    assert [len(x) for x, _ in found] == [32, 32, 11]
    levels = np.concatenate([x[:, 0, 0, 0] for x, _ in found])
    labels = np.concatenate([y for _, y in found])
    np.testing.assert_array_equal(levels, np.random.default_rng(9).permutation(COUNT))
    np.testing.assert_array_equal(labels, levels % 3)
    assert labels.dtype == np.int64


def test_mixed_labels_are_soft(keras: ModuleType) -> None:
    for x, y in batches([CutMix()]):
        assert (y.shape, y.dtype) == ((len(x), 3), np.float32)
        np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert ((y > 0) & (y < 1)).any()


def test_a_batch_depends_on_seed_epoch_and_place_alone(keras: ModuleType) -> None:
    steps = [RandomErasing(probability=1, value=255)]
    first = [x for x, _ in batches(steps)]
    again = batches(steps)
    with ThreadPoolExecutor(4) as pool:
        for place, (x, _) in zip((2, 0, 1), pool.map(again.__getitem__, (2, 0, 1)), strict=True):
            np.testing.assert_array_equal(x, first[place])
    erased = [
        (x == 255).tobytes()
        for options in ({}, {"seed": 2}, {"epoch": 1})
        for x, _ in batches(steps, **options)
    ]
    assert len(set(erased)) == len(erased)


def test_smoothed_labels_are_shared_out(keras: ModuleType) -> None:
    from pixelmine.train.augmented import AugmentedBatches

    found = [
        AugmentedBatches(examples(), np.arange(COUNT), 32, (), 1, 0, smoothing)[0][1][1]
        for smoothing in (0.0, 0.3)
    ]
    np.testing.assert_allclose(found, [[0, 1, 0], [0.1, 0.8, 0.1]], rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 5])
def test_one_label_is_all_of_its_class(keras: ModuleType, classes: int) -> None:
    from pixelmine.train.augmented import shares

    found = shares(np.array([1, 0, 1]), classes)
    assert found.dtype == np.float32
    assert found.tolist() == [[float(k == y) for k in range(classes)] for y in (1, 0, 1)]
    assert shares(np.empty(0, np.int64), classes).shape == (0, classes)


def test_each_of_several_labels_is_there_or_not(keras: ModuleType) -> None:
    from pixelmine.train.augmented import shares

    y = np.array([[True, False, True], [False, False, False]])
    assert shares(y, 3).tolist() == [[1, 0, 1], [0, 0, 0]]
    np.testing.assert_allclose(shares(y, 3, 0.2), [[0.9, 0.1, 0.9], [0.1] * 3], rtol=1e-6)
