"""The name of a colour: one of the eleven that large languages share (Berlin and Kay 1969)."""

import numpy as np

__all__ = ["COLOURS", "colour_words", "main_colours"]

COLOURS = (
    *("black", "grey", "white", "red", "orange", "yellow"),
    *("green", "blue", "purple", "pink", "brown"),
)

_GREY = 12.0
"""Chroma in Lab below which a colour has no hue; paint that is called grey has up to about 10."""
_BLACK, _WHITE = 22.0, 82.0
"""Lightness, 0 to 100."""
_HUES = (
    *((20, "pink"), (50, "red"), (72, "orange"), (105, "yellow"), (195, "green")),
    *((308, "blue"), (332, "purple"), (360, "pink")),
)
"""Degrees of hue in Lab up to which a name holds."""
_SHARE = 0.3
"""Of a picture's pixels: a colour that has so many is one of its main ones."""


def colour_words(lab: np.ndarray) -> list[str]:
    """A word for each of (N, 3) colours in CIE Lab."""
    found = []
    for light, a, b in np.asarray(lab, np.float64).tolist():
        chroma, hue = float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)
        if light < _BLACK and chroma < 2 * _GREY:
            found.append("black")
        elif chroma < _GREY:
            found.append("white" if light > _WHITE else "grey")
        else:
            found.append(_hue(light, chroma, hue))
    return found


def main_colours(rgb: np.ndarray) -> list[str]:
    """The colours that at least three tenths of a picture have, uint8 (H, W, 3); most first."""
    from pixelmine.features.dominant import dominant_colours

    lab, shares = dominant_colours(np.ascontiguousarray(rgb), 5)
    total: dict[str, float] = {}
    for word, share in zip(colour_words(lab), shares.tolist(), strict=True):
        total[word] = total.get(word, 0.0) + share
    return sorted((w for w in total if total[w] >= _SHARE), key=lambda w: (-total[w], w))


def _hue(light: float, chroma: float, hue: float) -> str:
    name = next(name for end, name in _HUES if hue <= end)
    warm = name in ("orange", "yellow", "red")
    if warm and (light < 40 or (light < 70 and chroma < 45 and name != "red")):
        return "brown" if name != "red" or hue > 40 else "red"
    if name == "red" and light > 65:
        return "pink"
    if name == "pink" and light < 45:
        return "red"
    return name
