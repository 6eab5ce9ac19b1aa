"""The map of clusters as a plot: a point a picture, coloured by its cluster, with the names."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from pixelmine.evaluate.drawing import INK, canvas, data_uri

__all__ = ["PALETTE", "map_plot"]

PALETTE = (
    *("#4C78C8", "#E07B39", "#3F9E5A", "#D1495B", "#8C6BB1", "#9C6B4E", "#D678B8", "#7F8C3A"),
    *("#2A9DB0", "#C79A2B", "#5E81F4", "#6FAE3B"),
)
"""Of middle lightness, so that they stand out on white and on black alike."""
_ODD = "#8A8A8A"
_MOST = 20_000
"""Points that are drawn; of more a seeded sample."""
_NAMED, _LONG = 24, 26
"""Names that are written, of the largest clusters, and characters of each."""
_INCHES = 7.0
_LINE = 0.028
"""Height of a line of text, and .62 of it the width of a character, of the whole plot."""


def map_plot(x: np.ndarray, y: np.ndarray, cluster: np.ndarray, names: Mapping[int, str]) -> str:
    """A data URI. `x`, `y`: (N,), 0 to 1. `cluster`: int (N,), -1 for none; `names`: by cluster."""
    figure, axes = canvas(_INCHES, _INCHES)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set(xticks=[], yticks=[], xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    shown = np.arange(len(x))
    if len(x) > _MOST:
        shown = np.sort(np.random.default_rng(0).choice(len(x), _MOST, replace=False))
    colours = np.array([_ODD if c < 0 else PALETTE[c % len(PALETTE)] for c in cluster[shown]])
    inside = cluster[shown] >= 0
    size = float(np.clip(20_000 / max(len(shown), 1), 1.5, 14))
    for some, alpha in ((~inside, 0.3), (inside, 0.75)):  # the odd ones lie below
        axes.scatter(
            x[shown][some],
            y[shown][some],
            s=size,
            c=colours[some],
            alpha=alpha,
            linewidths=0,
            rasterized=True,
        )
    largest = sorted(names, key=lambda c: (-int((cluster == c).sum()), c))[:_NAMED]
    at = [(float(np.median(x[cluster == c])), float(np.median(y[cluster == c]))) for c in largest]
    texts = [_short(names[c]) for c in largest]
    for text, (left, up) in zip(texts, _apart(at, texts), strict=True):
        axes.text(left, up, text, ha="center", va="center", fontsize=8, color=INK)
    with warnings.catch_warnings():
        # The names are written as text, in the reader's own font.
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font")
        return data_uri(figure)


def _short(name: str) -> str:
    return name if len(name) <= _LONG else f"{name[: _LONG - 1].rstrip(', ')}…"


def _apart(at: Sequence[tuple[float, float]], texts: Sequence[str]) -> list[tuple[float, float]]:
    """Where the texts stand: moved up or down until none lies over one before it."""
    placed: list[tuple[float, float]] = []
    for (x, y), text in zip(at, texts, strict=True):
        for step in range(60):
            here = y + (step + 1) // 2 * _LINE * (1 if step % 2 else -1)
            if not any(
                abs(here - other) < _LINE
                and abs(x - beside) < 0.31 * _LINE * (len(text) + len(texts[number]))
                for number, (beside, other) in enumerate(placed)
            ):
                break
        placed.append((x, here))
    return placed
