"""What decoding is asked for, and what it gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pixelmine.core import Reason
from pixelmine.core.checks import check_one_of

__all__ = ["RULES", "DecodeOptions", "Opened", "Picture", "Refusal", "Still"]

RULES = ("full", "scaled-256")


@dataclass(frozen=True, kw_only=True)
class DecodeOptions:
    """How bytes become pixels; part of a model's card, since it changes the pixels a little.

    `rule`: `full`, or `scaled-256`: a JPEG is decoded at the smallest of the scales 1/8, 1/4, 1/2,
    1 whose short side is at least 256 pixels (libjpeg's other scales are slower than full size).
    `colour`: `rgb` or `grey` (ITU-R BT.601 luma). EXIF orientation is always applied.
    """

    rule: str = "full"
    colour: str = "rgb"

    def __post_init__(self) -> None:
        check_one_of("rule", self.rule, RULES)
        check_one_of("colour", self.colour, ("rgb", "grey"))


@dataclass(frozen=True)
class Picture:
    """`pixels`: uint8 (H, W, C), C = 3 (sRGB) or 1 (grey), upright, at the decode rule's scale.

    `width`, `height`: in pixels as stored, full size, before orientation. `orientation`: the EXIF
    value, 1 to 8, that was applied. `meta`: the EXIF or DICOM fields on the allow-list, as text.
    """

    pixels: np.ndarray
    format: str
    width: int
    height: int
    orientation: int = 1
    meta: dict[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, str | int]:
        """What the `images` table holds of it, without the pixels and `meta`."""
        names = ("format", "width", "height", "orientation")
        return {name: getattr(self, name) for name in names}


class Refusal(Exception):  # noqa: N818  an answer, not a mistake
    """Raised by a decoder that knows the reason itself."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Opened(Protocol):
    """A file whose header has been read. Its methods raise whatever its decoder raises."""

    @property
    def independent(self) -> bool:
        """Whether the frames behind a broken one can still be shown."""
        ...

    def picture(self, frame: int) -> Picture | Reason | None:
        """One frame, by its index in the file; None where the file ends before it."""
        ...

    def count(self) -> int:
        """How many frames the file has, or says that it has."""
        ...

    def moments(self) -> Sequence[int]:
        """Of a video the first frame of each second; of a picture its first frame."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


@dataclass(frozen=True)
class Still:
    """A file that holds one picture."""

    make: Callable[[], Picture | Reason]
    independent: bool = True

    def picture(self, frame: int) -> Picture | Reason | None:
        """The one picture, as frame 0."""
        return self.make() if frame == 0 else None

    def count(self) -> int:
        """One."""
        return 1

    def moments(self) -> Sequence[int]:
        """The first frame."""
        return (0,)

    def close(self) -> None:
        """Nothing is open."""
