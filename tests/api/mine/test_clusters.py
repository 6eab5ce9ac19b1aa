"""The clusters of a collection: tables, names, and the section of the report."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.clusters import CLUSTER_NAMES, CLUSTERS, mine_clusters
from pixelmine.api.mine.clusters_section import TEXTS, section
from pixelmine.cli.main import app
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError
from pixelmine.input.labels import LabelOptions
from pixelmine.mine.clusters import ClusterOptions
from pixelmine.store import Collection

KINDS = {"across": (200, 30, 30), "down": (30, 60, 200), "middle": (240, 240, 240)}  # RGB
OPTIONS = ClusterOptions(min_size=12, neighbours=8, dimensions=4)


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A shape of the kind's colour on black, with noise."""
    pixels = np.zeros((64, 64, 3))
    place = {"across": np.s_[:32], "down": np.s_[:, :32], "middle": np.s_[10:54, 10:54]}[kind]
    pixels[place] = KINDS[kind][::-1]
    return np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)


def make(folder: Path, counts: dict[str, int], labelled: bool = True) -> Path:
    (folder / "pictures").mkdir(parents=True)
    rng, lines, number = np.random.default_rng(0), ["file,label,camera"], 0
    for kind, count in counts.items():
        for _ in range(count):
            cv2.imwrite(str(folder / "pictures" / f"{number}.png"), draw(kind, rng))
            lines.append(
                f"{number}.png,{kind if labelled else ''},{'7' if kind == 'down' else '1'}"
            )
            number += 1
    (folder / "table.csv").write_text("\n".join(lines))
    options = LabelOptions(labels=str(folder / "table.csv"))
    ingest([folder / "pictures"], folder / "c.pixels", labels=options)
    return folder / "c.pixels"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, linear_bundle: Callable[..., None]) -> str:
    path = tmp_path_factory.mktemp("model") / "m.bundle"
    linear_bundle(path, np.random.default_rng(0).normal(size=(64, 3)).astype("f4"))
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clusters"), {"across": 40, "down": 50, "middle": 30})


def test_pictures_of_a_kind_are_a_cluster_with_its_name(made: Path, model: str) -> None:
    found = mine_clusters(made, OPTIONS, model=model)
    assert found.rows.schema == CLUSTERS
    assert found.names.schema == CLUSTER_NAMES
    assert found.rows.num_rows == 120
    with Collection.open(made) as collection:
        labels = {row["row_id"]: row["labels"] for row in collection.current_labels().to_pylist()}
    said = {row["cluster"]: row for row in found.level(2)}
    assert {row["name"].partition(",")[0] for row in said.values()} == set(KINDS)
    right = [
        said[row["nearest"]]["name"].startswith(labels[row["row_id"]][0])
        for row in found.rows.to_pylist()
    ]
    assert np.mean(right) > 0.95
    for row in said.values():
        members = {
            one["row_id"] for one in found.rows.to_pylist() if one["cluster"] == row["cluster"]
        }
        assert len(members) == row["pictures"]
        assert set(row["representatives"]) | set(row["odd"]) <= members
        assert row["representatives"][0] == row["row_id"]
        assert all(word["p_value"] <= 0.05 and word["lift"] >= 1.5 for word in row["words"])


def test_colours_and_metadata_are_words_too(made: Path, model: str) -> None:
    found = mine_clusters(made, OPTIONS, model=model)
    words = {
        row["name"].partition(",")[0]: {word["word"] for word in row["words"]}
        for row in found.level(2)
    }
    assert "red" in words["across"]
    assert {"blue", "camera = 7"} <= words["down"]
    assert "white" in words["middle"]
    assert not any("group" in word for some in words.values() for word in some)


def test_what_is_known_is_not_made_again_until_it_changes(made: Path, model: str) -> None:
    one, two = (mine_clusters(made, OPTIONS, model=model) for _ in range(2))
    assert one.found.made == two.found.made
    assert one.rows.equals(two.rows)
    assert one.names.equals(two.names)
    other = mine_clusters(made, ClusterOptions(min_size=500), model=model)
    assert other.found.asked != one.found.asked
    assert other.found.summary["clusters"] == 0
    assert "no clusters of at least 500" in other.notes()[0]
    again = mine_clusters(made, OPTIONS, model=model)
    assert again.rows.equals(one.rows), "the same pictures give the same clusters and map"


def test_pictures_without_labels_have_clusters(tmp_path: Path, model: str) -> None:
    path = make(tmp_path, {"across": 30, "down": 30}, labelled=False)
    found = mine_clusters(path, OPTIONS, model=model)
    names = [row["name"] for row in found.level(2)]
    assert len(set(names)) == len(names) >= 2


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_pictures_are_in_no_cluster(tmp_path: Path, model: str, count: int) -> None:
    path = make(tmp_path, {"across": count})
    found = mine_clusters(path, model=model)
    assert found.rows.num_rows == count
    assert found.rows["cluster"].null_count == count
    assert found.names.num_rows == 0
    assert "fall into no clusters" in section(found).lead


def test_an_empty_collection_says_so(tmp_path: Path, model: str) -> None:
    Collection.create(tmp_path / "empty.pixels")
    with pytest.raises(CollectionError, match="no good picture"):
        mine_clusters(tmp_path / "empty.pixels", model=model)


def test_a_policy_takes_names_away(made: Path, model: str) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(["uri"])

    found = mine_clusters(made, OPTIONS, model=model, policy=Nameless())
    assert "uri" not in found.rows.schema.names
    assert "file:" not in json.dumps(found.to_dict())


def test_the_section_shows_the_map_and_typical_and_odd_pictures(made: Path, model: str) -> None:
    found = mine_clusters(made, OPTIONS, model=model)
    shown = section(found)
    assert f"{len(found.level(2))} clusters" in shown.lead
    assert shown.plots[0].source.startswith("data:image/svg+xml;base64,")
    assert [strip.title for strip in shown.strips] == [row["name"] for row in found.level(2)]
    known = set(found.rows["row_id"].to_pylist())
    assert all(one.row["row_id"] in known for strip in shown.strips for one in strip.pictures)
    assert any(one.mark for strip in shown.strips for one in strip.pictures)
    assert len(shown.tables[0].rows) == len(found.level(2))
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    chinese = section(found, language="zh")
    assert "聚类" in chinese.lead
    assert not any("mostly" in strip.title or "often" in strip.title for strip in chinese.strips)


def test_the_command_says_the_same(made: Path, model: str) -> None:
    asked = ["mine", "clusters", str(made), "--model", model, "--min-size", "12"]
    said = CliRunner().invoke(app, [*asked, "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["pictures"] == 120
    assert found["clusters"] == sum(node["level"] == 2 for node in found["nodes"])
    shown = CliRunner().invoke(app, asked)
    assert f"120 pictures in {found['clusters']} clusters" in shown.stdout
    assert all(node["name"] in shown.stdout for node in found["nodes"] if node["level"] == 2)
