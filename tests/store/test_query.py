from datetime import UTC, datetime

import pyarrow as pa
import pytest

from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.schema import IMAGES, LABELS, SPLITS
from pixelmine.store import Collection, find_split, labelled_pictures, split_parts, split_pictures

PLAIN, FOLDS, ALIKE = "abcd" + "0" * 60, "ef01" + "0" * 60, "abcd" + "1" * 60
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def put(table, rows, schema):
    table.append(pa.Table.from_pylist(rows, schema))


@pytest.fixture
def collection(tmp_path):
    """Rows r0 to r9 of pictures p9 to p0, odd ones of group `o`.

    Row 3 failed, row 4 has no label, row 5 had one.
    """
    made = Collection.create(tmp_path / "c")
    images = [
        {
            "row_id": f"r{n}",
            "uri": f"file:///{n}",
            "member": "",
            "frame": 0,
            "width": n,
            "status": "failed" if n == 3 else "ok",
            "reason": "empty" if n == 3 else None,
            "content_id": f"c{n}",
            "picture_id": f"p{9 - n}",
            "group": "o" if n % 2 else None,
        }
        for n in (4, 9, 2, 0, 7, 6, 3, 5, 1, 8)
    ]
    labels = [
        {"row_id": f"r{n}", "labels": [f"l{n}"], "source": "s", "who": "w", "time": NOW}
        for n in (6, 2, 9, 0, 5, 1, 3, 7, 8)
    ]
    put(made.images, images, IMAGES)
    put(made.labels, labels, LABELS)
    put(made.labels, [{**labels[4], "labels": [], "time": NOW.replace(hour=1)}], LABELS)
    parts = ["train", "train", "val", "test", "train", "train", "test"]
    plain = [{"split_id": PLAIN, "row_id": f"r{n}", "part": part} for n, part in enumerate(parts)]
    folds = [{"split_id": FOLDS, "row_id": f"r{n}", "part": f"fold-{n % 3}"} for n in range(10)]
    put(made.splits, plain + folds, SPLITS)
    return made


def rows_of(table):
    return table["row_id"].to_pylist()


def test_a_split_is_what_it_was_made_of_whatever_is_labelled_now(collection):
    rows = split_pictures(collection, "abcd").sort_by("row_id")
    assert rows_of(rows) == ["r0", "r1", "r2", "r4", "r5", "r6"]
    assert rows["part"].to_pylist() == ["train", "train", "val", "train", "train", "test"]
    assert rows["picture_id"].to_pylist()[0] == "p9"
    assert set(split_pictures(collection, f"{FOLDS}:1")["part"].to_pylist()) == {"train", "test"}


def test_good_pictures_with_a_label_in_the_order_of_the_pictures(collection):
    rows = labelled_pictures(collection)
    assert rows_of(rows) == ["r9", "r8", "r7", "r6", "r2", "r1", "r0"]
    assert rows["labels"].to_pylist() == [["l9"], ["l8"], ["l7"], ["l6"], ["l2"], ["l1"], ["l0"]]
    assert set(rows["part"].to_pylist()) == {"train"}
    for row in rows.to_pylist():
        number = int(row["row_id"][1])
        assert (row["uri"], row["content_id"]) == (f"file:///{number}", f"c{number}")
        assert (row["picture_id"], row["group"]) == (f"p{9 - number}", "o" if number % 2 else None)


def test_a_split_leaves_out_what_is_not_in_it(collection):
    rows = labelled_pictures(collection, "abcd")
    found = dict(zip(rows_of(rows), rows["part"].to_pylist(), strict=True))
    assert found == {"r0": "train", "r1": "train", "r2": "val", "r6": "test"}


def test_one_fold_is_the_test_and_the_others_train(collection):
    for fold in range(3):
        rows = labelled_pictures(collection, f"{FOLDS}:{fold}")
        assert rows_of(rows) == ["r9", "r8", "r7", "r6", "r2", "r1", "r0"]
        for row, part in zip(rows_of(rows), rows["part"].to_pylist(), strict=True):
            assert part == ("test" if int(row[1]) % 3 == fold else "train")


def test_where(collection):
    assert rows_of(labelled_pictures(collection, where="width > 7")) == ["r9", "r8"]
    assert rows_of(labelled_pictures(collection, "abcd", "width = 2 OR width = 7")) == ["r2"]
    assert rows_of(labelled_pictures(collection, where="width > 99")) == []
    # an OR does not let in what failed
    assert "r3" not in rows_of(
        labelled_pictures(collection, where="width = 1 OR status = 'failed'")
    )


def test_no_where_lets_in_what_failed(collection):
    for where in ("width = 3", "width = 1) OR (width = 3", "true", "status = 'failed'"):
        try:
            found = rows_of(labelled_pictures(collection, where=where))
        except UsageError:
            continue
        assert "r3" not in found


@pytest.mark.parametrize("where", ["nothing = 1", "width ===", "width = 'x", "'x", "1/0 > width"])
def test_a_where_without_sense_is_a_wrong_option(collection, where):
    with pytest.raises(UsageError, match=r"--where .* is no condition in SQL"):
        labelled_pictures(collection, where=where)


def test_a_damaged_table_is_no_wrong_option(collection):
    for file in collection.images.path.glob("data/*"):
        file.unlink()
    for where in (None, "width > 7"):
        with pytest.raises(CollectionError, match=r"images\.lance cannot be read"):
            labelled_pictures(collection, where=where)


def test_parts_of_a_split(collection):
    parts = split_parts(collection, PLAIN[:6])
    assert sorted(parts["part"].to_pylist()) == ["test", "test", *["train"] * 4, "val"]
    fold = split_parts(collection, "ef01:2")
    assert fold.column_names == ["row_id", "part"]
    assert fold["part"].to_pylist().count("test") == 3


def test_a_fold_is_named_where_there_are_some_and_nowhere_else(collection):
    with pytest.raises(UsageError, match="has folds: name one, as in ef01:0 of 3"):
        split_parts(collection, "ef01")
    with pytest.raises(UsageError, match=r"no fold 3. It has: fold-0, fold-1, fold-2"):
        split_parts(collection, "ef01:3")
    with pytest.raises(UsageError, match=r"no fold 0. It has: test, train, val"):
        split_parts(collection, "abcd:0")


def test_a_split_is_found_by_its_beginning(collection):
    assert find_split(collection, "ef01") == FOLDS
    with pytest.raises(CollectionError, match=r"0 splits start with 'abce'. There are: abcd00"):
        find_split(collection, "abce")
    put(collection.splits, [{"split_id": ALIKE, "row_id": "r0", "part": "test"}], SPLITS)
    with pytest.raises(CollectionError, match="2 splits start with 'abcd'"):
        find_split(collection, "abcd")
    assert find_split(collection, "abcd1") == ALIKE


@pytest.mark.parametrize("prefix", ["", "abc", "ABCD", "abcd' OR '1'='1", "g" * 8, "a" * 65])
def test_a_split_id_is_hexadecimal(collection, prefix):
    with pytest.raises(UsageError, match="at least 4 hexadecimal digits"):
        find_split(collection, prefix)


def test_a_collection_without_splits_says_how_to_make_one(tmp_path):
    with pytest.raises(CollectionError, match="none; make one with: pixelmine split"):
        find_split(Collection.create(tmp_path / "c"), "abcd")
