import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError, UsageError
from pixelmine.core.schema import RESULTS
from pixelmine.output import PartitionedSink, partitioned, sorting
from tests.output.conftest import bad, good, name_of
from tests.output.receivers import batch_of


def labelled(number, label):
    return good(number, top=[{"index": 0, "label": label, "probability": 0.5}])


def finish(sink, rows):
    sink.start()
    sink.write(clear(batch_of(rows), PassPolicy()))
    return sink.finish(row["row_id"] for row in rows)


def folders(path):
    return sorted(found.name for found in path.iterdir())


@pytest.fixture
def make(tmp_path):
    return lambda by=None: PartitionedSink(tmp_path / "out", tmp_path / "state", by)


def test_without_a_column_it_is_a_folder_of_parquet(make):
    sink = make()
    assert finish(sink, [good(1), bad(3)]).items == 2
    assert folders(sink.path) == ["part-000001.parquet"]
    assert pq.read_table(sink.path / "part-000001.parquet").schema == RESULTS


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("label", ["label=__HIVE_DEFAULT_PARTITION__", "label=a%2Fb", "label=cat", "label=cat%20"]),
        ("status", ["status=failed", "status=ok"]),
        ("reason", ["reason=__HIVE_DEFAULT_PARTITION__", "reason=empty"]),
    ],
)
def test_each_value_has_its_folder(make, by, expected):
    sink = make(by)
    rows = [labelled(n, ["cat", "a/b", "cat "][n % 3]) for n in range(30)]
    rows += [bad(number, reason="empty") for number in range(30, 40)]
    assert finish(sink, rows).items == 40
    assert [name.replace(" ", "%20") for name in folders(sink.path)] == expected
    found = ds.dataset(sink.path, partitioning="hive").to_table().to_pylist()
    assert len(found) == 40
    for row in found:
        if by == "label":
            assert row["label"] == (row["top"][0]["label"] if row["top"] else None)


def test_rows_of_many_values_are_held_in_bounded_memory(make, monkeypatch):
    monkeypatch.setattr(sorting, "BUCKET", 50)
    monkeypatch.setattr(partitioned, "HELD_ROWS", 60)
    monkeypatch.setattr(partitioned, "FILE_ROWS", 40)
    sink = make("label")
    rows = [labelled(n, f"{n % 7 if n % 2 else 0}") for n in range(500)]
    assert finish(sink, rows).items == 500
    files = list(sink.path.rglob("*.parquet"))
    assert (
        max(pq.read_metadata(path).num_rows for path in files) < 40 + 80
    )  # a file that was not full, and a bucket
    assert len(list((sink.path / "label=0").iterdir())) > 5
    found = ds.dataset(sink.path, partitioning="hive").to_table()
    assert sorted(found["row_id"].to_pylist()) == sorted(map(name_of, range(500)))


def test_long_labels_that_begin_alike_do_not_meet(make):
    sink = make("label")
    ends = ["x", "y", "z" * 1000]
    assert finish(sink, [labelled(n, "长" * 100 + end) for n, end in enumerate(ends)]).items == 3
    assert len(folders(sink.path)) == 3
    assert ds.dataset(sink.path, partitioning="hive").count_rows() == 3


@pytest.mark.parametrize("name", ["photo.jpg", "label=cat/photo.jpg", "a/part-000001.parquet"])
def test_what_no_run_wrote_is_never_replaced(make, name):
    sink = make("label")
    path = sink.path / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    for begin in (sink.start, sink.restart, lambda: sink.finish([])):
        with pytest.raises(OutputError, match="which no run wrote"):
            begin()
    assert path.read_text() == "precious"


def test_a_later_run_replaces_it_as_a_whole(make):
    sink = make("label")
    finish(sink, [labelled(1, "a"), labelled(2, "b")])
    again = make("label")
    again.start()
    again.finish([name_of(2)])
    assert folders(sink.path) == ["label=b"]


def test_a_file_is_no_folder(make):
    make().path.write_text("old")
    with pytest.raises(OutputError, match="is a file"):
        make().start()


def test_only_some_columns_split(make):
    with pytest.raises(UsageError, match="label, reason, status"):
        make("uri")


def test_what_a_kill_left_is_removed(make):
    sink = make()
    for name in (".out.abcd_123.tmp", ".out.abcd_123.old", ".out.mine"):
        (sink.path.parent / name).mkdir()
        (sink.path.parent / name / "part-000001.parquet").touch()
    sink.start()
    assert folders(sink.path.parent) == [".out.mine"]
