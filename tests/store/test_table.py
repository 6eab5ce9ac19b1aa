import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta

import lance
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import CollectionError, OutputError
from pixelmine.store import Table
from pixelmine.store import table as module
from pixelmine.store.lock import WriteLock

SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.int64())])


def make(folder, name="t", key=("key",), schema=SCHEMA):
    return Table(folder / f"{name}.lance", schema, key, WriteLock(folder / ".lock"))


@pytest.fixture
def table(tmp_path):
    return make(tmp_path)


def rows(*pairs):
    return pa.Table.from_pylist([{"key": key, "value": value} for key, value in pairs], SCHEMA)


def content(table):
    return sorted((row["key"], row["value"]) for row in table.read().to_pylist())


def test_a_table_that_was_never_written_is_empty(table):
    assert not table.exists
    assert (table.version, table.count(), list(table.scan())) == (0, 0, [])
    assert table.read() == rows()
    assert table.read(["value"]).schema.names == ["value"]
    table.compact(timedelta(0))
    table.upsert(rows())
    assert not table.path.exists()


def test_append_adds_rows_as_they_are(table):
    table.append(rows(("a", 1), ("a", 1)))
    table.append(rows(("a", 1)).to_batches()[0])
    assert content(table) == [("a", 1)] * 3


def test_insert_new_keeps_what_is_there(table):
    table.insert_new(rows(("a", 1), ("b", 2)))
    table.insert_new(rows(("b", 9), ("c", None)))
    assert sorted(content(table)[:2]) == [("a", 1), ("b", 2)]
    assert table.read(where="key = 'c'")["value"].to_pylist() == [None]
    assert table.count() == 3


def test_upsert_replaces(table):
    table.upsert(rows(("a", 1), ("b", 2)))
    table.upsert(rows(("b", 9), ("c", 3)))
    assert content(table) == [("a", 1), ("b", 9), ("c", 3)]


@pytest.mark.parametrize("commit", ["insert_new", "upsert"])
def test_the_same_commit_twice_changes_nothing(table, commit):
    for _ in range(2):
        getattr(table, commit)(rows(("a", 1), ("b", 2)))
    assert content(table) == [("a", 1), ("b", 2)]


def test_a_key_that_comes_twice_in_one_commit_is_one_row(table):
    table.insert_new(rows(("a", 1), ("b", 2), ("a", 3)))
    assert content(table) == [("a", 1), ("b", 2)]
    table.upsert(rows(("a", 4), ("c", 5), ("a", 6), ("c", 7)))
    assert content(table) == [("a", 6), ("b", 2), ("c", 7)]


def test_a_key_of_two_columns(tmp_path):
    table = make(tmp_path, key=("key", "value"))
    table.insert_new(rows(("a", 1), ("a", 2), ("a", 1)))
    table.insert_new(rows(("a", 2), ("b", 2)))
    assert content(table) == [("a", 1), ("a", 2), ("b", 2)]


def test_columns_are_put_in_order_and_others_left_out(table):
    mixed = pa.table({"more": ["x"], "value": pa.array([1], pa.int32()), "key": ["a"]})
    table.upsert(mixed)
    assert table.read() == rows(("a", 1))


def test_where_and_columns(table):
    table.append(rows(*((f"{n}", n) for n in range(100))))
    assert sorted(table.read(["value"], "value >= 97")["value"].to_pylist()) == [97, 98, 99]
    assert table.count("value < 10") == 10
    batches = [batch.num_rows for batch in table.scan(batch_size=7)]
    assert (sum(batches), max(batches)) == (100, 7)
    for senseless in ("nothing = 1", "value ===", "value = 'x'"):
        with pytest.raises(ValueError, match="Invalid user input"):
            table.read(where=senseless)


def test_each_commit_is_a_version(table):
    table.append(rows(("a", 1)))
    first = table.version
    table.append(rows(("b", 1)))
    assert table.version == first + 1
    table.append(rows())
    assert table.version == first + 1


def test_compacting_keeps_the_rows_and_what_can_be_done_with_them(table):
    for n in range(4):
        table.upsert(rows((f"{n}", n), ("same", n)))
    before = content(table)
    table.compact(timedelta(days=7))
    assert content(table) == before
    table.compact(timedelta(0))
    assert content(table) == before
    table.upsert(rows(("same", 7), ("new", 1)))
    table.insert_new(rows(("same", 8), ("0", 8)))
    assert content(table) == sorted([*before[:-1], ("same", 7), ("new", 1)])
    assert len(list(table.path.glob("_versions/*.manifest"))) <= 4


def test_an_index_is_made_when_it_is_worth_it_and_kept_up(table, monkeypatch):
    def indexed():
        return len(lance.dataset(str(table.path)).describe_indices())

    table.index()
    monkeypatch.setattr(module, "_WORTH_AN_INDEX", 100)
    table.insert_new(rows(*((f"{n}", n) for n in range(99))))
    table.index()
    assert indexed() == 0
    table.insert_new(rows(*((f"{n}", n) for n in range(90, 200))))
    for _ in range(2):
        table.index()
        assert indexed() == 1
    table.upsert(rows(("150", -1), ("new", 1)))
    assert table.read(where="key IN ('150', 'new', '7')").num_rows == 3
    table.index()
    assert table.read(where="key = '150'")["value"].to_pylist() == [-1]
    assert table.count() == 201


def test_strange_folder_names(tmp_path):
    for name in ("a b", "50%20", "#1", "what?", "[a]", "é", "*"):
        table = make(tmp_path / name)
        (tmp_path / name).mkdir()
        table.upsert(rows((name, 1)))
        assert content(table) == [(name, 1)]


commits = st.lists(
    st.tuples(
        st.sampled_from(["insert_new", "upsert"]),
        st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=4),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=12, database=None)
@given(commits)
def test_against_a_dict(tmp_path_factory, made):
    table, model = make(tmp_path_factory.mktemp("t")), {}
    for commit, pairs in made:
        getattr(table, commit)(rows(*pairs))
        first = dict(reversed(pairs))
        model = {**model, **dict(pairs)} if commit == "upsert" else {**first, **model}
    assert content(table) == sorted(model.items())


@pytest.mark.parametrize("damage", ["cut", "junk", "empty", "gone"])
@pytest.mark.parametrize("part", ["data/*", "_versions/*.manifest"])
def test_an_unreadable_table_is_said_to_be_one(table, damage, part):
    table.upsert(rows(("a", 1)))
    for file in table.path.glob(part):
        whole = file.read_bytes()
        left = {"cut": whole[:-10], "junk": b"x" * len(whole), "empty": b"", "gone": None}[damage]
        if left is None:
            file.unlink()
        else:
            file.write_bytes(left)
    with pytest.raises(CollectionError, match=r"t\.lance cannot be read .* pictures are untouched"):
        table.read()
    with pytest.raises(CollectionError, match=r"t\.lance cannot be read"):
        table.read(where="value = 1")
    with pytest.raises(CollectionError, match=r"t\.lance cannot be read"):
        table.count("value = 1")
    with pytest.raises((CollectionError, OutputError), match=r"t\.lance"):
        table.upsert(rows(("a", 2)))


COMMIT = """
import os, sys
from pathlib import Path
import lance
import pyarrow as pa
from pixelmine.store import Table
from pixelmine.store.lock import WriteLock

folder, processes, turns = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
who = next((n for n in range(1, processes) if os.fork() == 0), 0)  # lance has no threads yet
schema = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.int64())])
table = Table(folder / "t.lance", schema, ["key"], WriteLock(folder / ".lock"))
for turn in range(turns):
    rows = [{"key": f"{who} {turn}", "value": turn}, {"key": f"all {turn}", "value": who}]
    table.insert_new(pa.Table.from_pylist(rows, schema))
    print(turn, flush=True)
if who == 0 and any(os.wait()[1] for _ in range(1, processes)):
    sys.exit("a child failed")
"""


def start(folder, processes, turns):
    command = [sys.executable, "-W", "ignore", "-c", COMMIT, folder, str(processes), str(turns)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_eight_processes_at_once_lose_nothing_and_repeat_nothing(tmp_path, table):
    child = start(tmp_path, 8, 4)
    _, errors = child.communicate(timeout=120)
    assert (child.returncode, errors) == (0, b"")
    keys = [key for key, _ in content(table)]
    expected = [f"{who} {turn}" for who in [*range(8), "all"] for turn in range(4)]
    assert keys == sorted(expected)


def test_a_killed_process_leaves_a_readable_table_and_a_free_lock(tmp_path, table):
    for turns in (0, 1, 5):
        with start(tmp_path, 1, 10_000) as child:
            for _ in range(turns):
                child.stdout.readline()
            time.sleep(0.003 * turns)
            child.send_signal(signal.SIGKILL)
            said = max([turns - 1, *map(int, child.stdout)])
            child.stderr.read()
        kept = sorted(int(key.split()[1]) for key, _ in content(table) if key.startswith("0 "))
        assert kept == list(range(len(kept)))
        assert len(kept) > said
        start_s = time.monotonic()
        table.upsert(rows((f"after {turns}", turns)))
        assert time.monotonic() - start_s < 20
    keys = [key for key, _ in content(table)]
    assert len(keys) == len(set(keys))


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    if not mount or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return folder / "filler"


@pytest.mark.parametrize("how", ["append", "insert_new", "upsert"])
def test_a_full_disk_keeps_what_was_there(small_disk, how):
    schema = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("d", pa.binary())])
    table = make(small_disk, schema=schema)
    done = []

    def go_on():
        for number in range(100):
            row = {"key": [f"{number}"], "d": [os.urandom(50_000)]}
            getattr(table, how)(pa.table(row, schema))
            done.append(number)

    with pytest.raises(OutputError, match=r"No space left on device.*committed before is kept"):
        go_on()
    assert 0 < len(done) < 99
    assert sorted(map(int, table.read()["key"].to_pylist())) == done


def test_a_first_commit_on_a_full_disk_can_be_made_again(small_disk):
    table = make(small_disk)
    filler = fill(small_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        table.upsert(rows(("a", 1)))
    assert content(table) == []
    filler.unlink()
    table.upsert(rows(("a", 1)))
    assert content(table) == [("a", 1)]


@pytest.mark.parametrize("how", ["append", "insert_new", "upsert"])
def test_a_file_that_may_not_grow_keeps_what_was_there(tmp_path, how):
    schema = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("d", pa.binary())])
    table = make(tmp_path, schema=schema)
    table.upsert(pa.table({"key": ["a"], "d": [b"x"]}, schema))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"File too large.*committed before is kept"):
            getattr(table, how)(pa.table({"key": ["b"], "d": [os.urandom(2_000_000)]}, schema))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert table.read()["key"].to_pylist() == ["a"]
    getattr(table, how)(pa.table({"key": ["b"], "d": [b"y"]}, schema))
    assert sorted(table.read()["key"].to_pylist()) == ["a", "b"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights(tmp_path, table):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        table.upsert(rows(("a", 1)))
    tmp_path.chmod(0o700)
