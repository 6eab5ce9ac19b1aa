"""The ladder's plot: accuracy over cost, a named point a model, the Pareto front as a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from .drawing import ACCENT, INK, LINE, MUTED, canvas, data_uri
from .interval import Rate

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Point", "scatter"]

_PLACES = (
    *((8, 0, "left", "center"), (-8, 0, "right", "center"), (0, 8, "center", "bottom")),
    *((0, -8, "center", "top"), (6, 6, "left", "bottom"), (-6, 6, "right", "bottom")),
    *((6, -6, "left", "top"), (-6, -6, "right", "top"), (8, 16, "left", "bottom")),
    *((8, -16, "left", "top"), (-8, 16, "right", "bottom"), (-8, -16, "right", "top")),
)
"""Where a name may stand: points to the right and up from its model, and how it is aligned."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One model. `marked`: drawn in the accent colour. `front`: on the Pareto front."""

    name: str
    cost: float
    accuracy: Rate
    marked: bool
    front: bool

    @property
    def up(self) -> float:
        """Where it stands up the plot; `low` and `high`: where its interval ends."""
        return self._up(self.accuracy.value)

    @property
    def low(self) -> float:
        """Of the interval."""
        return self._up(self.accuracy.low)

    @property
    def high(self) -> float:
        """Of the interval."""
        return self._up(self.accuracy.high)

    def _up(self, share: float) -> float:
        return _up(min(share, 1 - 0.25 / self.accuracy.pictures))


def scatter(points: Sequence[Point], written: "Callable[[float], str]") -> str:
    """An SVG data URI. `written` says a cost in words.

    Both axes are logarithmic: across the cost, up the share of mistakes, so that 99 % lies as far
    from 90 % as 99.9 % from 99 %.
    """
    from matplotlib.ticker import NullLocator

    figure, axes = canvas(4.4, 3.5)
    axes.set_xscale("log")
    ends = _ends([one.cost for one in points])
    axes.set_xlim(*ends)
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    ticks = _ticks(*ends)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_ticks(
        ticks, [written(tick).replace(".00", "").replace(".0", "") for tick in ticks]
    )
    front = sorted((one for one in points if one.front), key=lambda one: one.cost)
    axes.plot([one.cost for one in front], [one.up for one in front], color=MUTED, linewidth=1)
    for one in points:
        colour = ACCENT if one.marked else MUTED
        axes.vlines(one.cost, one.low, one.high, color=colour, linewidth=1.2)
        size = 9 if one.marked else 6
        axes.plot([one.cost], [one.up], "o", color=colour, markersize=size, zorder=3)
    axes.margins(y=0.16)
    shares = _shares(*axes.get_ylim())
    axes.yaxis.set_ticks([_up(share) for share in shares], [f"{100 * s:.6g}%" for s in shares])
    _name(figure, axes, points)
    return data_uri(figure)


def _up(share: float) -> float:
    return -log10(1 - share)


def _shares(low: float, high: float) -> list[float]:
    """Accuracies to write at the axis: at most seven of 0, 50, 80, 90, 95, 98, 99 % and so on."""
    found = [0.0]
    for digits in ((5, 2, 1), (3, 1), (1,)):
        found = [1 - d * 10.0**-e for e in range(9) for d in digits if d * 10.0**-e <= 1]
        found = [share for share in found if low <= _up(share) <= high]
        if len(found) <= 7:
            break
    if len(found) < 2:  # all within one step: plain shares
        ends = 1 - 10**-low, 1 - 10**-high
        step = 10.0 ** floor(log10((ends[1] - ends[0]) / 2))
        first, last = ceil(ends[0] / step), floor(ends[1] / step)
        found = [n * step for n in range(first, last + 1)]
        found = found[:: len(found) // 7 + 1]
    return found


def _ends(costs: Sequence[float]) -> tuple[float, float]:
    """Half a decade of room at either side, for names, and at least a decade in all."""
    low, high = min(costs) / 3, max(costs) * 3
    if high / low < 10:
        middle = (low * high) ** 0.5
        return middle / 10**0.5, middle * 10**0.5
    return low, high


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade, 1 and 3, or 1 alone: at most six between the ends."""
    found: list[float] = []
    for digits in ((1, 2, 5), (1, 3), (1,)):
        decades = range(-12, 16)
        found = [d * 10.0**e for e in decades for d in digits if low <= d * 10.0**e <= high]
        if len(found) <= 6:
            return found
    return found[:: len(found) // 6 + 1]


def _name(figure: Any, axes: Any, points: Sequence[Point]) -> None:
    """Put each name at the first place where it covers nothing, or at the one it covers least."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    taken = [_around(axes, one) for one in points]
    front = sorted((one for one in points if one.front), key=lambda one: one.cost)
    lines = [_dots(axes, a, b) for a, b in pairwise(front)]
    inside = axes.get_window_extent()
    for one in sorted(points, key=lambda one: not one.marked):
        best, least = None, float("inf")
        for x, y, across, up in _PLACES:
            label = axes.annotate(
                one.name,
                (one.cost, one.up),
                (x, y),
                textcoords="offset points",
                ha=across,
                va=up,
                fontsize=9,
                color=INK if one.marked else MUTED,
                fontweight="bold" if one.marked else "normal",
                parse_math=False,
            )
            box = label.get_window_extent()
            covered = 2.0 * sum(box.overlaps(other) for other in taken)
            covered += 0.015 * sum(box.contains(*dot) for line in lines for dot in line)
            covered += 5 * (box.x0 < inside.x0 or box.x1 > inside.x1)
            covered += 2 * (box.y0 < inside.y0 or box.y1 > inside.y1)
            if covered < least:
                if best is not None:
                    best.remove()
                best, least = label, covered
            else:
                label.remove()
        if best is not None:
            taken.append(best.get_window_extent())


def _around(axes: Any, one: Point) -> Any:
    """The box of a point and its whisker, in pixels."""
    from matplotlib.transforms import Bbox

    x, low = axes.transData.transform((one.cost, one.low))
    high = axes.transData.transform((one.cost, one.high))[1]
    return Bbox([[x - 5, low - 2], [x + 5, high + 2]])


def _dots(axes: Any, a: Point, b: Point) -> list[tuple[float, float]]:
    """Fifty places along the line from one point to the next, in pixels."""
    start, end = (axes.transData.transform((one.cost, one.up)) for one in (a, b))
    return [tuple(start + (end - start) * i / 49) for i in range(50)]
