"""The ending of a report's path says its form."""

import json

import pytest

from pixelmine.core.errors import OutputError, UsageError
from pixelmine.evaluate import Report, check_form, write_report_as


def write(path):
    write_report_as(path, page=Report, markdown=lambda: "# All", data=lambda: {"名": 1})


def test_each_form_is_written(tmp_path):
    for name in ("r.html", "r.md", "R.JSON"):
        write(tmp_path / name)
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "r.md").read_text() == "# All"
    assert json.loads((tmp_path / "R.JSON").read_text("utf-8")) == {"名": 1}


@pytest.mark.parametrize("name", ["r.pdf", "r", "html", ".md"])
def test_another_form_is_refused_before_the_work(name, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.html, \.md or \.json"):
        check_form(tmp_path / name)
    check_form(None)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Give --report another path"):
        write(tmp_path / "file" / "r.md")
