"""JPEG: what cannot be shown to be pixels is not rewritten."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.planted_metadata import photograph
from pixelmine.privacy.metadata import Stripped, strip


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(photograph()).convert(mode)
    image.save(out, "JPEG", **options)
    return out.getvalue()


def made(data: bytes) -> Stripped:
    one = strip(data)
    assert isinstance(one, Stripped)
    return one


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_pixels_are_the_same(mode: str, progressive: bool) -> None:
    data = jpeg(mode, progressive=progressive, comment=b"somebody", restart_marker_rows=1)
    one = made(data)
    assert one.data is not None, one.why
    assert b"somebody" not in one.data
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (data, one.data))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("progressive", [False, True])
def test_bytes_behind_the_coded_data_are_seen(progressive: bool) -> None:
    data = jpeg(progressive=progressive)
    one = made(data[:-2] + b"somebody who is here" + data[-2:])
    assert one.data is None
    assert "coded data" in one.why


def test_coded_data_and_tables_are_byte_for_byte() -> None:
    data = jpeg()
    assert made(data).data == data
    assert made(data).removed == ()


def test_a_dead_table_goes() -> None:
    data = jpeg()
    table = b"\xff\xdb\x00\x43\x00" + b"somebody".ljust(64, b"x")
    one = made(data[:20] + table + data[20:])
    assert one.data == data
    assert one.removed == ("unused table",)


def test_a_cut_file_is_for_the_decoder() -> None:
    assert made(jpeg()[:-50]).data is None
