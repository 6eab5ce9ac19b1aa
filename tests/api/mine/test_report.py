"""The report makes what is missing, leaves out what cannot be, and shows cleared pictures."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pixelmine.api.ingest import ingest
from pixelmine.api.labels import set_label
from pixelmine.api.mine.found import Found, find
from pixelmine.api.mine.quality import mine_quality
from pixelmine.api.mine.report import STEPS, Step, mine_report
from pixelmine.core import PassPolicy, Policy
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.evaluate.texts import Language
from pixelmine.mine.quality import QualityOptions
from pixelmine.mine.section import Section, Shown, Strip
from pixelmine.store import Collection

ROWS = pa.schema([("row_id", pa.string()), ("uri", pa.string())])


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        pixels = np.full((300, 400, 3), 60 * min(number, 2), np.uint8)
        cv2.imwrite(str(folder / f"secret-{number}.png"), pixels)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    ingest([folder], tmp_path / "photos.pixels")
    return tmp_path / "photos.pixels"


@dataclass
class Answer:
    found: Found


MADE: list[str] = []
"""How often was looked."""


def look(path: Path, *, policy: Policy, any_options: bool, progress: Progress) -> Answer:
    assert any_options
    progress.start("look", 1)
    with Collection.open(path) as collection:
        rows = collection.images.read(["row_id", "uri"], "status = 'ok'").cast(ROWS)

        def make() -> tuple[dict[str, int], pa.Table]:
            MADE.append("look")
            return {"pictures": rows.num_rows}, rows

        found = find(collection, "looked", {"images": collection.images.version}, make)
    return Answer(found)


def section(answer: Answer, *, language: str) -> Section:
    rows = sorted(answer.found.rows.to_pylist(), key=lambda row: row["uri"])
    pictures = [Shown(row=row, caption=["seen"]) for row in rows]
    return Section(
        name="looked",
        title={"en": "Looked", "zh": "看"}[language],
        lead="All of them.",
        strips=[Strip(pictures=pictures)],
        commands=["pixelmine mine look COLLECTION"],
    )


def refuse(path: Path, *, policy: Policy, any_options: bool, progress: Progress) -> Answer:
    raise CollectionError("There are no labels.")


def known(*, found: Found, rows: pa.Table) -> Answer:
    assert rows.num_rows == 4
    return Answer(found)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    here = SimpleNamespace(look=look, section=section, refuse=refuse, known=known)
    monkeypatch.setitem(sys.modules, "pixelmine_looked", here)
    monkeypatch.setattr(Step, "is_there", property(lambda step: step.name != "absent"))
    MADE.clear()

    def step(name: str, call: str, only_found: bool = False) -> Step:
        titles = {"en": name.title(), "zh": name}
        made = {"call": f"pixelmine_looked:{call}", "section": "pixelmine_looked:section"}
        return Step(name=name, titles=titles, only_found=only_found, **made)

    return [
        step("looked", "look"),
        step("labels", "refuse"),
        step("absent", "nothing"),
        step("drift", "known", only_found=True),
    ]


def test_a_page_with_what_was_found_and_why_not_the_rest(
    taken: Path, steps: list[Step], tmp_path: Path
) -> None:
    phases: list[str] = []

    class Told(SilentProgress):
        def start(self, phase: str, total: int | None = None) -> None:
            phases.append(phase)

    found = mine_report(taken, tmp_path / "r.html", steps=steps, progress=Told())
    assert found.findings == {"looked": {"pictures": 4}}
    assert found.skipped == {"labels": "There are no labels."}
    assert found.notes() == ["Not in the report: labels. There are no labels."]
    assert phases == ["looked (1 of 3): look", "pictures of the report"]
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "Looked" in html
    assert "There are no labels." in html
    assert f"pixelmine mine look {taken}" in html
    assert "secret-3.png" in html
    assert html.count("data:image/jpeg") == 3, "two of the four are one picture"
    assert sum(found.page.pile.failed.values()) == 1
    assert found.page.pile.usual == (400, 300)
    assert {one.pixels.item.shape for one in found.page.thumbnails.values()} == {(192, 256, 3)}
    again = mine_report(taken, tmp_path / "r.html", steps=steps, language="zh")
    assert MADE == ["look"], "what is known is not looked for again"
    assert again.page.title == "photos"
    assert 'lang="zh-Hans"' in (tmp_path / "r.html").read_text("utf-8")


def test_what_was_looked_for_before_is_taken(taken: Path, steps: list[Step]) -> None:
    assert "drift" not in mine_report(taken, steps=steps).findings
    with Collection.open(taken) as collection:
        rows = collection.images.read(["row_id", "uri"], "status = 'ok'").cast(ROWS)
        find(collection, "drift", {}, lambda: ({"drifted": True}, rows))
    assert mine_report(taken, steps=steps).findings["drift"] == {"drifted": True}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_was_found_with_own_options_stays_and_says_them(
    taken: Path, tmp_path: Path, language: Language
) -> None:
    (quality,) = [step for step in STEPS if step.name == "quality"]
    mine_quality(taken, QualityOptions(few=3), where="uri NOT LIKE '%-0.png'")
    out = tmp_path / "r.md"
    found = mine_report(taken, out, steps=[quality], language=language)
    assert found.findings["quality"]["pictures"] == 2
    assert "where = uri NOT LIKE '%-0.png', few = 3" in out.read_text("utf-8")
    with Collection.open(taken) as collection:
        name = collection.images.read(["row_id"], "status = 'ok'")["row_id"][0].as_py()
    set_label(taken, name, ["stone"])
    again = mine_report(taken, out, steps=[quality], language=language)
    assert again.findings["quality"]["pictures"] == 3, "made anew of what is there now"
    assert "few = 3" not in out.read_text("utf-8")


def test_a_finding_of_other_tables_will_not_do_with_any_options(taken: Path) -> None:
    rows = pa.table({"row_id": ["a"]})
    with Collection.open(taken) as collection:

        def looked(images: int, where: str | None, *, any_options: bool = True) -> dict[str, Any]:
            asked = {"images": images, "where": where, "options": {"k": 3, "long": "x" * 3000}}
            made = ({"where": where, "images": images}, rows)
            return find(collection, "one", asked, lambda: made, any_options=any_options).summary

        assert looked(1, "width > 3") == {"images": 1, "where": "width > 3"}
        assert looked(1, None) == {"images": 1, "where": "width > 3"}
        assert looked(2, None) == {"images": 2, "where": None}
        assert looked(2, "width > 3", any_options=False) == {"images": 2, "where": "width > 3"}


def test_markdown_and_json(taken: Path, steps: list[Step], tmp_path: Path) -> None:
    found = mine_report(taken, tmp_path / "r.md", steps=steps)
    assert "- secret-0.png; seen" in (tmp_path / "r.md").read_text("utf-8")
    mine_report(taken, tmp_path / "r.json", steps=steps)
    data = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert data["findings"] == found.findings
    assert data["pile"]["good"] == 4
    assert data["skipped"] == found.skipped
    with pytest.raises(UsageError, match=r"\.html, \.md or \.json"):
        mine_report(taken, tmp_path / "r.pdf", steps=steps)


def test_pictures_and_names_pass_the_policy(taken: Path, steps: list[Step], tmp_path: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns([n for n in ("uri", "member") if n in rows.schema.names])

        def thumbnail(self, pixels: np.ndarray) -> np.ndarray:
            return np.zeros_like(pixels)

    mine_report(taken, tmp_path / "r.html", steps=steps, policy=Nameless())
    html = (tmp_path / "r.html").read_text("utf-8")
    assert "secret" not in html
    assert html.count("data:image/jpeg") == 1, "all are black"


def test_a_picture_that_is_gone_is_grey(taken: Path, steps: list[Step], tmp_path: Path) -> None:
    (taken.parent / "photos" / "secret-0.png").unlink()
    found = mine_report(taken, tmp_path / "r.html", steps=steps)
    (grey,) = [one for one in found.page.thumbnails.values() if one.name == "secret-0.png"]
    assert np.unique(grey.pixels.item).tolist() == [200]


def test_an_empty_collection_is_a_page_too(tmp_path: Path, steps: list[Step]) -> None:
    Collection.create(tmp_path / "c")
    found = mine_report(tmp_path / "c", tmp_path / "r.html", steps=steps[1:])
    assert found.page.pile.pictures == 0
    assert found.page.pile.usual is None


def test_the_order_of_the_page() -> None:
    assert [step.name for step in STEPS] == [
        *("duplicates", "quality", "outliers", "label-errors", "clusters", "associations", "drift")
    ]
