"""A plan is read whole, or refused with the line that is wrong."""

from pathlib import Path

import pytest

from pixelmine.api.mine.plan_file import check_known, read_plan, removed
from pixelmine.core.errors import UsageError


def plan(path: Path, text: str) -> Path:
    file = path / "plan.csv"
    file.write_text(text, "utf-8")
    return file


def test_rows_come_in_order_with_all_their_columns(tmp_path: Path) -> None:
    file = plan(
        tmp_path,
        '\ufeffrow_id,action,why\r\nb,remove,"a copy, smaller"\r\na, Keep ,\r\nc,remove\r\n',
    )
    assert read_plan(file) == [
        {"row_id": "b", "action": "remove", "why": "a copy, smaller"},
        {"row_id": "a", "action": "keep", "why": ""},
        {"row_id": "c", "action": "remove", "why": ""},
    ]
    assert removed(file) == {"b", "c"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "header of .* is empty"),
        ("row_id;action\na;keep\n", "row_id;action instead"),
        ("row_id,what\na,keep\n", "row_id and action"),
        ("row_id,action,row_id\na,keep,b\n", "names 'row_id' twice"),
        ("row_id,action\na,keep\nb,delete\n", "Line 3 .* 'delete'"),
        ("row_id,action\na,keep\n ,keep\n", "Line 3 .* no row_id"),
        ("row_id,action\na,keep\n\nb,keep\na,remove\n", "Line 5 .* line 2"),
        ("row_id,action\na,keep,more\n", "Line 2 .* more cells"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_plan(plan(tmp_path, text))


def test_a_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_bytes(b"row_id,action\n\xff\xfe,keep\n")
    with pytest.raises(UsageError, match="cannot be read as a CSV"):
        read_plan(tmp_path / "plan.csv")
    with pytest.raises(UsageError, match="No such file"):
        read_plan(tmp_path / "none.csv")


def test_a_plan_of_another_collection(tmp_path: Path) -> None:
    rows = read_plan(plan(tmp_path, "row_id,action\na,keep\nb,remove\n"))
    assert check_known(rows, {"a", "x"}, "plan.csv") == 1
    with pytest.raises(UsageError, match="another one"):
        check_known(rows, {"x"}, "plan.csv")
