"""Rows by a list of ids, in queries that stay short, and the one that starts as was typed."""

from pathlib import Path

import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import IMAGES
from pixelmine.store import Collection, by_id
from pixelmine.store.by_id import check_row_id, find_row, read_by_id


@pytest.fixture
def images(tmp_path: Path) -> Collection:
    """Twelve rows, `00...` to `0b...`; every third has failed."""
    collection = Collection.create(tmp_path / "c")
    rows = [
        {
            **dict.fromkeys(IMAGES.names),
            "row_id": f"{number:02x}" * 32,
            "uri": f"file:///{number}.png",
            "member": "",
            "frame": 0,
            "status": "failed" if number % 3 == 2 else "ok",
        }
        for number in range(12)
    ]
    collection.images.append(pa.Table.from_pylist(rows, IMAGES))
    return collection


def test_rows_of_a_list_are_read_in_several_queries(
    images: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_id, "_TOGETHER", 2)
    wanted = [f"{number:02x}" * 32 for number in (3, 5, 7, 9, 11, 3)]
    found = read_by_id(
        images.images, "row_id", [*wanted, "ff" * 32, "' OR true --", ""], ["row_id"]
    )
    assert sorted(found["row_id"].to_pylist()) == sorted(set(wanted))
    assert found.column_names == ["row_id"]
    nothing = read_by_id(images.images, "row_id", [])
    assert (nothing.num_rows, nothing.schema) == (0, IMAGES)


def test_the_row_that_starts_so(images: Collection) -> None:
    assert find_row(images, "030303")["uri"] == "file:///3.png"
    assert find_row(images, "030303", ["uri"], good=True) == {"uri": "file:///3.png"}
    with pytest.raises(UsageError, match="0 good pictures"):
        find_row(images, "050505", good=True)
    with pytest.raises(UsageError, match="0 pictures have a row id that starts with ffffff"):
        find_row(images, "ffffff")


@pytest.mark.parametrize("wrong", ["", "03", "03030", "ZZZZZZ", "030303'", "03" * 40])
def test_what_is_no_row_id_gets_a_sentence(wrong: str) -> None:
    with pytest.raises(UsageError, match="at least 6 hexadecimal digits"):
        check_row_id(wrong)
