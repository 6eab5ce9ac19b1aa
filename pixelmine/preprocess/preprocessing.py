"""All of a model's preprocessing, as its card carries it.

`prepare` is two halves, so that pixels cross from one process to another as uint8, a quarter of the
bytes: `prepare_uint8` on each picture, then `normalise` on the batch. Together they give the same
values, to the bit.
"""

from dataclasses import MISSING, asdict, dataclass, field, fields
from math import prod
from typing import Any, Self

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import ModelError, UsageError

from .colour import to_grey
from .decode import DecodeOptions, decode
from .steps import STEPS, UINT8_STEPS, FiveCrop, Grows, Normalise, Step

__all__ = ["Preprocessing"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Decode options, then steps in order. The same in training, in batch and over HTTP.

    A step that takes uint8 alone (colours, equalising, denoising) stands before any `Normalise`.
    `FiveCrop`, behind which only `Normalise` may stand, makes a picture (V, H, W, C), with V = 5
    views, instead of (H, W, C). Raises UsageError for another order.
    """

    decode: DecodeOptions = field(default_factory=DecodeOptions)
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for place, step in enumerate(self.steps):
            before = {type(other) for other in self.steps[:place]}
            if FiveCrop in before and not isinstance(step, Normalise):
                raise UsageError("five_crop gives five pictures: only normalise may come after it.")
            if Normalise in before and isinstance(step, UINT8_STEPS):
                raise UsageError(
                    f"{type(step).__name__} takes uint8, and normalise gives float32: put it first."
                )

    @classmethod
    def from_card(cls, value: dict[str, Any]) -> Self:
        """Read `card.preprocessing`. Raises ModelError for a step or option not known."""
        try:
            steps = [dict(step) for step in value["steps"]]
            return cls(
                decode=DecodeOptions(**value["decode"]),
                steps=tuple(STEPS[step.pop("step")](**step) for step in steps),
            )
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise ModelError(
                f"its preprocessing is not known to this version: {error!r}. "
                f"Known steps: {', '.join(STEPS)}."
            ) from error

    def to_card(self) -> dict[str, Any]:
        """As JSON values; `from_card` gives the same back."""
        names = {kind: name for name, kind in STEPS.items()}
        steps = [{"step": names[type(step)], **_options(step)} for step in self.steps]
        return {"decode": asdict(self.decode), "steps": steps}

    @property
    def before_normalise(self) -> tuple[Step, ...]:
        """All steps but the `Normalise` at the end."""
        last = len(self.steps)
        while last and isinstance(self.steps[last - 1], Normalise):
            last -= 1
        return self.steps[:last]

    @property
    def views(self) -> int:
        """Views of one picture, whose logits are averaged: 5 with `FiveCrop`, else 1."""
        return 5 if any(isinstance(step, FiveCrop) for step in self.steps) else 1

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Run the steps on one decoded picture, (H, W, C) uint8, or (H, W) grey."""
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        for step in self.steps:
            pixels = step(pixels)
        return pixels

    def from_array(self, pixels: np.ndarray) -> np.ndarray:
        """Run the steps on an array that is no file: uint8 (H, W) grey, or (H, W, 3) RGB."""
        grey = pixels.ndim == 2
        if grey and self.decode.colour == "rgb":
            return self(np.repeat(pixels[..., None], 3, axis=2))
        if not grey and self.decode.colour == "grey":
            return self(to_grey(pixels))
        return self(pixels)

    def prepare(self, data: bytes, limits: Limits, frame: int = 0) -> np.ndarray | Reason:
        """One frame of a picture's bytes to what the network takes, or the reason why not.

        (H, W, C), or (V, H, W, C) where there are `views`.
        """
        pixels = self.prepare_uint8(data, limits, frame)
        return pixels if isinstance(pixels, Reason) else self.normalise(pixels)

    def prepare_uint8(self, data: bytes, limits: Limits, frame: int = 0) -> np.ndarray | Reason:
        """As `prepare`, without the `Normalise` at the end: uint8, for `normalise` to take."""
        picture = decode(data, self.decode, limits, frame)
        return picture if isinstance(picture, Reason) else self.apply_uint8(picture.pixels, limits)

    def apply_uint8(self, pixels: np.ndarray, limits: Limits) -> np.ndarray | Reason:
        """As `prepare_uint8`, from a picture already decoded, uint8 (H, W, C)."""
        for step in self.before_normalise:
            if isinstance(step, Grows) and prod(step.size(pixels)) > limits.max_pixels:
                return Reason.TOO_MANY_PIXELS  # long and narrow: its short side is enlarged
            pixels = step(pixels)
        return pixels

    def normalise(self, batch: np.ndarray) -> np.ndarray:
        """Run the `Normalise` at the end on (..., H, W, C): on a picture, its views, or a batch.

        Gives the batch itself where there is none.
        """
        for step in self.steps[len(self.before_normalise) :]:
            batch = step(batch)
        return batch


def _options(step: Any) -> dict[str, Any]:
    values = {f.name: getattr(step, f.name) for f in fields(step)}
    defaults = {f.name: f.default for f in fields(step)}
    changed = {n: v for n, v in values.items() if defaults[n] is MISSING or v is not None}
    return {n: list(v) if isinstance(v, tuple) else v for n, v in changed.items()}
