import gzip
import struct
from importlib import import_module

import numpy as np
import pytest

from pixelmine.core.errors import SourceError
from pixelmine.core.ids import array_bytes, content_id, file_uri, picture_id, row_id
from pixelmine.input import is_idx_folder, read_part
from pixelmine.input.idx import read_idx


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


PIXELS = np.arange(3 * 4 * 5).reshape(3, 4, 5)
LABELS = np.array([7, 0, 255])


def write(folder, part, pixels=PIXELS, labels=LABELS, pack=gzip.compress, ending=".gz", mark="-"):
    for kind, array in (("images", pixels), ("labels", labels)):
        name = f"{part}-{kind}{mark}idx{array.ndim}-ubyte{ending}"
        (folder / name).write_bytes(pack(idx(array)))


@pytest.mark.parametrize("mark", ["-", "."])
@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bytes, "")])
def test_a_part_is_read(tmp_path, pack, ending, mark):
    write(tmp_path, "train", pack=pack, ending=ending, mark=mark)
    write(tmp_path, "t10k", PIXELS[:1] + 1, LABELS[:1], pack, ending, mark)
    assert is_idx_folder(tmp_path)
    train, test = read_part(tmp_path, "train"), read_part(tmp_path, "test")
    np.testing.assert_array_equal(train.pixels, PIXELS)
    np.testing.assert_array_equal(test.pixels, PIXELS[:1] + 1)
    assert train.pixels.dtype == np.uint8
    assert (train.labels.dtype, train.labels.tolist()) == (np.int64, [7, 0, 255])


def test_each_picture_is_a_member_of_its_file(tmp_path):
    write(tmp_path, "train")
    part = read_part(tmp_path, "train")
    uri = file_uri(tmp_path / "train-images-idx3-ubyte.gz")
    assert part.uri == uri
    assert part.row_ids() == [row_id(uri, "0"), row_id(uri, "1"), row_id(uri, "2")]
    first = np.ascontiguousarray(part.pixels[0])
    assert part.picture_ids()[0] == picture_id(content_id(array_bytes(first)), 0)
    assert len(set(part.picture_ids())) == 3


def test_what_is_no_idx_folder(tmp_path):
    assert not is_idx_folder(tmp_path)
    assert not is_idx_folder(tmp_path / "nothing")
    (tmp_path / "train-images.jpg").touch()
    assert not is_idx_folder(tmp_path)


@pytest.mark.parametrize("absent", ["images", "labels"])
def test_a_part_that_is_not_whole(tmp_path, absent):
    write(tmp_path, "train")
    (file,) = tmp_path.glob(f"train-{absent}*")
    file.unlink()
    with pytest.raises(SourceError, match="holds no train-images and train-labels"):
        read_part(tmp_path, "train")


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [(PIXELS, LABELS[:2]), (PIXELS[0], LABELS[:3]), (PIXELS, PIXELS[0]), (LABELS, LABELS)],
)
def test_sizes_that_do_not_go_together(tmp_path, pixels, labels):
    write(tmp_path, "train", pixels, labels)
    with pytest.raises(SourceError, match=r"must hold \(N, H, W\) pixels and \(N,\) labels. Got"):
        read_part(tmp_path, "train")


GOOD = idx(PIXELS)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an idx file"),
        (b"\0\0\x08", "not an idx file"),
        (b"\xff\xd8\xff\xe0", "not an idx file"),
        (b"\0\0\x0d\x03" + GOOD[4:], "not an idx file of bytes"),
        (b"\0\1\x08\x03" + GOOD[4:], "not an idx file"),
        (GOOD[:4], "header is cut off"),
        (GOOD[:6], "header is cut off"),
        (GOOD[:15], "header is cut off"),
        (GOOD[:16], r"asks for \[3, 4, 5\], and 0 bytes follow"),
        (GOOD[:-1], "59 bytes follow"),
        (GOOD + b"x", "61 bytes follow"),
        (b"\0\0\x08\x04" + struct.pack(">4I", *[2**16] * 4), "0 bytes follow"),
        (b"\0\0\x08\x64" + struct.pack(">100I", *[1] * 100) + b"x", "makes no sense"),
    ],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_damaged_file_is_said_to_be_one(tmp_path, data, said, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(gzip.compress(data) if ending else data)
    with pytest.raises(SourceError, match=said):
        read_idx(path)


@pytest.mark.parametrize(
    "data",
    [gzip.compress(GOOD)[:-9], gzip.compress(GOOD)[:5], GOOD, b"", gzip.compress(GOOD) + b"junk"],
    ids=["cut", "cut early", "not packed", "empty", "more"],
)
def test_a_damaged_gzip_is_said_to_be_one(tmp_path, data):
    path = tmp_path / "a.gz"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.gz"):
        read_idx(path)


def test_a_wrong_check_sum(tmp_path):
    data = bytearray(gzip.compress(GOOD))
    data[-6] ^= 1
    (tmp_path / "a.gz").write_bytes(data)
    with pytest.raises(SourceError, match="cannot be read"):
        read_idx(tmp_path / "a.gz")


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(SourceError, match="cannot be read"):
            read_idx(path)


def test_no_pictures_at_all(tmp_path):
    write(tmp_path, "train", PIXELS[:0], LABELS[:0])
    part = read_part(tmp_path, "train")
    assert part.pixels.shape == (0, 4, 5)
    assert part.row_ids() == part.picture_ids() == []


def test_no_more_is_unpacked_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("pixelmine.input.idx"), "_MAX_BYTES", 40)
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    with pytest.raises(SourceError, match="24 bytes follow"):
        read_idx(tmp_path / "a.gz")


def test_mnist(test_data):
    part = read_part(test_data / "mnist", "test")
    assert part.pixels.shape == (10_000, 28, 28)
    assert np.bincount(part.labels).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ]
    assert part.pixels.mean() == pytest.approx(0.1325 * 255, abs=0.05)  # as everybody measures it
