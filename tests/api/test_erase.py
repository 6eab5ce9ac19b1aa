"""What is erased is nowhere any more and does not come back; a kill at any step changes nothing."""

import json
import shutil
from importlib.resources import files
from pathlib import Path
from secrets import token_hex

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

from pixelmine.api import erase_steps
from pixelmine.api.audited import audit_log
from pixelmine.api.collection import show, verify
from pixelmine.api.erase import Erased, erase, find_to_erase
from pixelmine.api.ingest import ingest
from pixelmine.api.mine.duplicates import mine_duplicates
from pixelmine.api.mine.plan import apply_plan, make_plan, undo_plan
from pixelmine.api.predict import predict
from pixelmine.api.search import search
from pixelmine.cli.main import app
from pixelmine.core.errors import CollectionError, UsageError, WrongKeyError
from pixelmine.core.ids import content_id, file_uri
from pixelmine.core.schema import features_schema
from pixelmine.features import FEATURES
from pixelmine.index.vectors import IndexOptions, VectorIndex
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection
from pixelmine.store.tombstones import Tombstones
from tests.api.planted_place import (
    HASHES,
    MARK,
    OTHERS,
    Place,
    found_in,
    make,
    needles,
    with_comment,
)


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELMINE_AUDIT", str(tmp_path / "audit"))


@pytest.fixture(scope="session")
def photographs(test_data: Path) -> list[Path]:
    """Real ones, each of other clothes."""
    found = sorted((test_data / "clothing/images").glob("*.jpg"))[: OTHERS + 1]
    assert len(found) == OTHERS + 1
    return found


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, photographs, linear_bundle) -> Place:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIXELMINE_AUDIT", str(tmp_path_factory.mktemp("audit")))
        return make(tmp_path_factory.mktemp("erase"), photographs, linear_bundle)


@pytest.fixture
def place(template: Place) -> Place:
    """Its own collection of the same pictures: these stay where they are."""
    copy = template.folder / "copies" / str(len(list((template.folder).glob("copies/*"))))
    shutil.copytree(template.collection, copy / "c.pixels")
    return Place(
        template.folder, copy / "c.pixels", template.model, template.victim, template.labels
    )


def go(place: Place, **named) -> Erased:
    (done,) = erase(find_to_erase(place.collection, **named))
    return done


def test_no_file_of_the_collection_holds_it_any_more(place: Place) -> None:
    wanted = needles(place)
    before = found_in(place.collection, wanted)
    for name in ("mark", "copy's name", "pixels", "pdq", "features values", "predictions logits"):
        assert before[name], "it was there, in a form that this search sees"
    assert {"row_id 0", "picture_id 0", "content_id 0"} <= before.keys()
    done = go(place, uris=[place.victim])
    assert found_in(place.collection, wanted) == {}
    assert verify(place.collection) == []
    assert (done.receipt["rows"], done.receipt["contents"]) == (3, 1)
    assert done.receipt["counts"]["images"] == 3
    assert show(place.collection).pictures == OTHERS + 2
    assert all(path.exists() for path in (place.victim, place.folder / "packed.tar.gz"))


def test_a_later_ingest_gives_the_reason_erased(place: Place) -> None:
    wanted = needles(place)
    go(place, uris=[place.victim])
    assert place.ingest() == {"erased": 3}
    rows = [row for row in place.rows().to_pylist() if row["reason"] == "erased"]
    assert len(rows) == 3
    for row in rows:
        assert row["status"] == "failed"
        kept = {name for name, value in row.items() if value is not None}
        assert kept <= {
            *("row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns"),
            *("status", "reason"),
        }
    place.ingest()  # and once more: it stays so, nothing is told of it
    left = set(found_in(place.collection, wanted))
    assert left <= {"mark", "copy's name", *(f"row_id {n}" for n in range(3))}
    with Collection.open(place.collection) as opened:
        text = opened.images.read().to_pylist().__repr__() + repr(opened.labels.read().to_pylist())
    for gone in ("label", "group", "meta", "in-the-bytes"):
        assert f"{MARK}-{gone}" not in text
    assert verify(place.collection) == []


def test_neither_search_nor_duplicates_nor_predict_know_it(place: Place) -> None:
    row = place.named()
    go(place, uris=[place.victim])
    found = search(place.collection, place.victim, model=str(place.model), k=50)
    names = "".join(found.rows["uri"].to_pylist())
    assert "alike.jpg" in names
    assert MARK not in names
    assert "innocent" not in names
    again = mine_duplicates(place.collection, HASHES)
    uris = "".join(again.rows["uri"].to_pylist())
    assert MARK not in uris
    assert "alike" not in uris  # what it was a copy of is gone
    rows = predict(place.collection, model=place.model).rows
    assert rows is not None
    assert row not in rows["row_id"].to_pylist()
    assert rows.num_rows == OTHERS + 2
    with pytest.raises(UsageError):
        search(place.collection, row=row[:12], model=str(place.model))


def test_predict_does_not_look_at_what_is_being_erased(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after("tombstones", monkeypatch)
    with pytest.raises(StoppedError):
        go(place, uris=[place.victim])
    shutil.rmtree(place.collection / "predictions")
    rows = predict(place.collection, model=place.model).rows
    assert rows is not None
    assert rows["reason"].to_pylist().count("erased") == 3


class StoppedError(Exception):
    pass


def stop_after(name: str, monkeypatch: pytest.MonkeyPatch, before: bool = False) -> None:
    step = erase_steps.STEPS[name]

    def stopping(collection, job) -> None:
        if not before:
            step(collection, job)
        raise StoppedError

    monkeypatch.setitem(erase_steps.STEPS, name, stopping)


@pytest.mark.parametrize(
    ("step", "again"),
    [
        *((step, "the same") for step in erase_steps.STEPS),
        *((step, "another") for step in ("tombstones", "findings", "images")),
    ],
)
def test_killed_at_any_step_it_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str, again: str
) -> None:
    wanted = needles(place)
    with monkeypatch.context() as patch:
        stop_after(step, patch)
        with pytest.raises(StoppedError):
            go(place, uris=[place.victim])
    assert (place.collection / "erasures/unfinished.json").is_file()
    named = place.victim if again == "the same" else place.folder / "pictures/other-7.jpg"
    found = find_to_erase(place.collection, uris=[named])
    assert found.unfinished is not None
    assert set(found.unfinished) <= set(found.learnt)
    done = erase(found)
    assert len(done) == (1 if again == "the same" else 2)
    assert done[0].receipt["gone_on_with"]
    assert done[0].receipt["counts"]["images"] == 3
    assert found_in(place.collection, wanted) == {}
    assert verify(place.collection) == []
    assert place.ingest() == {"erased": 3 if again == "the same" else 4}


def test_killed_before_the_receipt_it_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = needles(place)

    def stopped(*_args: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr("pixelmine.api.erase._receipt", stopped)
        with pytest.raises(StoppedError):
            go(place, groups=[f"{MARK}-group"])
    assert go(place, groups=[f"{MARK}-group"]).receipt["tombstones"]
    assert found_in(place.collection, wanted) == {}


def test_it_is_found_by_row_uri_and_group(place: Place) -> None:
    row = place.named()
    for named in (
        {"ids": [row[:8]]},
        {"uris": [file_uri(place.victim)]},
        {"uris": [place.victim]},
        {"groups": [f"{MARK}-group"]},
    ):
        found = find_to_erase(place.collection, **named)
        assert sorted(one["why"] for one in found.rows) == ["named", "same bytes", "same bytes"]
        assert found.rows[0]["row_id"] == row
        assert (found.copied, found.set_aside, found.unread) == (1, 0, 0)
        (near,) = found.near
        assert near.uri.endswith("alike.jpg")
        assert "bits away" in near.why


def test_a_copy_that_only_the_finding_knows_is_named(place: Place) -> None:
    feature = FEATURES.get("pdq")()
    with Collection.open(place.collection) as opened:
        table = opened.feature(feature.producer, feature.fields)
        rows = table.read()
        names = rows["picture_id"].to_pylist()
        table.remove(["picture_id"], pa.array(names))
    (near,) = find_to_erase(place.collection, uris=[place.victim]).near
    assert "mine duplicates" in near.why


def test_what_names_nothing_is_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="--id, --uri or --group"):
        find_to_erase(place.collection)
    with pytest.raises(UsageError, match="6 hexadecimal"):
        find_to_erase(place.collection, ids=["%"])
    with pytest.raises(CollectionError, match="0 rows"):
        find_to_erase(place.collection, ids=["0" * 64])
    with pytest.raises(CollectionError, match="--group nobody"):
        find_to_erase(place.collection, groups=["nobody"])
    with pytest.raises(CollectionError, match="--uri"):
        find_to_erase(place.collection, uris=["nowhere.jpg"])


def test_a_name_with_a_quote_is_a_name(place: Place) -> None:
    with pytest.raises(CollectionError):
        find_to_erase(place.collection, groups=["' OR '1'='1"])


def test_all_frames_of_a_file_go(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)) for _ in range(3)]
    (tmp_path / "p").mkdir()
    frames[0].save(tmp_path / "p/moving.tiff", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "p/still.png")
    ingest([tmp_path / "p"], tmp_path / "c", frames="all")
    with Collection.open(tmp_path / "c") as opened:
        rows = opened.images.read(["row_id", "frame"]).to_pylist()
    second = next(row["row_id"] for row in rows if row["frame"] == 2)
    (done,) = erase(find_to_erase(tmp_path / "c", ids=[second]))
    assert (done.receipt["rows"], done.receipt["contents"]) == (3, 1)
    assert show(tmp_path / "c").pictures == 1


def test_the_last_picture_of_a_collection(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/china.jpg")
    ingest([tmp_path / "p"], tmp_path / "c")
    (done,) = erase(find_to_erase(tmp_path / "c", uris=[tmp_path / "p/china.jpg"]))
    assert done.receipt["counts"]["images"] == 1
    assert show(tmp_path / "c").pictures == 0
    assert ingest([tmp_path / "p"], tmp_path / "c").counts.reasons == {"erased": 1}
    (again,) = erase(find_to_erase(tmp_path / "c", uris=[tmp_path / "p/china.jpg"]))
    assert again.receipt["tombstones"] == []  # it has one: where it lay is forgotten too
    assert ingest([tmp_path / "p"], tmp_path / "c").counts.reasons == {"erased": 1}


def test_what_was_never_read_goes_without_a_tombstone(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/there.jpg")
    (tmp_path / "l.csv").write_text("file,label\nthere.jpg,a\nKESTREL.jpg,b\n")
    ingest([tmp_path / "p"], tmp_path / "c", labels=LabelOptions(labels=str(tmp_path / "l.csv")))
    found = find_to_erase(tmp_path / "c", uris=[tmp_path / "p/KESTREL.jpg"])
    assert (found.unread, found.contents, found.near) == (1, [], ())
    (done,) = erase(found)
    assert (done.receipt["never_read"], done.receipt["tombstones"]) == (1, [])
    assert found_in(tmp_path / "c", {"name": b"KESTREL"}) == {}


def test_the_receipt_says_what_was_done_and_names_nobody(place: Place) -> None:
    wanted = needles(place)
    done = go(place, uris=[place.victim])
    receipt = json.loads(done.path.read_text())
    assert receipt == done.receipt
    assert done.path.parent == place.collection / "erasures"
    assert [path.name for path in done.path.parent.iterdir()] == [done.path.name]
    text = done.path.read_text() + audit_log().path.read_text()
    assert not [name for name, needle in wanted.items() if needle in text.encode()]
    assert str(place.folder) not in text
    log = audit_log()
    assert log.verify().head == receipt["audit_head"]
    (entry,) = log.entries()
    assert (entry["did"], entry["counts"]["images"], entry["counts"]["bytes"]) == ("erase", 3, 1)
    counts = receipt["counts"]
    assert counts["labels"] == 1
    assert counts["splits"] == 1
    assert counts["decisions"] == 1
    assert counts["runs"] >= 2
    assert "duplicates" in receipt["findings"]
    assert sum(count for name, count in counts.items() if name.startswith("features/")) >= 4
    assert receipt["versions"]["images"] >= 2


def test_people_s_own_files_stay_unless_they_say_so(
    tmp_path: Path, photographs, linear_bundle
) -> None:
    place = make(tmp_path / "own", photographs, linear_bundle, mined=False)
    copy = place.victim.parent / "more/innocent-name.jpg"
    linked = place.victim.parent / "more/link.jpg"
    shutil.copy(place.victim, tmp_path / "behind.jpg")
    linked.symlink_to(tmp_path / "behind.jpg")
    changed = place.victim.parent / "more/changed.jpg"
    shutil.copy(place.victim, changed)
    place.ingest()
    changed.write_bytes(b"somebody else's by now")
    (done,) = erase(find_to_erase(place.collection, uris=[place.victim]), originals=True)
    assert not place.victim.exists()
    assert not copy.exists()
    assert (place.folder / "packed.tar.gz").exists()
    assert (place.victim.parent / "alike.jpg").exists()
    assert changed.exists()
    assert (tmp_path / "behind.jpg").exists()
    assert done.receipt["counts"]["originals"] == 2
    said = " ".join(done.left)
    assert "changed.jpg: other bytes" in said
    assert done.receipt["originals_left"] == len(done.left)


def test_what_a_plan_has_set_aside_goes_too(tmp_path: Path, photographs, linear_bundle) -> None:
    place = make(tmp_path / "aside", photographs, linear_bundle, mined=False)
    wanted = {"mark": MARK.encode(), "row": place.named().encode()}
    shutil.copy(place.folder / "pictures/other-0.jpg", place.folder / "pictures/other-0b.jpg")
    place.ingest()
    mine_duplicates(place.collection, HASHES)
    make_plan(place.collection, tmp_path / "plan.csv")
    applied = apply_plan(place.collection, tmp_path / "plan.csv")
    held = content_id(with_comment(photographs[0].read_bytes(), f"{MARK}-in-the-bytes"))
    quarantine = Path(applied.folder)
    aside = [content_id(path.read_bytes()) for path in (quarantine / "files").iterdir()]
    assert held in aside
    found = find_to_erase(place.collection, groups=[f"{MARK}-group"])
    assert found.set_aside == 1
    (done,) = erase(found)
    assert done.receipt["counts"]["quarantine files"] == aside.count(held)
    assert found_in(place.collection, wanted) == {}
    left = [content_id(path.read_bytes()) for path in (quarantine / "files").iterdir()]
    assert sorted(left) == sorted(name for name in aside if name != held)
    undo_plan(place.collection)  # the others still come back
    assert verify(place.collection) == []


def test_an_encrypted_collection(
    tmp_path: Path, photographs, linear_bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXELMINE_KEY", token_hex(32))
    place = make(tmp_path / "sealed", photographs, linear_bundle, mined=False, encrypt=True)
    predict(place.collection, model=place.model)
    wanted = needles(place)
    with Collection.open(place.collection) as opened:
        copy = opened.bytes.path(content_id(place.victim.read_bytes()))
        sealed = copy.read_bytes()[200:264]
    found = find_to_erase(place.collection, uris=[place.victim])
    assert found.copied == 1
    assert [near.uri.rsplit("/")[-1] for near in found.near] == ["alike.jpg"]
    erase(found)
    assert not copy.exists()
    assert found_in(place.collection, {**wanted, "sealed": sealed}) == {}
    assert not (place.collection / "tombstones.key").exists()
    assert place.ingest() == {"erased": 3}
    monkeypatch.setenv("PIXELMINE_KEY", token_hex(32))
    with pytest.raises(WrongKeyError):
        len(Tombstones(place.collection))


def test_a_run_that_is_not_finished_is_refused(place: Place) -> None:
    folder = place.collection / "runs/half"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"asked": {"job": "ingest"}, "finished": None}))
    with pytest.raises(UsageError, match=r"A run \(ingest\).*delete"):
        go(place, uris=[place.victim])
    assert not (place.collection / "tombstones.bin").exists()
    shutil.rmtree(folder)
    go(place, uris=[place.victim])


def test_no_index_of_vectors_keeps_it(tmp_path: Path) -> None:
    """Indexes hold codes of vectors, and lists of what is in which cell."""
    rng = np.random.default_rng(1)
    names = [content_id(str(n).encode()) for n in range(1500)]
    vectors = rng.normal(size=(1500, 16)).astype(np.float32)
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 16)
    rows = pa.table({"picture_id": names, "values": flat}, features_schema(16))
    collection = Collection.create(tmp_path / "c")
    table = collection.features("ab" * 32, 16)
    table.append(rows)
    VectorIndex(table, IndexOptions(exact_below=1000, queries=10)).refresh(1)
    assert table.newest().describe_indices()
    wanted = {"name": names[7].encode(), "vector": vectors[7].tobytes()}
    assert found_in(tmp_path, wanted).keys() == wanted.keys()
    assert table.path.with_suffix(".index.json").exists()
    assert table.remove(["picture_id"], pa.array([names[7]])) == 1
    job = erase_steps.Unfinished(
        path=tmp_path / "j", begun="", rows=[], pictures=[names[7]], contents=[]
    )
    erase_steps.STEPS["forget"](collection, job)
    assert not table.newest().describe_indices()
    assert not table.path.with_suffix(".index.json").exists()
    assert not list((table.path / "_indices").glob("*/*"))
    assert found_in(tmp_path, wanted) == {}
    assert table.count() == 1499


def test_the_command_asks_and_refuses_where_nobody_can_answer(place: Place) -> None:
    def call(*more: str):
        return CliRunner().invoke(
            app, ["erase", str(place.collection), "--uri", str(place.victim), *more]
        )

    refused = call()
    assert refused.exit_code == 2
    assert f"{MARK}-in-the-uri.jpg" in refused.output
    assert "alike.jpg" in refused.output
    shown = call("--dry-run", "--json")
    assert shown.exit_code == 0
    said = json.loads(shown.stdout)
    assert [row["why"] for row in said["rows"]] == ["named", "same bytes", "same bytes"]
    assert said["erased"] == []
    assert show(place.collection).pictures == OTHERS + 5
    assert call("--json").exit_code == 2
    done = call("--yes", "--json")
    assert done.exit_code == 0
    (one,) = json.loads(done.stdout)["erased"]
    assert one["receipt"]["counts"]["images"] == 3
    assert show(place.collection).pictures == OTHERS + 2
    assert call("--yes").exit_code == 1
