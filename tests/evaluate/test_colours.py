"""Every text of the report can be read: WCAG 2.1, 4.5 to 1 for text and 3 to 1 for lines."""

import re
from importlib.resources import files

import numpy as np
import pytest

CSS = (files("pixelmine.evaluate") / "templates" / "colours.css").read_text("utf-8")
LIGHT, DARK = (dict(re.findall(r"--(\w+): ([^;]+);", part)) for part in CSS.split("@media"))


def rgb(colour):
    if colour.startswith("#"):
        return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return np.array([int(part) for part in colour.split()])


def luminance(colour):
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["ink", "muted", "accent"])
@pytest.mark.parametrize("ground", ["page", "raised"])
def test_words(mode, text, ground):
    assert contrast(rgb(mode[text]), rgb(mode[ground])) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_on_the_darkest_cell_of_the_confusion_matrix(mode):
    depth = 0.6 * float(mode["depth"])
    cell = depth * rgb(mode["tint"]) + (1 - depth) * rgb(mode["page"])
    assert contrast(rgb(mode["ink"]), cell) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
def test_the_tint_is_the_accent(mode):
    assert rgb(mode["tint"]).tolist() == rgb(mode["accent"]).tolist()
    assert rgb(mode["grey"]).tolist() == rgb(mode["ink"]).tolist()
