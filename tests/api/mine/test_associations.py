"""Rules of a collection: a planted shortcut comes out with pictures for and against it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.associations import ASSOCIATIONS, mine_associations
from pixelmine.api.mine.quality import mine_quality
from pixelmine.cli.main import app
from pixelmine.input.labels import LabelOptions

COUNT = 150


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of which camera 7 shows dogs, with a table of camera, weight and a person's name."""
    folder = tmp_path_factory.mktemp("animals")
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(1)
    lines = ["file,label,camera,weight,owner_name"]
    for number in range(COUNT):
        pixels = rng.integers(0, 256, (16, 20, 3), np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), pixels)
        camera = rng.choice([3, 5, 7])
        label = "dog" if camera == 7 and rng.random() < 0.9 else rng.choice(["cat", "dog", "cow"])
        lines.append(
            f"{number}.png,{label},{camera},{rng.random():.4f},{rng.choice(['Ann', 'Bo'])}"
        )
    (folder / "animals.csv").write_text("\n".join(lines))
    ingest(
        [folder / "pictures"],
        folder / "c.pixels",
        labels=LabelOptions(labels=str(folder / "animals.csv")),
    )
    return folder / "c.pixels"


def test_the_shortcut_comes_first_with_examples(animals: Path) -> None:
    mine_quality(animals)
    found = mine_associations(animals)
    assert found.rows.schema == ASSOCIATIONS
    rule = found.rules[0]
    assert (rule["antecedent"], rule["consequent"]) == (["camera = 7"], "label = dog")
    assert rule["shortcut"]
    assert (len(rule["examples"]), len(rule["counterexamples"])) == (4, 2)
    assert len({one["row_id"] for one in [*rule["examples"], *rule["counterexamples"]]}) == 6
    summary = found.found.summary
    assert "weight" in summary["attributes"], "in quarters"
    assert "owner_name" not in summary["attributes"], "it says who"
    assert mine_associations(animals).found.made == found.found.made
    asked = mine_associations(animals, columns=["owner_name"])
    assert "owner_name" in asked.found.summary["attributes"]


def test_a_table_in_which_nothing_is_told_says_what_is_missing(animals: Path) -> None:
    found = mine_associations(animals, where="uri LIKE '%/1.png' OR uri LIKE '%/2.png'")
    assert found.rules == []
    assert found.to_dict()["found"] == 0


def test_the_command_marks_shortcuts(animals: Path) -> None:
    told = CliRunner().invoke(app, ["mine", "associations", str(animals)])
    assert told.exit_code == 0
    assert "shortcut  camera = 7 -> label = dog" in told.stdout
    told = CliRunner().invoke(app, ["mine", "associations", str(animals), "--length", "9"])
    assert told.exit_code == 2
