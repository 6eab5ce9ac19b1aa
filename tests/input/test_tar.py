import gzip
import io
import json
import signal
import tarfile
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixelmine.core import Limits
from pixelmine.core.schema import LISTING
from pixelmine.input.labels import LabelOptions
from pixelmine.input.open import open_source
from pixelmine.input.read import read
from pixelmine.input.source import SourceOptions
from pixelmine.input.tar import TarSource


@pytest.fixture(autouse=True)
def never_hang():
    def too_long(*_):
        pytest.fail("it never ends")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def rows(path, **labels):
    options = SourceOptions(labels=LabelOptions(**labels))
    return [row for b in open_source(path, options).list() for row in b.to_pylist()]


def members(path):
    return [(row["member"], row["reason"]) for row in rows(path)]


def add(archive, name, content=b"x" * 700, **more):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content))


@pytest.fixture(params=["", ".gz"])
def path(request, tmp_path):
    return tmp_path / f"a.tar{request.param}"


def write(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def archive(fill, **options):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", **options) as tar:
        fill(tar)
    return file.getvalue()


def test_what_lies_beside_a_picture_says_what_it_shows(path):
    def fill(tar):
        add(tar, "s/1.jpg")
        add(tar, "s/1.cls", b" seven\n")
        add(tar, "s/1.txt", "ein Hündchen".encode())
        add(tar, "s/1.json", json.dumps({"a": 1, "b": {"c": [1, None]}, "label": "no"}).encode())
        add(tar, "s/2.json", json.dumps({"label": "dog", "who": "ann"}).encode())
        add(tar, "s/2.left.png")
        add(tar, "s/2.right.png")
        add(tar, "s/2.json.bak")
        add(tar, "s/3.cls", b"12")
        add(tar, "s/3.jpg")
        add(tar, "s/3.json", json.dumps({"label": "cat"}).encode())

    write(path, archive(fill))
    found = {row["member"]: row for row in rows(path, group_by="who")}
    assert list(found) == ["s/1.jpg", "s/2.left.png", "s/2.right.png", "s/2.json.bak", "s/3.jpg"]
    one, left, right, _, numbered = found.values()
    assert (one["label"], one["group"]) == ("seven", None)
    assert numbered["label"] == "cat", "a number says less than a name"
    assert dict(one["meta"]) == {"txt": "ein Hündchen", "a": "1", "b": '{"c": [1, null]}'}
    assert (left["label"], left["group"]) == (right["label"], right["group"]) == ("dog", "ann")


def test_a_sidecar_without_a_picture_is_a_row(path):
    write(path, archive(lambda tar: [add(tar, name) for name in ("a.txt", "b.jpg", "c.cls")]))
    assert members(path) == [("a.txt", None), ("b.jpg", None), ("c.cls", None)]


@pytest.mark.parametrize("text", [b"{", b"[1]", b"\xff\xfe", b"[" * 5000, b'"x"', b"9" * 5000])
def test_a_sidecar_that_makes_no_sense_is_kept_as_text(path, text):
    write(path, archive(lambda tar: (add(tar, "a.jpg"), add(tar, "a.json", text))))
    (row,) = rows(path)
    assert row["reason"] is None
    assert dict(row["meta"])["json"] == text.decode("utf-8", "replace")[:1000]


def test_many_pictures_with_one_beginning_keep_their_sidecars(path):
    def fill(tar):
        for n in range(300):
            add(tar, f"frame.{n}.jpg")
            add(tar, f"frame.{n}.cls", str(n).encode())

    write(path, archive(fill))
    assert [row["label"] for row in rows(path)] == [str(n) for n in range(300)]


def test_names_are_only_names(path):
    names = ["/etc/passwd", "../../up.jpg", "a/./b.jpg", "caf\udce9.jpg", "x" * 300, "new\nline"]
    write(path, archive(lambda tar: [add(tar, n) for n in names], errors="surrogateescape"))
    want = ["/etc/passwd", "../../up.jpg", "a/./b.jpg", "caf\\xe9.jpg", "x" * 300, "new\nline"]
    assert members(path) == [(name, None) for name in want]


def test_a_name_that_comes_again_gets_a_number(path):
    names = ["a.jpg", "a.jpg", "a.jpg#2", "b.jpg", "a.jpg"]
    contents = [bytes([n]) * 9 for n in range(5)]
    pairs = list(zip(names, contents, strict=True))
    write(path, archive(lambda tar: [add(tar, *pair) for pair in pairs]))
    found = rows(path)
    wanted = ["a.jpg", "a.jpg#2", "a.jpg#2#2", "b.jpg", "a.jpg#3"]
    assert [row["member"] for row in found] == wanted
    assert [read(row, Limits()) for row in found] == contents


def test_links_folders_and_devices_are_no_rows(path):
    def fill(tar):
        add(tar, "a.jpg")
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, b"6"):
            add(tar, f"x{kind!r}", b"", type=kind, linkname="a.jpg")
        add(tar, "b.jpg")

    write(path, archive(fill))
    assert members(path) == [("a.jpg", None), ("b.jpg", None)]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar(path, form):
    name = "ordner" * 12 + "/" + "é" * 40 + ".jpg"
    write(path, archive(lambda tar: [add(tar, "a", b"1"), add(tar, name, b"22")], format=form))
    assert [read(row, Limits()) for row in rows(path)] == [b"1", b"22"]
    assert rows(path)[1]["member"] == name


def three(tar):
    for name in "abc":
        add(tar, name)


@pytest.mark.parametrize(
    ("cut", "left"),
    [(812, []), (1546, ["a"]), (2053, ["a"]), (3 * 1536, ["a", "b", "c"])],
)
def test_an_archive_that_breaks_off_says_so_behind_what_was_there(path, cut, left):
    whole = archive(three)
    write(path, whole[:cut])
    found = rows(path)
    assert [(row["member"], row["reason"]) for row in found] == [
        *((name, None) for name in left),
        ("", "truncated"),
    ]
    assert found[-1]["size"] == path.stat().st_size


def test_a_compressed_archive_that_breaks_off(tmp_path):
    path = tmp_path / "a.tar.gz"
    import os

    noise = os.urandom(50_000)
    packed = gzip.compress(archive(lambda tar: [add(tar, n, noise) for n in "abc"]))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    assert members(path)[-1] == ("", "truncated")
    assert members(path)[0] == ("a", None)
    packed = gzip.compress(
        archive(lambda tar: [add(tar, n, bytes(noise.hex(), "ascii")) for n in "abc"])
    )
    path.write_bytes(packed[:90_000] + b"\xff" * 100 + packed[90_100:])
    assert members(path)[0] == ("a", None)
    assert members(path)[-1] == ("", "corrupt")


def test_garbage_between_members(path):
    whole = bytearray(archive(three))
    whole[1536 : 1536 + 100] = b"\xaa" * 100
    write(path, bytes(whole))
    assert members(path) == [("a", None), ("", "corrupt")]


def test_a_header_that_asks_for_much_memory_gets_none(path):
    info = tarfile.TarInfo("x")
    info.type, info.size = b"L", 2**33
    good = archive(lambda tar: add(tar, "a.jpg"))[:1536]
    write(path, good + info.tobuf(tarfile.GNU_FORMAT) + bytes(2**16))
    tracemalloc.start()
    assert members(path) == [("a.jpg", None), ("", "corrupt")]
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("size", [-1, -512, -1536, -(2**40)])
def test_a_size_below_zero_does_not_go_round(path, size):
    info = tarfile.TarInfo("x")
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" + (2**88 + size).to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    write(path, archive(lambda tar: add(tar, "a.jpg"))[:1536] + bytes(head) + bytes(1024))
    assert members(path) == [("a.jpg", None), ("", "corrupt")]


def test_a_member_over_the_limit_is_not_read(tmp_path, monkeypatch):
    import pixelmine.input.tar as module

    plain, packed = tmp_path / "a.tar", tmp_path / "a.tar.gz"
    for path in (plain, packed):
        write(path, archive(lambda tar: [add(tar, "a", b"x" * 1000), add(tar, "b", b"y" * 10)]))
    monkeypatch.setattr(module, "Limits", lambda: Limits(max_bytes=100))
    assert members(packed) == [("a", "too_large_file"), ("b", None)]
    assert [read(row, Limits(max_bytes=100)) for row in rows(plain)] == [
        "too_large_file",
        b"y" * 10,
    ]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_broken_archive_is_listed_to_some_end(tmp_path, data):
    whole = bytearray(archive(three, format=data.draw(st.sampled_from([0, 1, 2]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + 4] = data.draw(st.binary(min_size=1, max_size=4))
    (tmp_path / "a.tar").write_bytes(whole)
    for batch in TarSource(tmp_path / "a.tar", SourceOptions()).rows():
        assert set(batch) <= set(LISTING.names)


def test_twenty_thousand_members_take_seconds_and_little_memory(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for n in range(20_000):
            add(tar, f"{n:06d}.jpg", b"x")
    start = time.perf_counter()
    total = sum(batch.num_rows for batch in open_source(path, SourceOptions()).list())
    took = time.perf_counter() - start
    assert total == 20_000
    assert took < 20  # about 2 s on one core
    tracemalloc.start()
    source = TarSource(path, SourceOptions())
    assert sum(1 for _ in source.rows()) == 20_000
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    print(f"{took:.1f} s")
