"""Names of colours."""

import cv2
import numpy as np
import pytest

from pixelmine.mine.colour_words import COLOURS, colour_words, main_colours

KNOWN = {
    "black": [(0, 0, 0), (25, 25, 30)],
    "grey": [(128, 128, 128), (90, 92, 95), (180, 180, 180)],
    "white": [(255, 255, 255), (235, 235, 230)],
    "red": [(220, 20, 30), (150, 10, 20)],
    "orange": [(250, 130, 10)],
    "yellow": [(250, 230, 30)],
    "green": [(30, 150, 50), (20, 80, 30)],
    "blue": [(20, 60, 200), (90, 150, 220), (20, 30, 90)],
    "purple": [(120, 30, 150)],
    "pink": [(255, 150, 190), (240, 80, 160)],
    "brown": [(110, 70, 30), (140, 100, 60)],
}


@pytest.mark.parametrize(("name", "colours"), KNOWN.items())
def test_a_colour_has_its_name(name: str, colours: list[tuple[int, int, int]]) -> None:
    rgb = np.array(colours, np.float32)[None] / 255
    assert colour_words(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]) == [name] * len(colours)
    assert name in COLOURS


def test_every_colour_has_a_name() -> None:
    levels = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), -1).reshape(1, -1, 3)
    lab = cv2.cvtColor((levels / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    assert set(colour_words(lab)) == set(COLOURS)


def test_a_picture_has_the_colours_that_fill_much_of_it() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:] = (255, 255, 255)
    pixels[:18] = (220, 20, 30)
    pixels[:3, :3] = (20, 60, 200)
    assert main_colours(pixels) == ["white", "red"]
