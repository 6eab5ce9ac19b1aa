"""A decoded picture."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Picture"]


@dataclass(frozen=True)
class Picture:
    """`pixels`: uint8 (H, W, C), C = 3 (RGB) or 1 (grey), upright, at the decode rule's scale.

    `width`, `height`: in pixels as stored, full size, before orientation. `orientation`: the EXIF
    value, 1 to 8, that was applied. `meta`: the EXIF fields on the allow-list, as text.
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
