"""The learned features: one pass of the network gives embedding and logits together."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from pixelmine.runtime import Network, Outputs

__all__ = ["BATCH", "extract"]

BATCH = 16
"""Pictures in one call of the network: on two cores larger batches were no faster (2026-11)."""


def extract(pixels: Iterable[np.ndarray], network: Network) -> Outputs | None:
    """Run prepared pictures, each (H, W, C), as they come; None where none came."""
    parts = [network.run(batch) for batch in _batches(pixels)]
    if not parts:
        return None
    return Outputs(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.embedding for part in parts]),
    )


def _batches(pixels: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    stream = iter(pixels)
    while batch := list(islice(stream, BATCH)):
        yield np.stack(batch)
