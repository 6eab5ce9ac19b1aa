"""LZW: the end of the codes is found, in either order."""

import io

import numpy as np
import pytest
from PIL import Image

from pixelmine.privacy.metadata import Stripped, strip
from pixelmine.privacy.metadata.lzw import cut_lzw
from pixelmine.privacy.metadata.stripped import MustEncode


@pytest.mark.parametrize("size", [1, 40, 300])
def test_what_pillow_wrote_is_whole(size: int) -> None:
    """Noise fills the table of 4,096 codes and clears it."""
    noise = np.random.default_rng(3).integers(0, 256, (size, size), dtype=np.uint8)
    for name, options in (("GIF", {}), ("TIFF", {"compression": "tiff_lzw"})):
        out = io.BytesIO()
        Image.fromarray(noise).save(out, name, **options)
        made = strip(out.getvalue())
        assert isinstance(made, Stripped)
        assert made.data is not None, (name, made.why)
        with Image.open(io.BytesIO(made.data)) as image:
            np.testing.assert_array_equal(np.asarray(image.convert("L")), noise)


def test_one_symbol_by_hand() -> None:
    """Clear (4), 1, end (5), three bits each, from the lowest: 100 001 101."""
    coded = bytes((0b01001100, 0b1))
    assert cut_lzw(coded + b"somebody", 2, 1, gif=True) == coded
    assert cut_lzw(bytes((coded[0], 0b11111111)), 2, 1, gif=True)[1] == 1


def test_another_number_of_symbols_is_refused() -> None:
    with pytest.raises(MustEncode):
        cut_lzw(bytes((0b01001100, 0b1)), 2, 2, gif=True)
