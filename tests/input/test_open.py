import gzip
import os
import shutil
from importlib import import_module

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import file_uri
from pixelmine.core.registry import Registry
from pixelmine.input.kinds import kind_of
from pixelmine.input.labelled import many
from pixelmine.input.labels import FOLDERS, LabelOptions
from pixelmine.input.open import SOURCES, STREAMS, open_source
from pixelmine.input.read import MEMBERS, READERS, must_keep, read
from pixelmine.input.rows import Places
from pixelmine.input.source import SourceOptions


def rows(source, **labels):
    if not hasattr(source, "list"):
        source = open_source(source, SourceOptions(labels=LabelOptions(**labels)))
    found = [row for batch in source.list() for row in batch.to_pylist()]
    assert len({row["row_id"] for row in found}) == len(found)
    return found


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.tar", b"", "picture"),
        ("a.tar", bytes(1024), "tar"),
        ("a.jpg", bytes(1024), "picture"),
        ("a.zip", b"\xff\xd8\xff\xe0", "picture"),
        ("a.jpg", b"PK\x05\x06" + bytes(18), "zip"),
        ("a.csv", b"file,label\n", "csv"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        ("a.csv", b"\xff\xd8\xff\xe0abc", "csv"),
        ("a.txt", b"file,label\n", "picture"),
        ("a.jsonl", b' \n{"a": 1}', "jsonl"),
        ("a.jsonl", b"[1]", "picture"),
        ("a.html", b"<a href='https://x'>", "picture"),
        ("a", b"https://h/a.jpg\n", "lines"),
        ("a", b"ARROW1\0\0", "arrow"),
        ("a", b"\xff\xff\xff\xff\x08\x01\0\0", "arrow"),
        ("a", b"\xff\xff\xff\xff\x07\x01\0\0", "picture"),
        ("a", b"PAR1", "parquet"),
        ("a.ico", b"\0\0\1\0\1\0", "picture"),
        ("a", b"\0\0\x08\x03\0", "idx"),
        ("a.svgz", gzip.compress(b"<svg/>", mtime=0), "picture"),
        ("a.csv.gz", gzip.compress(b"file\n", mtime=0), "csv"),
        ("a.gz", gzip.compress(b"\0\0\x08\x03\0\0\0", mtime=0), "idx"),
        ("a.gz", b"\x1f\x8b\x08", "picture"),
        ("a.gz", gzip.compress(b"\xff\xd8\xff", mtime=0)[:-9], "picture"),
        ("a.gz", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "picture"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(tmp_path, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content)
    assert kind_of(path) == kind


def test_what_cannot_be_opened_is_a_picture_without_bytes(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("pipe", "broken", "nothing"):
        assert kind_of(tmp_path / name) == "picture"
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        rows(tmp_path / "pipe")


@pytest.mark.parametrize("text", ["nothing", "nothing/*.tar", "file:///nothing"])
def test_a_source_that_is_not_there(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=r"There is no file|Nothing matches"):
        rows(text)


def test_a_source_that_holds_nothing(tmp_path, made):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", made.write_zip(tmp_path / "a.zip", {})):
        with pytest.raises(SourceError, match="holds no files"):
            rows(path)


@pytest.mark.parametrize("scheme", STREAMS)
def test_a_stream_is_no_source(scheme):
    with pytest.raises(UsageError, match="stream") as caught:
        open_source(f"{scheme}://user:SECRET@h/x", SourceOptions())
    assert "SECRET" not in str(caught.value)


def test_a_scheme_that_nobody_knows():
    with pytest.raises(UsageError, match="Known: az, gs, http") as caught:
        open_source("gopher://user:SECRET@h/x", SourceOptions())
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", SOURCES.names())
def test_every_scheme_has_its_source(name):
    assert callable(SOURCES.get(name))


@pytest.mark.parametrize("registry", [READERS, MEMBERS])
def test_every_reader_is_there(registry):
    assert all(callable(registry.get(name)) for name in registry.names())


def test_an_address_is_a_source():
    (row,) = rows("https://h.example/cat/a.jpg?sig=1", labels=FOLDERS)
    assert (row["uri"], row["label"]) == ("https://h.example/cat/a.jpg", "cat")


def test_a_path_as_an_address(tmp_path):
    (tmp_path / "a b.jpg").write_bytes(b"1")
    (row,) = rows(file_uri(tmp_path / "a b.jpg"))
    assert read(row, Limits()) == b"1"


def test_a_pattern_is_all_that_it_matches(tmp_path, made):
    for name in ("2.tar", "10.tar", "1.tar"):
        made.write_tar(tmp_path / name, {"x.jpg": b"1"})
    (tmp_path / "a.jpg").write_bytes(b"1")
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "b.jpg").write_bytes(b"1")
    source = open_source(tmp_path / "*.tar", SourceOptions())
    assert [row["uri"].rpartition("/")[2] for row in rows(source)] == ["1.tar", "10.tar", "2.tar"]
    made.write_tar(tmp_path / "3.tar", {"x.jpg": b"1"})
    assert len(rows(source)) == 4
    found = rows(tmp_path / "**", labels=FOLDERS)
    assert [row["label"] for row in found if row["uri"].endswith("b.jpg")] == ["cat"]
    out = SourceOptions(leave_out=(tmp_path / "3.tar",))
    assert len(rows(open_source(tmp_path / "*.tar", out))) == 3


def test_a_name_with_a_star_is_a_name_first(tmp_path):
    for name in ("a*.jpg", "ab.jpg"):
        (tmp_path / name).write_bytes(b"1")
    (row,) = rows(tmp_path / "a*.jpg")
    assert row["uri"] == file_uri(tmp_path / "a*.jpg")


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz", "zip"])
def test_labels_of_a_user_go_to_members_too(tmp_path, made, kind):
    path = tmp_path / f"s.{kind}"
    if kind == "folder":
        made.write_folder(path)
    elif kind == "zip":
        made.write_zip(path)
    else:
        made.write_tar(path, mode="w:gz" if kind == "tar.gz" else "w")
    labels = tmp_path / "labels.csv"
    labels.write_text("image,label,who\ndog/0.jpg,path,a\n1.jpg,name,b\n2,stem,c\nz.jpg,gone,d\n")
    found = rows(path, labels=str(labels), group_by="who")
    told = [(row["label"], row["group"], row["reason"]) for row in found if row["label"]]
    assert sorted(told, key=str) == [
        ("gone", "d", "not_found"),
        ("name", "b", None),
        ("path", "a", None),
        ("stem", "c", None),
    ]
    assert len(found) == 7
    found = rows(path, labels=FOLDERS, group_by=FOLDERS)
    assert sorted(row["label"] for row in found) == ["cat"] * 3 + ["dog"] * 3
    assert all(row["label"] == row["group"] for row in found)


def test_labels_of_a_user_go_to_addresses_too(tmp_path):
    (tmp_path / "urls.txt").write_text(
        "https://h/x/a%20b.jpg?k=1\nhttps://h/c.jpg\nhttps://h/d.jpg\n"
    )
    labels = tmp_path / "labels.csv"
    labels.write_text("url,image,label\n,a b.jpg,one\n,c,two\n,https://h/d.jpg,three\n")
    found = rows(tmp_path / "urls.txt", labels=str(labels), name_column="image")
    assert [row["label"] for row in found] == ["one", "two", "three"]


def test_a_user_has_the_last_word(tmp_path, made):
    (tmp_path / "p").mkdir()
    path = made.write_csv(tmp_path / "p")
    labels = tmp_path / "labels.csv"
    labels.write_text("image,label,n\n0.jpg,other,x\n1.jpg,,\n")
    found = rows(path, labels=str(labels))
    assert [row["label"] for row in found] == ["other", "cat", "dog", "cat", "dog", "cat"]
    assert [dict(row["meta"])["n"] for row in found] == ["x", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("kind", ["npz", "zip", "folder", "idx", "https://h/a.jpg"])
def test_what_has_no_columns_says_so(tmp_path, made, kind):
    path = {
        "npz": lambda: made.write_npz(tmp_path / "a.npz"),
        "zip": lambda: made.write_zip(tmp_path / "a.zip"),
        "folder": lambda: made.write_folder(tmp_path),
        "idx": lambda: made.write_idx(tmp_path / "idx"),
    }.get(kind, lambda: kind)()
    for labels in ({"group_by": "sender"}, {"label_column": "what"}):
        with pytest.raises(UsageError, match="--labels"):
            rows(path, **labels)


def test_several_sources_are_one(tmp_path, made):
    one, two = made.write_tar(tmp_path / "1.tar"), made.write_zip(tmp_path / "2.zip")
    labels = tmp_path / "labels.csv"
    labels.write_text("image,label\n0.jpg,x\nz.jpg,y\n")
    options = SourceOptions(labels=LabelOptions(labels=str(labels)))
    source = many([open_source(one, options), open_source(two, options)])
    found = rows(source)
    assert len(found) == 13
    assert [row["label"] for row in found if row["reason"]] == ["y"]
    assert source.uri == f"{file_uri(one)} {file_uri(two)}"


def test_tables_that_share_a_file(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"1")
    sources = []
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("file\na.jpg\n")
        sources.append(open_source(tmp_path / name, SourceOptions()))
    assert [row["member"] for row in rows(many(sources))] == ["", "#2"]


def test_a_source_within_another(tmp_path, made):
    made.write_folder(tmp_path / "a")
    made.write_folder(tmp_path / "ab")
    options = SourceOptions()
    whole, part = (open_source(tmp_path / name, options) for name in ("a", "a/dog"))
    with pytest.raises(UsageError, match=r"a/dog lies within .*a\. Give only one"):
        many([part, whole])
    with pytest.raises(UsageError, match="lies within"):
        many([whole, whole])
    assert len(rows(many([whole, open_source(tmp_path / "ab", options)]))) == 12
    shutil.rmtree(tmp_path / "a")


def test_a_registered_reader_gets_the_row(monkeypatch):
    seen = []

    def fetch(row, limits, allow_private):
        seen.append((row["address"], limits.max_bytes, allow_private))
        return b"1"

    readers = Registry("reader", {"x1": "nowhere:nothing"})
    monkeypatch.setattr(readers, "get", lambda _: fetch)
    monkeypatch.setattr(import_module("pixelmine.input.read"), "READERS", readers)
    row = {"uri": "x1://h/a", "address": "x1://u:p@h/a"}
    assert read(row, Limits(max_bytes=7)) == b"1"
    assert read(row, Limits(max_bytes=7), allow_private=True) == b"1"
    assert seen == [("x1://u:p@h/a", 7, False), ("x1://u:p@h/a", 7, True)]
    assert read({**row, "uri": "x2://h/a"}, Limits()) is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"uri": "file:///a", "data": b""}, True),
        ({"uri": "http://h/a"}, True),
        ({"uri": "https://h/a", "data": None}, True),
        ({"uri": "s3://b/a"}, False),
        ({"uri": "file:///a", "data": None}, False),
    ],
)
def test_what_must_be_kept(row, wanted):
    assert must_keep(row) is wanted


@pytest.mark.parametrize("count", [10, 200_000])
def test_places_are_told_apart(count):
    places = Places()
    assert all(places.member("u", str(n)) == str(n) for n in range(count))
    assert places.member("u", "7") == "7#2"
    assert places.member("v", "7") == "7"
    assert [places.member("u", "x") for _ in range(4)] == ["x", "x#2", "x#3", "x#4"]
