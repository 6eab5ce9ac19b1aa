import io
import stat
import struct
import threading
import tracemalloc
import warnings
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits, Reason
from pixelmine.input.open import open_source
from pixelmine.input.read import read
from pixelmine.input.source import SourceOptions
from pixelmine.input.zip import ZipSource, read_member


def rows(path):
    return [row for b in open_source(path, SourceOptions()).list() for row in b.to_pylist()]


def reads(path, **limits):
    return {row["member"]: read(row, Limits(**limits)) for row in rows(path)}


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_every_method_of_packing(tmp_path, made, method):
    path = made.write_zip(tmp_path / "a.zip", method=method)
    assert reads(path) == made.PICTURES


def test_folders_and_links_are_no_rows_and_names_only_names(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder")
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name in ("../up.jpg", "/top.jpg", "é\n.jpg"):
            archive.writestr(name, name)
    assert reads(path) == {n: n.encode() for n in ("../up.jpg", "/top.jpg", "é\n.jpg")}


def test_a_name_that_comes_again_gets_a_number(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the names that this test is about
        for name, content in (("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")):
            archive.writestr(name, content)
    assert reads(path) == {"a": b"1", "a#2": b"2", "b": b"3", "a#3": b"4"}


def test_members_without_a_name(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("b", b"2")
    data = path.read_bytes()
    for name in (b"a", b"b"):
        data = data.replace(b"\0" * 2 + name, b"\0" * 3)
    path.write_bytes(data)
    assert [row["member"] for row in rows(path)] == ["(no name)", "(no name)#2"]
    assert set(reads(path).values()) <= {b"1", b"2", Reason.CORRUPT}


def test_a_locked_member_is_denied(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("b", b"2")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    data[6] |= 1
    path.write_bytes(data)
    assert [row["reason"] for row in rows(path)] == ["denied", None]
    assert reads(path) == {"a": Reason.DENIED, "b": b"2"}


def test_damaged_bytes_are_corrupt(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"ABCDEFGH" * 100)
        archive.writestr("b", b"2")
    path.write_bytes(path.read_bytes().replace(b"ABCDEFGH", b"ABCDEFGX", 1))
    assert reads(path) == {"a": Reason.CORRUPT, "b": b"2"}


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(200_000_000))
    honest = path.read_bytes()
    lying = bytearray(honest)
    at = lying.index(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<I", 10)
    for data, reason in ((honest, Reason.TOO_LARGE_FILE), (bytes(lying), Reason.CORRUPT)):
        path.write_bytes(data)
        tracemalloc.start()
        assert reads(path, max_bytes=1_000_000) == {"a": reason}
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
        tracemalloc.stop()


def test_an_unknown_method_of_packing(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 98
    path.write_bytes(data)
    assert [row["reason"] for row in rows(path)] == ["unsupported_format"]


def test_a_zip_that_was_cut_off_is_a_row(tmp_path, made):
    path = made.write_zip(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-30])
    assert [(row["member"], row["reason"]) for row in rows(path)] == [("", "truncated")]


def test_a_member_that_is_not_there(tmp_path, made):
    path = made.write_zip(tmp_path / "a.zip")
    assert read_member(path, "nothing", Limits()) is Reason.NOT_FOUND
    assert read_member(tmp_path / "b.zip", "a", Limits()) is Reason.NOT_FOUND


def test_many_threads_read_one_zip(tmp_path, made):
    path = made.write_zip(tmp_path / "a.zip")
    wrong = []

    def look():
        for _ in range(50):
            for name, content in made.PICTURES.items():
                if read_member(path, name, Limits()) != content:
                    wrong.append(name)

    threads = [threading.Thread(target=look) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wrong == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_broken_zip_is_listed_and_read_to_some_end(tmp_path, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", data.draw(st.sampled_from([0, 8, 12, 14]))) as archive:
        for name in "abé":
            archive.writestr(name, name * 500)
    whole = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    path = tmp_path / "a.zip"
    path.write_bytes(whole)
    for row in ZipSource(path, SourceOptions()).rows():
        assert isinstance(read_member(path, row["member"], Limits()), bytes | Reason)
