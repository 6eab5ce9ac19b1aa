"""Every tier of copies, found in groups; what is added later; what somebody said is none."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pixelmine.api.mine.decisions import not_duplicates
from pixelmine.api.mine.duplicates import mine_duplicates
from pixelmine.api.mine.planted import measure_planted
from pixelmine.core.errors import CollectionError, UsageError
from pixelmine.core.ids import uri_path
from pixelmine.core.schema import IMAGES
from pixelmine.mine.duplicates import DuplicateOptions
from pixelmine.mine.planted import EDITS
from pixelmine.store import Collection
from tests.api.mine.drawn import collected, edited, photographs

ALL = tuple(edit.name for edit in EDITS)
HASHES = DuplicateOptions(edited=False, scene=None)


def named(found):
    """Groups as sets of file names, with the tier of each name."""
    groups = {}
    for row in found.rows.to_pylist():
        groups.setdefault(row["group_id"], {})[uri_path(row["uri"]).name] = row["tier"]
    return sorted(groups.values(), key=sorted)


@pytest.fixture(scope="module")
def pile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photographs; of one all edits, of another the same bytes, pixels and a resized copy."""
    folder = tmp_path_factory.mktemp("pile")
    pixels = photographs(folder / "pile")
    edited(folder / "pile", "astronaut", pixels["astronaut"], ALL)
    shutil.copy(folder / "pile/coffee.jpg", folder / "pile/coffee copy.jpg")
    decoded = cv2.imread(str(folder / "pile/coffee.jpg"))
    cv2.imwrite(str(folder / "pile/coffee.png"), decoded)
    small = cv2.resize(decoded, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "pile/coffee small.jpg"), small)
    collected(folder / "pile", folder / "collection")
    return folder


def test_each_copy_is_found_with_its_tier(pile: Path) -> None:
    found = mine_duplicates(pile / "collection")
    astronaut, coffee = named(found)
    assert set(astronaut) == {"astronaut.jpg", *(f"astronaut-{edit}.jpg" for edit in ALL)}
    tiers = {name: tier for name, tier in astronaut.items() if tier != "middle"}
    assert {tiers[f"astronaut-{edit}.jpg"] for edit in ("jpeg-30", "half-size")} == {"reencoded"}
    for edit in ("crop-10", "crop-30", "text", "grey", "brightness", "flip", "turn-90", "border"):
        assert tiers[f"astronaut-{edit}.jpg"] == "edited", edit
    assert set(coffee) == {"coffee.jpg", "coffee copy.jpg", "coffee.png", "coffee small.jpg"}
    assert coffee["coffee small.jpg"] == "reencoded"
    assert {"bytes", "pixels"} & {coffee["coffee.jpg"], coffee["coffee copy.jpg"]}
    assert "pixels" in {coffee["coffee.png"], coffee["coffee.jpg"]}
    by_name = {uri_path(row["uri"]).name: row for row in found.rows.to_pylist()}
    assert by_name["astronaut-flip.jpg"]["turn"] == "mirrored"
    assert by_name["astronaut-turn-90.jpg"]["turn"] in ("turned left", "turned right")
    assert found.summary["copies"] == len(ALL) + 3
    assert found.summary["tiers"]["bytes"] == 1


def test_hashes_alone_find_what_hashes_can(pile: Path) -> None:
    groups = named(mine_duplicates(pile / "collection", HASHES))
    found = {name for group in groups for name in group}
    for edit in ("jpeg-30", "half-size", "grey", "blur", "brightness", "flip", "turn-90"):
        assert f"astronaut-{edit}.jpg" in found, edit
    for edit in ("crop-30", "border", "screenshot"):
        assert f"astronaut-{edit}.jpg" not in found, edit
    upright = DuplicateOptions(edited=False, scene=None, turned=False)
    found = {
        name for group in named(mine_duplicates(pile / "collection", upright)) for name in group
    }
    assert not {"astronaut-flip.jpg", "astronaut-turn-90.jpg"} & found


def test_adding_pictures_judges_only_their_pairs(pile: Path, tmp_path: Path) -> None:
    shutil.copytree(pile / "pile", tmp_path / "pile")
    late = [tmp_path / "pile/astronaut-flip.jpg", tmp_path / "pile/coffee small.jpg"]
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in late:
        path.rename(aside / path.name)
    collection = collected(tmp_path / "pile", tmp_path / "collection")
    mine_duplicates(collection)
    for path in late:
        (aside / path.name).rename(path)
    collected(tmp_path / "pile", tmp_path / "collection")
    after = mine_duplicates(collection)
    whole = mine_duplicates(collected(tmp_path / "pile", tmp_path / "whole"))
    assert named(after) == named(whole)
    assert after.summary["pairs_looked_at"] < whole.summary["pairs_looked_at"] / 2
    assert mine_duplicates(collection).summary == after.summary


def test_where_the_middle_is_gone_the_others_are_compared_with_each_other(tmp_path: Path) -> None:
    pixels = photographs(tmp_path / "pile")
    edits = ("jpeg-30", "half-size", "brightness", "crop-30", "border")
    edited(tmp_path / "pile", "astronaut", pixels["astronaut"], edits)
    path = collected(tmp_path / "pile", tmp_path / "collection")
    rows = mine_duplicates(path).rows.to_pylist()
    (middle,) = [row for row in rows if row["tier"] == "middle"]
    with Collection.open(path) as collection:
        gone = collection.images.read(where=f"row_id = '{middle['row_id']}'").to_pylist()
        failed = {**gone[0], "status": "failed", "reason": "quarantined"}
        collection.images.upsert(pa.Table.from_pylist([failed], IMAGES))
    after = mine_duplicates(path)
    assert middle["picture_id"] not in after.rows["picture_id"].to_pylist()
    uri_path(middle["uri"]).unlink()
    whole = mine_duplicates(collected(tmp_path / "pile", tmp_path / "whole"))
    assert named(after) == named(whole)
    (group,) = named(after)
    assert len(group) == 5, "the middle was one of six"
    assert mine_duplicates(path).summary == after.summary


def test_what_is_said_to_be_none_is_remembered(pile: Path, tmp_path: Path) -> None:
    shutil.copytree(pile / "collection", tmp_path / "collection")
    collection = tmp_path / "collection"
    rows = {uri_path(row["uri"]).name: row for row in mine_duplicates(collection).rows.to_pylist()}
    group = [row["row_id"] for name, row in rows.items() if name.startswith("coffee")]
    with pytest.raises(UsageError, match="two different"):
        not_duplicates(
            collection, [rows["coffee.jpg"]["row_id"], rows["coffee copy.jpg"]["row_id"]]
        )
    assert not_duplicates(collection, group) == 3
    found = named(mine_duplicates(collection))
    assert [set(one) for one in found if "coffee.jpg" in one] == [{"coffee.jpg", "coffee copy.jpg"}]
    not_duplicates(collection, group, undo=True)
    assert any("coffee.png" in one for one in named(mine_duplicates(collection)))


def test_two_that_are_said_apart_are_not_together_though_both_resemble_a_third(
    pile: Path, tmp_path: Path
) -> None:
    shutil.copytree(pile / "collection", tmp_path / "collection")
    collection = tmp_path / "collection"
    rows = [
        row
        for row in mine_duplicates(collection, HASHES).rows.to_pylist()
        if uri_path(row["uri"]).name.startswith("astronaut") and row["tier"] != "middle"
    ]
    not_duplicates(collection, [rows[0]["row_id"], rows[1]["row_id"]])
    after = mine_duplicates(collection, HASHES).rows.to_pylist()
    groups = {row["row_id"]: row["group_id"] for row in after}
    assert groups.get(rows[0]["row_id"]) != groups.get(rows[1]["row_id"])


def test_pictures_without_a_hash_that_says_anything(tmp_path: Path) -> None:
    (tmp_path / "pile").mkdir()
    for level in (10, 120, 240):
        flat = np.full((80, 90, 3), level, np.uint8)
        cv2.imwrite(str(tmp_path / f"pile/{level}.png"), flat)
    shutil.copy(tmp_path / "pile/10.png", tmp_path / "pile/again.png")
    found = mine_duplicates(collected(tmp_path / "pile", tmp_path / "c"), HASHES)
    assert [set(group) for group in named(found)] == [{"10.png", "again.png"}]
    assert found.summary["without_hash"] == 3


def test_planted_copies_measure_what_is_found(pile: Path) -> None:
    measured = measure_planted(pile / "collection", originals=3)
    every = measured.edits[0]
    assert (every.edit, every.planted, measured.originals) == ("all", 36, 3)
    assert every.recall > 0.9
    assert every.precision > 0.99
    bits = [one for one in measured.thresholds if one.by == "bits"]
    assert [one.recall for one in bits] == sorted(one.recall for one in bits)
    assert not list((pile / "collection").glob("findings/*planted*"))


def test_ukbench_groups(test_data: Path, tmp_path: Path) -> None:
    collection = collected(test_data / "neardup-ukbench", tmp_path / "collection")
    stems = [{name[:12] for name in group} for group in named(mine_duplicates(collection))]
    assert sorted(map(sorted, stems)) == [
        ["alpha_channe", "ukbench00120"],
        ["ukbench09268"],
        ["ukbench09380"],
    ]
    assert mine_duplicates(collection).summary["copies"] == 17


def test_pdq_bridges_are_one_group(test_data: Path, tmp_path: Path) -> None:
    collection = collected(test_data / "neardup-pdq", tmp_path / "collection")
    (bridge,) = named(mine_duplicates(collection))
    assert len(bridge) == 20
    apart = mine_duplicates(collection, DuplicateOptions(edited=False, scene=None, turned=False))
    assert len(max(named(apart), key=len)) == 13, "the twelve of bridge-mods, and the original"


def test_a_collection_without_good_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "pile").mkdir()
    (tmp_path / "pile/broken.jpg").write_bytes(b"no picture")
    collection = collected(tmp_path / "pile", tmp_path / "collection")
    with pytest.raises(CollectionError, match="no good picture"):
        mine_duplicates(collection)
