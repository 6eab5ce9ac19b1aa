"""One pass of the network over pictures as they come."""

from collections.abc import Iterator

import numpy as np

from pixelmine.features import extract
from pixelmine.features.embedding import BATCH
from pixelmine.runtime import Outputs


class Mean:
    """Logits and embedding are the mean of each picture; keeps the sizes of its batches."""

    runtime, precision = "test", "f32"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, pixels: np.ndarray) -> Outputs:
        self.sizes.append(len(pixels))
        mean = pixels.reshape(len(pixels), -1).mean(axis=1, keepdims=True).astype(np.float32)
        return Outputs(mean, mean)


def _pictures(count: int) -> Iterator[np.ndarray]:
    return (np.full((2, 2, 1), index, np.uint8) for index in range(count))


def test_every_picture_once_in_order_in_full_batches() -> None:
    network = Mean()
    found = extract(_pictures(2 * BATCH + 3), network, np.asarray)
    assert found is not None
    assert found.logits[:, 0].tolist() == list(range(2 * BATCH + 3))
    assert network.sizes == [BATCH, BATCH, 3]


def test_nothing_gives_none_and_runs_nothing() -> None:
    network = Mean()
    assert extract(iter(()), network, np.asarray) is None
    assert network.sizes == []


def test_pictures_are_taken_as_they_come_not_all_at_once() -> None:
    network, taken = Mean(), []

    def slowly() -> Iterator[np.ndarray]:
        for index, picture in enumerate(_pictures(3 * BATCH)):
            taken.append((index, len(network.sizes)))
            yield picture

    extract(slowly(), network, np.asarray)
    assert taken[BATCH] == (BATCH, 1)
    assert taken[2 * BATCH] == (2 * BATCH, 2)


def test_a_batch_is_normalised_first() -> None:
    found = extract(_pictures(5), Mean(), lambda batch: batch.astype(np.float32) / 2 + 1)
    assert found is not None
    assert found.logits[:, 0].tolist() == [1, 1.5, 2, 2.5, 3]


def test_of_several_views_the_mean_is_given() -> None:
    network = Mean()
    views = (np.stack([np.full((2, 2, 1), n + v, np.uint8) for v in (0, 1, 5)]) for n in range(9))
    found = extract(views, network, np.asarray, views=3)
    assert found is not None
    assert found.logits[:, 0].tolist() == [n + 2 for n in range(9)]
    assert network.sizes == [15, 12]
