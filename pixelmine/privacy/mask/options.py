"""How a mask is made."""

from dataclasses import dataclass

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError

__all__ = ["STYLES", "MaskOptions"]

STYLES = ("fill", "mosaic", "blur")
_MAX_GROW = 10.0
_MAX_CELLS = 16
"""Across a box. Of a mosaic of 16, smoothed, a face embedding is still .597 from the face's own,
where below .6 is the same face."""


@dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """`style`: `fill` is the default, and the one style that is no function of what it hides.

    `grow`: each box grows so many times about its middle first; 1.3 covers a face whose box is a
    little off. `colour`: of `fill`, (red, green, blue), each 0 to 255.

    `mosaic` and `blur` are WEAKER: what is left of a face or a number can be matched, or found by
    trying. Measured as the distance of face embeddings, of which below .6 is the same face: a
    mosaic of 16 cells a side, smoothed, .597; a Gaussian of 4 pixels .51; a blur as wide as half
    the face .74. `cells`: of the mosaic, at most so many across the longer side of a grown box.
    `sigma`: of the blur, a fraction of that side.

    Raises UsageError for a value out of its range.
    """

    style: str = "fill"
    grow: float = 1.3
    colour: tuple[int, int, int] = (0, 0, 0)
    cells: int = 6
    sigma: float = 0.15

    def __post_init__(self) -> None:
        check_one_of("style", self.style, STYLES)
        if not 1 <= self.grow <= _MAX_GROW:
            raise UsageError(f"grow must be 1 to {_MAX_GROW:g}. Got {self.grow:g} instead.")
        if len(self.colour) != 3 or not all(
            isinstance(level, int) and 0 <= level <= 255 for level in self.colour
        ):
            raise UsageError(
                f"colour must be three whole numbers, 0 to 255. Got {self.colour!r} instead."
            )
        if not isinstance(self.cells, int):
            raise UsageError(f"cells must be a whole number. Got {self.cells!r} instead.")
        check_positive("cells", self.cells, _MAX_CELLS)
        check_positive("sigma", self.sigma, 1)

    @property
    def weaker(self) -> bool:
        """Whether what is masked can be undone or matched in part."""
        return self.style != "fill"

    @property
    def luma(self) -> int:
        """Of `colour`, as ITU-R BT.601 has it, 0 to 255."""
        red, green, blue = self.colour
        return round(0.299 * red + 0.587 * green + 0.114 * blue)
