import gzip
import zipfile

import numpy as np
import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import array_bytes, content_id, picture_id
from pixelmine.input import idx_source, npz, read_part
from pixelmine.input.open import open_source
from pixelmine.input.read import read
from pixelmine.input.source import SourceOptions


def rows(path):
    return [row for b in open_source(path, SourceOptions()).list() for row in b.to_pylist()]


def reasons(path):
    return [(row["member"], row["reason"]) for row in rows(path)]


def test_rows_and_pictures_of_idx_are_those_of_a_part(tmp_path, made):
    folder = made.write_idx(tmp_path)
    found = rows(folder)
    for name, count in (("train", 5), ("test", 2)):
        part = read_part(folder, name)
        here = [row for row in found if dict(row["meta"])["part"] == name]
        assert [row["row_id"] for row in here] == part.row_ids()
        data = [read(row, Limits()) for row in here]
        assert [picture_id(content_id(d), 0) for d in data] == part.picture_ids()
        assert [row["label"] for row in here] == [str(n) for n in part.labels] != []
        assert len(here) == count
        assert [row["size"] for row in here] == [len(d) for d in data]


def test_idx_without_labels(tmp_path, made):
    made.write_idx(tmp_path)
    for file in tmp_path.glob("*labels*"):
        file.write_bytes(b"\0\0\x08\x01\0\0\0\x09xx")
    assert {row["label"] for row in rows(tmp_path)} == {None}
    for file in tmp_path.glob("*labels*"):
        file.unlink()
    assert [row["label"] for row in rows(tmp_path)] == [None] * 7


def test_damaged_idx_is_a_row(tmp_path, made):
    made.write_idx(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    whole = path.read_bytes()
    for data, reason in (
        (whole[:-1], "corrupt"),
        (gzip.compress(whole)[:-20], "truncated"),
        (made.idx(np.arange(4)), "not_an_image"),
        (made.idx(np.zeros((9, 0, 0))), "not_an_image"),
    ):
        path.write_bytes(data)
        assert reasons(path) == [("", reason)]
    assert reasons(tmp_path)[0] == ("", "not_an_image")
    assert len(rows(tmp_path)) == 3


@pytest.mark.parametrize("member", ["5", "-1", "x", "", "1.5", "\u0661"])
def test_a_position_that_is_none(tmp_path, made, member):
    folder, file = made.write_idx(tmp_path), made.write_npz(tmp_path / "a.npz")
    path = folder / "train-images-idx3-ubyte"
    assert idx_source.read_member(path, member, Limits()) is Reason.NOT_FOUND
    assert npz.read_member(file, f"train_images/{member}", Limits()) is Reason.NOT_FOUND
    assert npz.read_member(file, f"nothing/{member}", Limits()) is Reason.NOT_FOUND


def test_an_npz_says_labels_and_parts(tmp_path, made):
    path = made.write_npz(tmp_path / "a.npz")
    found = rows(path)
    assert [row["member"] for row in found] == [
        *(f"train_images/{n}" for n in range(5)),
        *(f"test_images/{n}" for n in range(2)),
    ]
    assert [row["label"] for row in found] == ["0", "1", "2", "3", "4", "7", "8"]
    assert [dict(row["meta"])["part"] for row in found] == ["train"] * 5 + ["test"] * 2
    with np.load(path) as arrays:
        for row in found:
            name, _, index = row["member"].partition("/")
            assert read(row, Limits()) == array_bytes(arrays[name][int(index)])


@pytest.mark.parametrize(
    ("names", "labelled"),
    [
        (("x_train", "y_train"), True),
        (("X", "y"), True),
        (("images", "labels"), True),
        (("image", "label"), True),
        (("x_train", "y_test"), False),
        (("box", "boy"), False),
    ],
)
def test_names_of_arrays(tmp_path, names, labelled):
    pixels, labels = np.zeros((4, 5, 6), np.uint8), np.array([3, 1, 2, 0])
    np.savez(tmp_path / "a.npz", **dict(zip(names, (pixels, labels), strict=True)))
    wanted = ["3", "1", "2", "0"] if labelled else [None] * 4
    assert [row["label"] for row in rows(tmp_path / "a.npz")] == wanted


def test_arrays_of_every_shape(tmp_path):
    path = tmp_path / "a.npz"
    shapes = {"grey": (2, 5, 6), "one": (2, 5, 6, 1), "rgba": (2, 5, 6, 4), "photo": (5, 6, 3)}
    others = {"flat": (5, 6), "five": (2, 5, 6, 5), "none": (9, 0, 0), "line": (7,)}
    arrays = {name: np.ones(shape, np.uint8) for name, shape in (shapes | others).items()}
    arrays["grey"] = np.asfortranarray(arrays["grey"])
    np.savez(path, **arrays, float=np.ones((2, 5, 6)))
    found = {row["member"]: row for row in rows(path)}
    assert list(found) == [
        *("grey/0", "grey/1", "one/0", "one/1", "rgba/0", "rgba/1", "photo"),
    ]
    for member, row in found.items():
        name, _, index = member.partition("/")
        array = arrays[name][int(index)] if index else arrays[name]
        assert read(row, Limits()) == array_bytes(array)
        assert row["size"] == len(array_bytes(array))
    np.savez(path, flat=np.ones((5, 6), np.uint8), line=np.ones(7, np.uint8))
    assert reasons(path) == [("flat", None)]  # without a stack it is no list of labels
    np.savez(path, float=np.ones((2, 5, 6)))
    assert reasons(path) == [("", "not_an_image")]


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.array([{"a": 1}, None], object), more=np.zeros((1, 5, 6), np.uint8))
    assert reasons(path) == [("more/0", None)]
    assert npz.read_member(path, "images/0", Limits()) is Reason.CORRUPT


def test_an_array_that_claims_more_than_is_there(tmp_path):
    path = tmp_path / "a.npz"
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1, 1), }\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
        archive.writestr("b.npy", b"\x93NUMPY\x09\x00")
        archive.writestr("c.npy", b"garbage")
    assert reasons(path) == [("a", "corrupt"), ("b", "unsupported_format"), ("c", "corrupt")]
    assert npz.read_member(path, "a/0", Limits()) is Reason.CORRUPT


def test_a_directory_that_claims_more_than_can_be_packed(tmp_path):
    path = tmp_path / "a.npz"
    head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1, 1), }\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (1_000_000_100).to_bytes(4, "little")
    path.write_bytes(data)
    assert reasons(path) == [("a", "corrupt")]


def test_an_array_is_unpacked_once(tmp_path, made, monkeypatch):
    path, calls = made.write_npz(tmp_path / "a.npz"), []
    whole = npz._load

    def counted(*args):
        calls.append(args)
        return whole(*args)

    found = rows(path)
    monkeypatch.setattr(npz, "_load", counted)
    for row in found:
        read(row, Limits())
    assert len(calls) == 2


def test_chest_x_rays(test_data):
    (path,) = (test_data / "pneumoniamnist").glob("*.npz")
    found = rows(path)
    parts = [dict(row["meta"])["part"] for row in found]
    assert {part: parts.count(part) for part in parts} == {"train": 2428, "val": 270, "test": 468}
    assert {row["label"] for row in found} == {"0", "1"}


def test_mnist(test_data):
    found = rows(test_data / "mnist")
    assert len(found) == 70_000
    part = read_part(test_data / "mnist", "test")
    here = [row for row in found if dict(row["meta"])["part"] == "test"]
    assert [row["row_id"] for row in here] == part.row_ids()
    assert [row["label"] for row in here] == [str(label) for label in part.labels]
