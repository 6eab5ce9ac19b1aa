"""What every source promises, asked of each kind."""

import inspect
import os
import pickle
from pathlib import Path

import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import content_id, row_id
from pixelmine.core.schema import LISTING
from pixelmine.input.open import open_source
from pixelmine.input.read import must_keep, read
from pixelmine.input.source import SourceOptions
from pixelmine.store.bytes import ByteStore

QUERY = SourceOptions(query="select * from pictures order by id")


def packed(ending):
    return lambda made, path: made.write_tar(path / f"a.tar.{ending}", mode=f"w:{ending}")


def zstd_tar(made, path):
    import pyarrow as pa

    made.write_tar(path / "a.tar")
    with pa.CompressedOutputStream(str(path / "a.tar.zst"), "zstd") as file:
        file.write((path / "a.tar").read_bytes())
    return path / "a.tar.zst"


def shards(made, path):
    for n, (name, content) in enumerate(made.PICTURES.items()):
        made.write_tar(path / f"{n}.tar", {name: content})
    return path / "*.tar"


def urls(made, path):
    lines = [f"https://user:S3CRET@h.example/{n}.jpg?sig=S3CRET\n" for n in range(6)]
    (path / "urls.txt").write_text("".join(lines))
    return path / "urls.txt"


KINDS = {
    "folder": lambda made, path: made.write_folder(path),
    "file": lambda made, path: made.write_folder(path) / "dog" / "0.jpg",
    "tar": lambda made, path: made.write_tar(path / "a.tar"),
    "tar named otherwise": lambda made, path: made.write_tar(path / "a.jpg"),
    "tar.gz": packed("gz"),
    "tar.bz2": packed("bz2"),
    "tar.xz": packed("xz"),
    "tar.zst": zstd_tar,
    "pattern": shards,
    "zip": lambda made, path: made.write_zip(path / "a.zip"),
    "zip stored": lambda made, path: made.write_zip(path / "a.zip", method=0),
    "npz": lambda made, path: made.write_npz(path / "a.npz"),
    "idx folder": lambda made, path: made.write_idx(path / "idx"),
    "idx file": lambda made, path: made.write_idx(path / "idx") / "train-images-idx3-ubyte",
    "parquet": lambda made, path: made.write_parquet(path / "a.parquet"),
    "arrow stream": lambda made, path: made.write_arrow(path / "a.arrow"),
    "arrow file": lambda made, path: made.write_arrow(path / "a.arrow", stream=False),
    "arrow packed": lambda made, path: made.write_arrow(path / "a.arrow", compression="zstd"),
    "csv": lambda made, path: made.write_csv(path),
    "jsonl": lambda made, path: made.write_jsonl(path / "a.jsonl"),
    "urls": urls,
    "sqlite": lambda made, path: f"sqlite:///{made.write_sqlite(path / 'a.db')}",
}
COUNTS = {"file": 1, "npz": 7, "idx folder": 7, "idx file": 5}
INLINE = {"tar.gz", "tar.bz2", "tar.xz", "tar.zst", "arrow packed", "jsonl", "sqlite"}
PARTED = {"tar", "tar named otherwise", "pattern", "arrow stream", "arrow file"}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def source(kind, tmp_path, made):
    return open_source(KINDS[kind](made, tmp_path), QUERY)


def rows(source):
    return [row for batch in source.list() for row in batch.to_pylist()]


def test_rows_match_the_schema_exactly(source):
    batches = list(source.list())
    assert all(batch.schema.equals(LISTING) for batch in batches)
    for row in rows(source):
        assert row["row_id"] == row_id(row["uri"], row["member"])
        assert row["frame"] == 0


def test_each_picture_is_one_row(source, kind):
    found = rows(source)
    assert len(found) == COUNTS.get(kind, 6)
    assert len({row["row_id"] for row in found}) == len(found)
    assert not [row for row in found if row["reason"]]


def test_listing_twice_gives_the_same(source):
    assert rows(source) == rows(source)


def test_listing_is_streamed(source):
    assert inspect.isgenerator(source.list())
    assert next(source.list()).num_rows  # and may be left off


def test_a_row_is_read_to_its_bytes(source, kind, made):
    if kind == "urls":
        pytest.skip("nothing is fetched here")
    contents = []
    for row in rows(source):
        data = read(row, Limits())
        assert isinstance(data, bytes), (row, data)
        assert row["size"] == len(data)
        contents.append(data)
    if kind not in ("npz", "idx folder", "idx file", "file"):
        assert sorted(contents) == sorted(made.PICTURES.values())


def test_rows_are_read_from_a_collection_too(source, kind, tmp_path):
    """An `images` row has no `data` and no `address`, and names its `content_id`."""
    if kind == "urls":
        pytest.skip("nothing is fetched here")
    kept = ByteStore(tmp_path / "kept")
    for row in rows(source):
        assert must_keep(row) == (kind in INLINE)
        data = read(row, Limits())
        if must_keep(row):
            kept.put(data)
        images = {k: v for k, v in row.items() if k not in ("data", "address", "label")}
        images["content_id"] = content_id(data)
        assert read(images, Limits(), kept) == data
        wrong = read({**images, "content_id": content_id(b"")}, Limits(), kept)
        assert wrong is (Reason.UNREADABLE if must_keep(row) else Reason.CHANGED)


def test_rows_are_read_in_any_order(source, kind):
    if kind == "urls":
        pytest.skip("nothing is fetched here")
    found = rows(source)
    forward = [read(row, Limits()) for row in found]
    assert [read(row, Limits()) for row in reversed(found)] == forward[::-1]


def test_a_picture_over_the_limit_is_not_read(source, kind):
    if kind == "urls":
        pytest.skip("nothing is fetched here")
    for row in rows(source):
        size = row["size"]
        assert read(row, Limits(max_bytes=size - 30)) is Reason.TOO_LARGE_FILE


def test_only_what_cannot_be_read_again_carries_its_bytes(source, kind):
    for row in rows(source):
        assert (row["data"] is not None) == (kind in INLINE)
        assert (row["offset"] is not None) == (kind in PARTED)


def test_uris_are_canonical(source, kind):
    for uri in {source.uri, *(row["uri"] for row in rows(source))}:
        assert uri.startswith(("file:///", "https://h.example/", "sqlite:////"))
        assert "S3CRET" not in uri
        assert "?" not in uri


def test_it_can_be_pickled(source):
    again = pickle.loads(pickle.dumps(source))
    assert again == source
    assert rows(again) == rows(source)


def test_what_lies_in_a_container_that_changed_is_not_read(source, kind):
    if kind in INLINE | {"urls", "folder", "file", "csv"}:
        pytest.skip("its rows are files of their own, or carry their bytes")
    found = rows(source)
    for path in {row["uri"].removeprefix("file://") for row in found}:
        os.utime(path, ns=(1, 1))
    assert {read(row, Limits()) for row in found} == {Reason.CHANGED}


def test_what_is_gone_is_not_found(source, kind):
    if kind in INLINE | {"urls"}:
        pytest.skip("its rows carry their bytes, or an address")
    found = rows(source)
    for path in {row["uri"].removeprefix("file://") for row in found}:
        Path(path).unlink()
    assert {read(row, Limits()) for row in found} == {Reason.NOT_FOUND}
