"""An empty plot in the page's colours, and how it becomes an SVG data URI.

The colours are the page's (`templates/colours.css`) and follow the reader's light or dark setting;
a plot's only text is numbers and the names of models: titles and keys are the page's.
"""

import io
import re
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "INK", "LINE", "MUTED", "canvas", "data_uri", "shares"]

INK, MUTED, LINE, ACCENT = "#010101", "#020202", "#030303", "#040404"
"""Stand for the variables below while matplotlib draws."""

_COLOURS = {INK: "--ink", MUTED: "--muted", LINE: "--line", ACCENT: "--accent"}

_FONT = 'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif!important}'


def canvas(width: float, height: float) -> "tuple[Figure, Any]":
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


def shares(*axes: Any) -> None:
    """Mark an axis from 0 to 100 %."""
    from matplotlib.ticker import PercentFormatter

    for axis in axes:
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def data_uri(figure: "Figure") -> str:
    """The plot as SVG, in the page's colours."""
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
