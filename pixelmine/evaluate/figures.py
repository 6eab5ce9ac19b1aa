"""The report's plots, as SVG data URIs."""

from collections.abc import Sequence

from .abstention import Decided
from .calibration import Bin
from .drawing import ACCENT, LINE, MUTED, canvas, data_uri, shares
from .ranking import Curve

__all__ = ["coverage_plot", "curve", "ranking_plot", "reliability_plot"]


def curve(
    trained: Sequence[float] | None, held_back: Sequence[float] | None, best: int, percent: bool
) -> str:
    """Values by epoch: grey on the pictures trained on, accent on those held back.

    `best`: the epoch marked, from 1. `percent`: values are 0 to 1 and labelled as percentages.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = canvas(4.4, 2.5)
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
    return data_uri(figure)


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Share right by stated probability, with 95 % whiskers; the dashes are where they agree."""
    figure, axes = canvas(3.6, 3.6)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    stated = [one.confidence for one in bins]
    axes.vlines(
        stated, [b.right.low for b in bins], [b.right.high for b in bins], color=ACCENT, linewidth=1
    )
    axes.plot(stated, [b.right.value for b in bins], "o", color=ACCENT, markersize=5)
    shares(axes.xaxis, axes.yaxis)
    axes.set(xlim=(-0.02, 1.04), ylim=(-0.02, 1.04), aspect="equal")
    return data_uri(figure)


def ranking_plot(mean: Curve, classes: Sequence[Curve], diagonal: bool) -> str:
    """ROC or precision-recall: thin lines for classes, a thick one for their mean.

    `diagonal`: dashes where an order by chance would lie (ROC).
    """
    figure, axes = canvas(3.6, 3.6)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    for one in classes:
        axes.plot(one.x, one.y, color=MUTED, linewidth=0.8, alpha=0.55)
    axes.plot(mean.x, mean.y, color=ACCENT, linewidth=2.2, solid_joinstyle="round")
    shares(axes.xaxis, axes.yaxis)
    axes.set(xlim=(-0.02, 1.04), ylim=(-0.02, 1.04), aspect="equal")
    return data_uri(figure)


def coverage_plot(points: Sequence[Decided]) -> str:
    """Accuracy by the share of pictures decided, its 95 % interval as a band."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = canvas(4.4, 2.9)
    decided = [one.coverage.value for one in points]
    lows, highs = ([getattr(one.right, end) for one in points] for end in ("low", "high"))
    axes.fill_between(decided, lows, highs, color=LINE, linewidth=0)
    axes.plot(decided, [one.right.value for one in points], color=ACCENT, linewidth=2)
    shares(axes.xaxis)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set(xlim=(-0.02, 1.04))
    return data_uri(figure)
