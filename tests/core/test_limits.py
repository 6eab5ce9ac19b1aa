import dataclasses

import pytest
from PIL import Image

from pixelmine.core import Limits
from pixelmine.core.errors import UsageError


@pytest.mark.parametrize("name", ["max_bytes", "max_pixels"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_is_above_zero(name, value):
    with pytest.raises(UsageError, match=name):
        Limits(**{name: value})


def test_limits_are_named_and_do_not_change():
    with pytest.raises(TypeError):
        Limits(10, 10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().max_pixels = 1


def test_the_default_lies_below_where_pillow_itself_refuses():
    assert Limits().max_pixels < 2 * Image.MAX_IMAGE_PIXELS
