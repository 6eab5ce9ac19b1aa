"""The report's plots, as SVG data URIs.

Their colours are the page's (`templates/colours.css`) and follow the reader's light or dark
setting; their only text is numbers: titles and keys are the page's, in its language and font.
"""

import io
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .calibration import Bin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curve", "reliability_plot"]

INK, MUTED, LINE, ACCENT = "#010101", "#020202", "#030303", "#040404"
"""Stand for the variables below while matplotlib draws."""

_COLOURS = {INK: "--ink", MUTED: "--muted", LINE: "--line", ACCENT: "--accent"}

_FONT = 'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif!important}'


def curve(
    trained: Sequence[float] | None, held_back: Sequence[float] | None, best: int, percent: bool
) -> str:
    """Values by epoch: grey on the pictures trained on, accent on those held back.

    `best`: the epoch marked, from 1. `percent`: values are 0 to 1 and labelled as percentages.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = _canvas(4.4, 2.5)
    for values, colour, width in ((trained, MUTED, 1.2), (held_back, ACCENT, 2.0)):
        if values is not None:
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=colour, linewidth=width, solid_capstyle="round")
    marked = held_back if held_back is not None else trained
    if marked is not None:
        axes.plot([best], [marked[best - 1]], "o", color=ACCENT, markersize=6)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return _data_uri(figure)


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Share right by stated probability, with 95 % whiskers; the dashes are where they agree."""
    from matplotlib.ticker import PercentFormatter

    figure, axes = _canvas(3.6, 3.6)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    stated = [one.confidence for one in bins]
    axes.vlines(
        stated, [b.right.low for b in bins], [b.right.high for b in bins], color=ACCENT, linewidth=1
    )
    axes.plot(stated, [b.right.value for b in bins], "o", color=ACCENT, markersize=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set(xlim=(-0.02, 1.04), ylim=(-0.02, 1.04), aspect="equal")
    return _data_uri(figure)


def _canvas(width: float, height: float) -> "tuple[Figure, Any]":
    """An empty plot of that size in inches, without a frame, with faint lines across."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=MUTED)
    return figure, axes


def _data_uri(figure: "Figure") -> str:
    import matplotlib as mpl

    drawn = io.StringIO()
    nothing: Mapping[str, None] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pixelmine"}):
        figure.savefig(drawn, format="svg", transparent=True, metadata=dict(nothing))
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]  # without the prolog, which names a DTD on the network
    colours = (files(__package__) / "templates" / "colours.css").read_text("utf-8")
    svg = re.sub(r"^(<svg\b[^>]*>)", rf"\1<style>{colours}{_FONT}</style>", svg, count=1)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, f"var({variable})")
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
