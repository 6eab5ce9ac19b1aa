import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import CollectionError, SchemaVersionError
from pixelmine.core.schema import IMAGES, LABELS, SCHEMA_VERSION
from pixelmine.store import Collection, is_collection

A, B = "a" * 64, "b" * 64
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def collection(tmp_path):
    return Collection.create(tmp_path / "c")


def image(row, **more):
    filled = {"uri": f"file:///{row}", "member": "", "frame": 0, "status": "ok"}
    return {"row_id": row, **filled, **more}


def label(row, labels, minute=0, source="label"):
    time = START + timedelta(minutes=minute)
    return {"row_id": row, "labels": labels, "source": source, "who": "me", "time": time}


def settings_of(collection):
    return json.loads((collection.path / "collection.json").read_text())


def test_it_is_made_once_and_opened_again(tmp_path):
    path = tmp_path / "deep" / "c"
    assert not is_collection(path)
    made = Collection.create(path)
    assert is_collection(path)
    assert Collection.open(path).id == Collection.open_or_create(path).id == made.id
    kept = settings_of(made)
    assert (kept["schema_version"], kept["decode"]) == (SCHEMA_VERSION, "scaled-256")
    assert len({made.id, Collection.create(tmp_path / "other").id}) == 2


def test_an_empty_folder_will_do(tmp_path):
    with Collection.create(tmp_path) as collection:
        assert collection.images.count() == 0
        assert collection.tables() == []


@pytest.mark.parametrize("name", ["holiday.jpg", ".hidden", "images.lance"])
def test_a_folder_with_anything_in_it_is_refused(tmp_path, name):
    (tmp_path / name).write_text("mine")
    for make in (Collection.create, Collection.open_or_create):
        with pytest.raises(CollectionError, match="is there already and is not a collection"):
            make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CollectionError, match="is there already"):
        Collection.create(tmp_path / "file")
    with pytest.raises(CollectionError, match=r"holds no collection\.json"):
        Collection.open(tmp_path / "file")
    with pytest.raises(CollectionError, match="Cannot make a collection"):
        Collection.create(tmp_path / "file" / "below")


def test_what_is_not_there_is_not_opened(tmp_path):
    with pytest.raises(CollectionError, match=r"holds no collection\.json.*pixelmine ingest"):
        Collection.open(tmp_path / "nothing")


def test_one_that_was_killed_while_it_was_made_can_be_made_again(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".collection.json.x1y2.tmp").write_text('{"id":')
    Collection.open_or_create(tmp_path)
    assert is_collection(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        "{}",
        '{"schema_version": 1}',
        '{"schema_version": 1, "id": "x"}',
        "\udcff",
    ],
)
def test_a_damaged_collection_is_refused(collection, text):
    (collection.path / "collection.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CollectionError, match=r"collection\.json cannot be read"):
        Collection.open(collection.path)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99, "2", None, 1.5])
def test_a_newer_version_is_refused_and_not_changed(collection, version):
    path = collection.path / "collection.json"
    path.write_text(json.dumps({**settings_of(collection), "schema_version": version}))
    before = path.read_bytes()
    for take in (Collection.open, Collection.open_or_create):
        with pytest.raises(SchemaVersionError, match=f"has schema version {version}.*Update"):
            take(collection.path)
    assert path.read_bytes() == before


def test_it_can_be_moved(collection, tmp_path):
    collection.images.upsert(pa.Table.from_pylist([image("r")], IMAGES))
    collection.close()
    moved = Collection.open(collection.path.rename(tmp_path / "elsewhere"))
    assert moved.id == collection.id
    assert moved.images.read(["row_id"])["row_id"].to_pylist() == ["r"]
    moved.images.upsert(pa.Table.from_pylist([image("s")], IMAGES))
    assert moved.images.count() == 2


def test_an_image_row_keeps_all_its_columns(collection):
    row = image(
        "r",
        offset=1,
        length=2,
        size=2**40,
        mtime_ns=2**62,
        content_id=A,
        picture_id=B,
        format="jpeg",
        width=3,
        height=4,
        orientation=6,
        group="42",
        meta=[("make", "Größe\n"), ("kids", "")],
        reason=None,
    )
    collection.images.upsert(pa.Table.from_pylist([row], IMAGES))
    assert collection.images.read().to_pylist() == [row]
    assert collection.images.read().schema == IMAGES


def test_each_producer_has_a_table(collection):
    vector = pa.Table.from_pylist([{"picture_id": "p", "values": [1.0, 2.0]}])
    collection.features(A, 2).insert_new(vector)
    collection.features(B, 2).insert_new(vector)
    logits = pa.Table.from_pylist([{"picture_id": "p", "reason": None, "logits": [0.5] * 3}])
    collection.predictions(A, 3).insert_new(logits)
    assert collection.features(A, 2).read()["values"].to_pylist() == [[1.0, 2.0]]
    assert collection.producers("features") == [A, B]
    assert collection.producers("predictions") == [A]
    collection.images.upsert(pa.Table.from_pylist([image("r")], IMAGES))
    assert [table.path.stem for table in collection.tables()] == [A, B, A, "images"]
    collection.compact(timedelta(0))
    assert collection.predictions(A, 3).read()["logits"].to_pylist() == [[0.5] * 3]


@pytest.mark.parametrize("producer", ["", "x", "../../etc", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_producer_is_a_digest_and_no_path(collection, producer):
    with pytest.raises(CollectionError, match="SHA-256"):
        collection.features(producer, 2)
    with pytest.raises(CollectionError, match="SHA-256"):
        collection.predictions(producer, 2)


def current(collection):
    rows = collection.current_labels().to_pylist()
    assert len(rows) == len({row["row_id"] for row in rows})
    return {row["row_id"]: row["labels"] for row in rows}


def add(collection, *rows):
    collection.labels.append(pa.Table.from_pylist(list(rows), LABELS))


def test_the_latest_label_wins_and_an_empty_list_takes_it_back(collection):
    assert current(collection) == {}
    add(collection, label("r", ["late"], 5), label("r", ["early"], 1), label("s", ["x"], 3))
    assert current(collection) == {"r": ["late"], "s": ["x"]}
    add(collection, label("r", [], 7), label("s", ["y", "z"], 9))
    assert current(collection) == {"s": ["y", "z"]}
    add(collection, label("r", ["again"], 8))
    assert current(collection)["r"] == ["again"]


def test_of_two_labels_at_one_time_the_later_commit_wins(collection):
    for name in ("one", "two", "three"):
        add(collection, label("r", [name]))
    assert current(collection) == {"r": ["three"]}


entries = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.lists(st.sampled_from("xyz"), max_size=2),
        st.integers(0, 20),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=15, database=None)
@given(st.lists(entries, max_size=3))
def test_labels_against_a_dict(tmp_path_factory, commits):
    collection = Collection.create(tmp_path_factory.mktemp("c"))
    for commit in commits:
        add(collection, *(label(*entry) for entry in commit))
    latest = {}
    for row, labels, minute in (entry for commit in commits for entry in commit):
        if minute >= latest.get(row, (-1,))[0]:
            latest[row] = (minute, labels)
    assert current(collection) == {row: labels for row, (_, labels) in latest.items() if labels}


def test_one_that_another_process_made_just_now_is_opened(tmp_path, monkeypatch):
    create = Collection.create

    def too_late(path, **how):
        create(path, **how)
        raise CollectionError("is there already")

    monkeypatch.setattr(Collection, "create", too_late)
    assert is_collection(Collection.open_or_create(tmp_path / "c").path)


CREATE = """
import os, sys
from pathlib import Path
import lance
import pyarrow as pa
from pixelmine.core.schema import SPLITS
from pixelmine.store import Collection

who = next((n for n in range(1, 8) if os.fork() == 0), 0)
with Collection.open_or_create(Path(sys.argv[1])) as collection:
    rows = [{"split_id": collection.id, "row_id": str(who), "part": "train"}]
    collection.splits.insert_new(pa.Table.from_pylist(rows, SPLITS))
if who == 0 and any(os.wait()[1] for _ in range(1, 8)):
    sys.exit("a child failed")
"""


def test_eight_processes_that_make_it_at_once_make_one(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", CREATE, tmp_path / "c"]
    child = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert (child.returncode, child.stderr.decode()) == (0, "")
    collection = Collection.open(tmp_path / "c")
    rows = collection.splits.read()
    assert sorted(rows["row_id"].to_pylist()) == list("01234567")
    assert set(rows["split_id"].to_pylist()) == {collection.id}
