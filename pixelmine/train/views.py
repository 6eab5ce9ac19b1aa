"""What the first, unchanging blocks of a network make of pictures, computed once and kept on disk.

N pictures, V views of each, and (h, w, D) values of a view behind those blocks. They are kept as
uint8, a quarter of float32, so that the loop takes them as it takes pictures: a channel's values
within six standard deviations of its mean are spread evenly over 0 to 255, and a step is .05 of a
standard deviation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine.preprocess import Normalise
from pixelmine.preprocess.augment import Augmentation, Mixing, augment, mixes
from pixelmine.preprocess.steps import Resize

from .data import Examples
from .events import Events
from .pixels import IN_MEMORY, mapped

__all__ = ["View", "resized", "seen_through"]

_BATCH = 32
_MEASURED = 512
_REACH = 6.0
_HALF = 127.5


def resized(examples: Examples, side: int, path: Path) -> Examples:
    """The same pictures as `side` x `side` pixels; too many for memory, in a new file at `path`."""
    if examples.x.shape[1:3] == (side, side):
        return examples
    scale = Resize(height=side, width=side)
    shape = (len(examples), side, side, examples.x.shape[-1])
    x = mapped(path, shape) if np.prod(shape) > IN_MEMORY else np.empty(shape, np.uint8)
    for index in range(len(examples)):
        x[index] = scale(examples.x[index])
    return replace(examples, x=x)


class View:
    """`front`, a `keras.Model` of (N, H, W, C) to (N, h, w, D), behind its own `normalise`."""

    def __init__(self, front: Any, normalise: Normalise, seed: int) -> None:
        self._front, self._normalise, self._seed = front, normalise, seed

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take uint8 (N, H, W, C), give float32 (N, h, w, D)."""
        return np.asarray(self._front.predict_on_batch(self._normalise(pixels)))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(h, w, D)."""
        _, height, width, channels = self._front.output_shape
        return height, width, channels

    def measure(self, examples: Examples) -> Normalise:
        """What turns kept values back, by up to 512 pictures; the same for the same seed."""
        rows = np.random.default_rng(self._seed).permutation(len(examples))[:_MEASURED]
        parts = [self(examples.x[batch]).reshape(-1, self.shape[2]) for batch in _split(rows)]
        values = np.concatenate(parts).astype(np.float64)
        mean = values.mean(axis=0)
        std = _HALF / (_REACH * np.maximum(values.std(axis=0), 1e-6))
        return Normalise(mean=tuple((_HALF - mean * std).tolist()), std=tuple(std.tolist()))

    def views(
        self, examples: Examples, steps: Sequence[Augmentation | Mixing], number: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows and their values, batch by batch; view 0 is not augmented."""
        for place, rows in enumerate(_split(np.arange(len(examples)))):
            pixels = examples.x[rows]
            if number:
                rng = np.random.default_rng([self._seed, number, place])
                pixels, _ = augment(steps, pixels, examples.y[rows], rng)
            yield rows, self(pixels)


def seen_through(
    view: View,
    examples: Examples,
    *,
    normalise: Normalise,
    steps: Sequence[Augmentation | Mixing],
    count: int,
    path: Path,
    events: Events,
) -> Examples:
    """`count` views of each picture, as examples of their own, picture 0 of each view first.

    `normalise` is from `view.measure`. `x` is mapped from `path`, which is written; a file that a
    training before has left is written again. Steps that mix labels are left out: a view has the
    label of its picture.
    """
    steps = [step for step in steps if not mixes((step,))]
    mean, std = (np.asarray(v, np.float32) for v in (normalise.mean, normalise.std))
    shape = (count * len(examples), *view.shape)
    x = mapped(path, shape)
    events.start("views", len(x))
    for number in range(count):
        for rows, values in view.views(examples, steps, number):
            kept = np.clip(np.rint(values * std + mean), 0, 255)
            x[number * len(examples) + rows] = kept.astype(np.uint8)
            events.advance(len(rows))
    events.finish()
    return replace(
        examples,
        x=x,
        y=np.concatenate([examples.y] * count),
        picture_ids=examples.picture_ids * count,
        groups=examples.groups * count,
        part=examples.part * count,
    )


def _split(rows: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), _BATCH):
        yield rows[at : at + _BATCH]
