"""The learned features: one pass of the network gives embedding and logits together."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from pixelmine.runtime import Network, Outputs

__all__ = ["BATCH", "extract"]

Normalise = Callable[[np.ndarray], np.ndarray]

BATCH = 16
"""Pictures in one call of the network: on two cores larger batches were no faster (2026-11)."""


def extract(
    pixels: Iterable[np.ndarray], network: Network, normalise: Normalise, views: int = 1
) -> Outputs | None:
    """Run prepared pictures, uint8 (H, W, C), as they come; None where none came.

    `normalise`: what the network wants done to a batch first. Of pictures with several `views`,
    (V, H, W, C), the mean is given.
    """
    parts = []
    for batch in _batches(pixels, max(1, BATCH // views)):
        flat = batch.reshape(-1, *batch.shape[2:]) if views > 1 else batch
        parts.append(_mean(network.run(normalise(flat)), views))
    if not parts:
        return None
    return Outputs(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.embedding for part in parts]),
    )


def _mean(found: Outputs, views: int) -> Outputs:
    if views == 1:
        return found
    return Outputs(
        *(v.reshape(-1, views, v.shape[1]).mean(1) for v in (found.logits, found.embedding))
    )


def _batches(pixels: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    stream = iter(pixels)
    while batch := list(islice(stream, size)):
        yield np.stack(batch)
