"""Drift of collections: between two, between two times, and since a reference that was kept."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine import pile
from pixelmine.api.mine.drift import DRIFT, mine_drift, mine_drift_since, write_reference
from pixelmine.api.mine.drift_pile import Sides, make_piles
from pixelmine.cli.main import app
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError, OutputError, UsageError
from pixelmine.core.progress import SilentProgress
from pixelmine.input.labels import LabelOptions
from pixelmine.mine.drift import DriftOptions
from pixelmine.mine.drift_reference import DriftReference
from pixelmine.store import Collection

QUICK = DriftOptions(permutations=99, cells=4)
KINDS = ("across", "down", "middle")


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    pixels = np.full((32, 32), 60.0)
    match kind:
        case "across":
            pixels[:16] = 200
        case "down":
            pixels[:, :16] = 200
        case _:
            pixels[8:24, 8:24] = 200
    return np.clip(pixels + rng.normal(0, 20, pixels.shape), 0, 255).astype(np.uint8)


def make(folder: Path, counts: dict[str, int], seed: int, year: int) -> Path:
    """A collection with a table of labels and times."""
    (folder / "pictures").mkdir(parents=True)
    rng, lines, number = np.random.default_rng(seed), ["file,label,time"], 0
    for kind, count in counts.items():
        for _ in range(count):
            cv2.imwrite(str(folder / "pictures" / f"{number}.png"), draw(kind, rng))
            lines.append(f"{number}.png,{kind},{year}-{rng.integers(1, 13):02}-15")
            number += 1
    (folder / "table.csv").write_text("\n".join(lines))
    options = LabelOptions(labels=str(folder / "table.csv"))
    ingest([folder / "pictures"], folder / "c.pixels", labels=options)
    return folder / "c.pixels"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, linear_bundle: Callable[..., None]) -> Path:
    """`old` and `like`: a third of each kind; `new`: two thirds are `middle`; and a model."""
    folder = tmp_path_factory.mktemp("drift")
    make(folder / "old", dict.fromkeys(KINDS, 60), 1, 2024)
    make(folder / "like", dict.fromkeys(KINDS, 40), 2, 2025)
    make(folder / "new", {"across": 20, "down": 20, "middle": 80}, 3, 2026)
    weights = np.random.default_rng(1).normal(size=(64, 3)).astype(np.float32)
    linear_bundle(folder / "model", weights)
    return folder


def test_what_grew_is_found_with_its_pictures_and_what_did_not_is_no_drift(place: Path) -> None:
    model = str(place / "model")
    old, like, new = (place / name / "c.pixels" for name in ("old", "like", "new"))
    assert not mine_drift(old, like, QUICK, model=model).drifted
    found = mine_drift(old, new, QUICK, model=model)
    assert found.drifted
    assert found.rows.schema == DRIFT
    changed = {(one["part"], one["name"]): one for one in found.changed}
    assert changed["labels", "middle"]["grew"]
    assert not changed["labels", "across"]["grew"]
    shown = found.rows.to_pylist()
    assert {row["name"].split(" / ")[0] for row in shown} == {"middle"}
    assert all("/new/" in row["uri"] for row in shown)
    assert found.to_dict()["copies"] == 0
    assert mine_drift(old).found.summary == found.found.summary, "the last one, for the report"
    again = mine_drift(old, new, QUICK, model=model)
    assert again.found.made == found.found.made


def test_a_reference_tells_the_same_without_the_old_pictures(place: Path) -> None:
    model, out = str(place / "model"), place / "reference.json"
    gone = place / "gone"
    shutil.copytree(place / "old", gone)
    made = write_reference(gone / "c.pixels", out, QUICK, model=model)
    assert made.pictures == 180
    assert ".png" not in out.read_text()
    shutil.rmtree(gone)
    found = mine_drift_since(place / "new" / "c.pixels", out, QUICK, model=model)
    assert found.drifted
    assert ("labels", "middle") in {(one["part"], one["name"]) for one in found.changed}
    like = mine_drift_since(place / "like" / "c.pixels", out, QUICK, model=model)
    assert not like.drifted
    assert like.found.summary["copies"] is None
    (place / "broken.json").write_text("{")
    with pytest.raises(UsageError, match="no reference"):
        mine_drift_since(place / "new" / "c.pixels", place / "broken.json", model=model)
    with pytest.raises(UsageError, match="cannot be read"):
        mine_drift_since(place / "new" / "c.pixels", place / "none.json", model=model)
    known = json.loads(out.read_text())
    (place / "other.json").write_text(json.dumps({**known, "model": "0" * 64}))
    with pytest.raises(UsageError, match="another model"):
        mine_drift_since(place / "new" / "c.pixels", place / "other.json", model=model)


def test_a_reference_is_not_written_over_unless_asked(place: Path) -> None:
    old, model = place / "old" / "c.pixels", str(place / "model")
    kept = place / "kept.json"
    kept.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        write_reference(old, kept, QUICK, model=model)
    assert kept.read_text() == "mine"
    write_reference(old, kept, QUICK, model=model, overwrite=True)
    assert DriftReference.from_json(kept.read_text()).pictures == 180
    (place / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"file/x\.json"):
        write_reference(old, place / "file" / "x.json", QUICK, model=model)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 150 vectors are many, and are reduced to 8 numbers: of `old` alone."""
    monkeypatch.setattr(pile, "_MANY", 150)
    monkeypatch.setattr(pile, "_WIDE", 8)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("names", [("old", "like"), ("like", "old")])
def test_large_piles_are_compared_in_one_space(place: Path, names: tuple[str, str]) -> None:
    first, second = (place / name / "c.pixels" for name in names)
    with Collection.open(first) as one, Collection.open(second) as other:
        sides = ((one, None), (other, None))
        before, after = make_piles(*sides, str(place / "model"), (), SilentProgress())
    assert before.basis is not None
    assert after.basis is not None
    np.testing.assert_array_equal(before.basis.directions, after.basis.directions)
    assert before.pile.vectors.shape[1] == after.pile.vectors.shape[1] == 8
    options = DriftOptions(permutations=99, cells=5)  # another question than before
    assert not mine_drift(first, second, options, model=str(place / "model")).drifted


@pytest.mark.usefixtures("few")
def test_a_reference_keeps_what_its_vectors_were_reduced_by(place: Path) -> None:
    model, out = str(place / "model"), place / "large.json"
    write_reference(place / "old" / "c.pixels", out, QUICK, model=model)
    basis = DriftReference.from_json(out.read_text()).basis
    assert basis is not None
    assert (basis.wide, basis.directions.shape[1]) == (64, 8)
    assert not mine_drift_since(place / "like" / "c.pixels", out, QUICK, model=model).drifted
    assert mine_drift_since(place / "new" / "c.pixels", out, QUICK, model=model).drifted
    small = place / "small.json"  # which was not reduced: then the window is not either
    write_reference(place / "like" / "c.pixels", small, QUICK, model=model)
    assert not mine_drift_since(place / "old" / "c.pixels", small, QUICK, model=model).drifted
    known = json.loads(out.read_text())
    known["basis"]["directions"] = known["basis"]["middle"]
    out.write_text(json.dumps(known))
    with pytest.raises(UsageError, match="do not fit"):
        mine_drift_since(place / "new" / "c.pixels", out, QUICK, model=model)


def test_copies_on_both_sides_are_said(place: Path) -> None:
    model = str(place / "model")
    found = mine_drift(place / "old" / "c.pixels", place / "old" / "c.pixels", QUICK, model=model)
    assert not found.drifted
    assert found.notes()[0].startswith("180 pictures are on both sides")


@pytest.fixture(scope="module")
def both(place: Path) -> Path:
    """One collection of the pictures of 2024 and of 2026."""
    for name in ("old", "new"):
        folder = place / name
        options = LabelOptions(labels=str(folder / "table.csv"))
        ingest([folder / "pictures"], place / "both.pixels", labels=options)
    return place / "both.pixels"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2025-06-01", None),
        (None, "2025-06-01"),
        ("2025-01-01", "2026-01-01"),
        ("uri LIKE '%/old/%'", None),
        (None, "uri LIKE '%/new/%'"),
        ("uri LIKE '%/old/%'", "uri LIKE '%/new/%'"),
    ],
)
def test_one_collection_is_divided_by_days_or_by_conditions(
    place: Path, both: Path, before: str | None, after: str | None
) -> None:
    found = mine_drift(both, None, QUICK, before=before, after=after, model=str(place / "model"))
    summary = found.found.summary
    assert (summary["pictures_before"], summary["pictures_after"]) == (180, 120)
    assert found.drifted


def test_wrong_sides_get_a_sentence(place: Path, both: Path) -> None:
    model = str(place / "model")
    with pytest.raises(UsageError, match="compares two sides"):
        mine_drift(both, None, QUICK, model=model) if not (both / "findings").exists() else Sides()
    with pytest.raises(UsageError, match="both be days"):
        mine_drift(both, before="2025-01-01", after="width > 1", model=model)
    with pytest.raises(UsageError, match="on both sides"):
        mine_drift(both, before="width > 1", after="width > 2", model=model)
    with pytest.raises(CollectionError, match="no good picture"):
        mine_drift(both, before="width > 1", model=model)
    with pytest.raises(UsageError, match="at least 5"):
        mine_drift(both, before="1990-01-01", model=model)


def test_nothing_leaves_but_through_the_policy(place: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(["uri"])

    found = mine_drift(
        place / "old" / "c.pixels",
        place / "new" / "c.pixels",
        QUICK,
        model=str(place / "model"),
        policy=Nameless(),
    )
    assert "file://" not in json.dumps(found.to_dict(), default=str)


def test_the_command_says_drift_and_what(place: Path) -> None:
    old, new = (str(place / name / "c.pixels") for name in ("old", "new"))
    model = ["--model", str(place / "model")]
    told = CliRunner().invoke(app, ["mine", "drift", old, new, *model])
    assert told.exit_code == 0
    assert told.stdout.startswith("Drift between 180 pictures and 120")
    assert "labels       middle" in told.stdout
    out = str(place / "by-command.json")
    told = CliRunner().invoke(app, ["mine", "drift", old, "--write-reference", out, *model])
    assert told.exit_code == 0
    told = CliRunner().invoke(app, ["mine", "drift", new, "--reference", out, *model, "--json"])
    assert json.loads(told.stdout)["drifted"]
    told = CliRunner().invoke(app, ["mine", "drift", old, new, "--reference", out, *model])
    assert told.exit_code == 2
