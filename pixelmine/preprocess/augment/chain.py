"""Several augmentations in order, as a recipe lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from pixelmine.core.errors import UsageError

from .affine import RandomAffine
from .augmentation import Augmentation, Mixing
from .crop import RandomCrop, RandomResizedCrop
from .erasing import RandomErasing
from .flip import RandomFlip
from .jitter import ColourJitter
from .mix import CutMix, Mixup
from .rand_augment import RandAugment
from .shift import RandomShift

__all__ = ["AUGMENTATIONS", "augment", "from_card", "mixes", "to_card"]

AUGMENTATIONS: dict[str, type] = {
    "random_flip": RandomFlip,
    "random_affine": RandomAffine,
    "random_shift": RandomShift,
    "random_crop": RandomCrop,
    "random_resized_crop": RandomResizedCrop,
    "colour_jitter": ColourJitter,
    "random_erasing": RandomErasing,
    "rand_augment": RandAugment,
    "mixup": Mixup,
    "cutmix": CutMix,
}


def augment(
    steps: Sequence[Augmentation | Mixing],
    batch: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Run the augmentations on uint8 (N, H, W, C); the labels change only where one mixes.

    `labels`: float32 (N, K) where one `mixes`, else of any kind. What each does follows from the
    state of `rng` alone.
    """
    for step in steps:
        if isinstance(step, Mixing):
            batch, labels = step(batch, labels, rng)
        else:
            batch = step(batch, rng)
    return batch, labels


def mixes(steps: Sequence[Augmentation | Mixing]) -> bool:
    """Whether one of them mixes labels, and takes them as float32 (N, K)."""
    return any(isinstance(step, Mixing) for step in steps)


def from_card(values: Sequence[Mapping[str, Any]]) -> tuple[Augmentation | Mixing, ...]:
    """Read `[{"step": NAME, OPTION: value, ...}, ...]`. Raises UsageError for what is not known."""
    try:
        parts = [dict(value) for value in values]
        return tuple(AUGMENTATIONS[part.pop("step")](**part) for part in parts)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise UsageError(
            f"The augmentation cannot be used: {error}. Each entry has a `step`, one of "
            f"{', '.join(AUGMENTATIONS)}, and its options."
        ) from error


def to_card(steps: Sequence[Augmentation | Mixing]) -> list[dict[str, Any]]:
    """As JSON values; `from_card` gives the same back."""
    names = {kind: name for name, kind in AUGMENTATIONS.items()}
    return [{"step": names[type(step)], **_options(step)} for step in steps]


def _options(step: Any) -> dict[str, Any]:
    values = {field.name: getattr(step, field.name) for field in fields(step)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
