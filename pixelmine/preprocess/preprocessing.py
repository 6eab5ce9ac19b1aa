"""All of a model's preprocessing, as its card carries it."""

from dataclasses import MISSING, asdict, dataclass, field, fields
from math import prod
from typing import Any, Self

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import ModelError, UsageError

from .colour import to_grey
from .decode import DecodeOptions, decode
from .steps import STEPS, Resize, Step

__all__ = ["Preprocessing"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Decode options, then steps in order. The same in training, in batch and over HTTP."""

    decode: DecodeOptions = field(default_factory=DecodeOptions)
    steps: tuple[Step, ...] = ()

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

    def prepare(self, data: bytes, limits: Limits) -> np.ndarray | Reason:
        """A picture's bytes to what the network takes, (H, W, C), or the reason why not."""
        picture = decode(data, self.decode, limits)
        if isinstance(picture, Reason):
            return picture
        pixels = picture.pixels
        for step in self.steps:
            if isinstance(step, Resize) and prod(step.size(pixels)) > limits.max_pixels:
                return Reason.TOO_MANY_PIXELS  # long and narrow: its short side is enlarged
            pixels = step(pixels)
        return pixels


def _options(step: Any) -> dict[str, Any]:
    values = {f.name: getattr(step, f.name) for f in fields(step)}
    defaults = {f.name: f.default for f in fields(step)}
    changed = {n: v for n, v in values.items() if defaults[n] is MISSING or v is not None}
    return {n: list(v) if isinstance(v, tuple) else v for n, v in changed.items()}
