"""Pictures as bytes."""

import io
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from pixelmine.core import Limits
from pixelmine.preprocess import DecodeOptions, Picture, decode


@pytest.fixture(scope="session")
def photo():
    """scikit-learn's photograph of a temple, uint8 (427, 640, 3)."""
    with Image.open(files("sklearn.datasets") / "images" / "china.jpg") as image:
        return np.asarray(image)


@pytest.fixture(scope="session")
def encode():
    def encoded(pixels, form, **options):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        file = io.BytesIO()
        image.save(file, form, **options)
        return file.getvalue()

    return encoded


@pytest.fixture(scope="session")
def look():
    """Decode what must be a picture."""

    def decoded(data, rule="full", colour="rgb"):
        found = decode(data, DecodeOptions(rule=rule, colour=colour), Limits())
        assert isinstance(found, Picture), found
        channels = 1 if colour == "grey" else 3
        assert found.pixels.dtype == np.uint8
        assert found.pixels.shape[2:] == (channels,)
        return found

    return decoded
