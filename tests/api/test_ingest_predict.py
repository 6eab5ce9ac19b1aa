"""From a folder to a collection to results, through the API."""

import json
import shutil
from importlib.resources import files
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pixelmine.api.collection import compact, show, verify
from pixelmine.api.ingest import ingest
from pixelmine.api.labels import label_history, label_summary, set_label, undo_label
from pixelmine.api.predict import predict
from pixelmine.api.split import split
from pixelmine.core.errors import ModelError, OutputError, RunError, SourceError, UsageError
from pixelmine.evaluate import SplitOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two photographs, a copy, and three broken files, in folders that are their labels."""
    folder = tmp_path / "pictures"
    for name, label in (("china.jpg", "building"), ("flower.jpg", "plant")):
        (folder / label).mkdir(parents=True)
        source = files("sklearn.datasets") / "images" / name
        (folder / label / name).write_bytes(source.read_bytes())
    shutil.copy(folder / "plant/flower.jpg", folder / "plant/copy.jpg")
    (folder / "plant/cut.jpg").write_bytes((folder / "plant/flower.jpg").read_bytes()[:5000])
    (folder / "empty.jpg").touch()
    (folder / "notes.txt").write_text("buy milk")
    return folder


@pytest.fixture
def collection(pictures: Path, tmp_path: Path) -> Path:
    ingest([pictures], tmp_path / "c", labels=LabelOptions(labels="folders"))
    return tmp_path / "c"


def test_counts_reconcile(pictures: Path, tmp_path: Path) -> None:
    found = ingest([pictures], tmp_path / "c", labels=LabelOptions(labels="folders"))
    assert found.listed == found.counts.rows == 6
    assert (found.counts.ok, found.counts.failed) == (3, 3)
    assert found.counts.reasons == {"truncated": 1, "empty": 1, "not_an_image": 1}
    assert found.labels == 4
    about = show(tmp_path / "c")
    assert (about.pictures, about.ok, about.failed, about.different) == (6, 3, 3, 5)
    assert about.labels == {"plant": 3, "building": 1}
    assert verify(tmp_path / "c", files=True) == []


def test_a_second_ingest_takes_only_what_is_new_or_changed(
    pictures: Path, collection: Path
) -> None:
    options = LabelOptions(labels="folders")
    assert ingest([pictures], collection, labels=options).counts.rows == 0
    shutil.copy(pictures / "building/china.jpg", pictures / "building/new.jpg")
    (pictures / "empty.jpg").write_bytes((pictures / "building/china.jpg").read_bytes())
    again = ingest([pictures], collection, labels=options)
    assert (again.listed, again.counts.rows, again.counts.ok, again.labels) == (7, 2, 2, 1)
    assert show(collection).pictures == 7


def test_what_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/there.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("file,label,camera\nthere.jpg,a,7\nlater.jpg,b,8\n")
    options = LabelOptions(labels=str(table), group_by="camera")
    first = ingest([tmp_path / "p"], tmp_path / "c", labels=options)
    assert first.counts.reasons == {"not_found": 1}
    shutil.copy(tmp_path / "p/there.jpg", tmp_path / "p/later.jpg")
    second = ingest([tmp_path / "p"], tmp_path / "c", labels=options)
    assert (second.counts.rows, second.counts.ok) == (1, 1)
    about = show(tmp_path / "c")
    assert (about.pictures, about.failed, about.groups) == (2, 0, 2)


def test_a_label_that_a_person_set_survives_the_next_ingest(
    pictures: Path, collection: Path
) -> None:
    with Collection.open(collection) as opened:
        (row,) = opened.images.read(["row_id"], "uri LIKE '%china.jpg'")["row_id"].to_pylist()
    set_label(collection, row[:10], ["pagoda"], who="eve")
    ingest([pictures], collection, labels=LabelOptions(labels="folders"))
    assert label_summary(collection).counts == {"plant": 3, "pagoda": 1}
    assert undo_label(collection, row) == ["building"]
    assert label_summary(collection).counts == {"plant": 3, "building": 1}
    assert set_label(collection, row, []) == row
    assert label_summary(collection).counts == {"plant": 3}
    history = label_history(collection, row)
    assert [entry["labels"] for entry in history] == [["building"], ["pagoda"], ["building"], []]
    assert history[1]["who"] == "eve"


def test_undo_goes_back_one_step_at_a_time(collection: Path) -> None:
    with Collection.open(collection) as opened:
        (row,) = opened.images.read(["row_id"], "uri LIKE '%empty.jpg'")["row_id"].to_pylist()
    for label in ("a", "b", "c"):
        set_label(collection, row, [label])
    assert [undo_label(collection, row) for _ in range(3)] == [["b"], ["a"], []]
    with pytest.raises(UsageError, match="no label to undo"):
        undo_label(collection, row)


def test_predict_of_a_collection_looks_at_each_picture_once(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine import features, pipeline

    seen = []
    real = features.extract

    def counting(*arguments):  # type: ignore[no-untyped-def]  # any arguments
        found = real(*arguments)
        seen.append(0 if found is None else len(found.logits))
        return found

    monkeypatch.setattr(pipeline.features, "extract", counting)
    found = predict(collection, precision="f32")
    assert sum(seen) == 2  # three good files, two of them the same picture
    assert (found.counts.rows, found.counts.ok) == (6, 3)
    assert predict(collection, precision="f32").counts.ok == 3
    assert sum(seen) == 2
    about = show(collection)
    assert list(about.predictions.values()) == [2]
    assert list(about.features.values()) == [2, 2, 2, 2]  # embedding, PDQ, measures, surface
    out = predict(collection, precision="f32", out=tmp_path / "r.jsonl")
    assert sum(seen) == 2
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert len(rows) == out.counts.rows == 6
    assert sorted(row["decision"][0] for row in rows if row["decision"]) == [
        "daisy",
        "daisy",
        "palace",
    ]


def test_a_file_that_changed_since_ingest_says_so(pictures: Path, collection: Path) -> None:
    (pictures / "building/china.jpg").write_bytes((pictures / "plant/flower.jpg").read_bytes())
    found = predict(collection)
    assert found.counts.reasons["changed"] == 1
    assert found.counts.rows == 6


def test_where_one_copy_is_gone_the_other_is_looked_at(pictures: Path, collection: Path) -> None:
    (pictures / "plant/copy.jpg").unlink()
    (pictures / "plant/flower.jpg").rename(pictures / "plant/flower2.jpg")
    ingest([pictures], collection, labels=LabelOptions(labels="folders"))
    found = predict(collection)
    assert found.counts.rows == 7
    assert found.counts.ok == 4  # copy.jpg and flower.jpg are answered from flower2.jpg


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_result_file_has_a_row_for_each_file(pictures: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"r.{ending}"
    found = predict(pictures, out=out)
    assert (found.counts.rows, found.counts.failed) == (6, 3)
    rows = pq.read_table(out).num_rows if ending == "parquet" else len(out.read_text().splitlines())
    assert rows == 6 + (ending == "csv")
    before = out.read_bytes()
    assert predict(pictures, out=out).counts.rows == 6
    assert out.read_bytes() == before


def test_another_run_does_not_replace_a_file_unasked(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    predict(pictures, out=out)
    with pytest.raises(RunError, match="top: 5 then, 3 now"):
        predict(pictures, out=out, top=3)
    predict(pictures, out=out, top=3, overwrite=True)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {len(row["top"]) for row in rows if row["top"]} == {3}
    mine = tmp_path / "mine.jsonl"
    mine.write_text("precious\n")
    with pytest.raises(UsageError, match="there already"):
        predict(pictures, out=mine)
    assert mine.read_text() == "precious\n"


def test_new_files_are_added_to_a_finished_result(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    predict(pictures, out=out)
    shutil.copy(pictures / "building/china.jpg", pictures / "new.jpg")
    (pictures / "notes.txt").unlink()
    assert predict(pictures, out=out).counts.rows == 6
    names = {json.loads(line)["uri"].rpartition("/")[2] for line in out.read_text().splitlines()}
    assert "new.jpg" in names
    assert "notes.txt" not in names


def test_wrong_sources_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for source in ("nowhere", "nothing"):
        with pytest.raises(SourceError):
            predict(tmp_path / source, out=tmp_path / "r.jsonl")
        with pytest.raises(SourceError):
            ingest([tmp_path / source], tmp_path / "c")
    assert [path.name for path in tmp_path.iterdir()] == ["nothing"]


def test_what_is_written_inside_a_source_is_no_picture_of_it(pictures: Path) -> None:
    for _ in range(2):
        assert predict(pictures, out=pictures / "r.jsonl").counts.rows == 6
    shutil.rmtree(pictures / "r.jsonl.run")
    (pictures / "r.jsonl").unlink()
    for _ in range(2):
        assert ingest([pictures], pictures / "c").listed == 6


def test_groups_that_are_told_later_reach_rows_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/a.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("file,label,device,place\na.jpg,x,seven,east\n")
    plain = LabelOptions(labels=str(table))
    ingest([tmp_path / "p"], tmp_path / "c")
    ingest([tmp_path / "p"], tmp_path / "c", labels=plain)
    with Collection.open(tmp_path / "c") as opened:
        (row,) = opened.images.read().to_pylist()
        assert row["group"] is None
        assert dict(row["meta"])["place"] == "east"
    grouped = LabelOptions(labels=str(table), group_by="device")
    assert ingest([tmp_path / "p"], tmp_path / "c", labels=grouped).counts.rows == 0
    ingest([tmp_path / "p"], tmp_path / "c", labels=plain)  # says nothing about groups: they stay
    with Collection.open(tmp_path / "c") as opened:
        (row,) = opened.images.read().to_pylist()
        assert row["group"] == "seven"
        assert row["width"] == 640


def test_a_label_set_by_hand_survives_an_ingest_that_tells_groups(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/a.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("file,label,device\na.jpg,x,seven\n")
    ingest([tmp_path / "p"], tmp_path / "c", labels=LabelOptions(labels=str(table)))
    with Collection.open(tmp_path / "c") as opened:
        (row,) = opened.images.read(["row_id"])["row_id"].to_pylist()
    set_label(tmp_path / "c", row, ["y"])
    options = LabelOptions(labels=str(table), group_by="device")
    assert ingest([tmp_path / "p"], tmp_path / "c", labels=options).labels == 0
    assert label_summary(tmp_path / "c").counts == {"y": 1}
    table.write_text("file,label,device\na.jpg,z,seven\n")
    ingest([tmp_path / "p"], tmp_path / "c", labels=options)
    assert label_summary(tmp_path / "c").counts == {"z": 1}


def test_a_result_file_tries_again_what_can_pass(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine import looking
    from pixelmine.core import Reason

    real = looking.source.read

    def denied(row, *more):  # type: ignore[no-untyped-def]  # any arguments
        return Reason.DENIED if row["uri"].endswith("china.jpg") else real(row, *more)

    monkeypatch.setattr(looking.source, "read", denied)
    assert predict(pictures, out=tmp_path / "r.jsonl").counts.reasons["denied"] == 1
    monkeypatch.undo()
    assert predict(pictures, out=tmp_path / "r.jsonl").counts.reasons["denied"] == 0


def test_a_where_that_is_no_sql_lists_the_columns(collection: Path) -> None:
    with pytest.raises(UsageError, match="The columns: row_id, uri") as caught:
        split(collection, where="nonsense ===")
    assert "/" not in str(caught.value).partition("The columns")[0]


def test_failed_rows_can_be_listed(collection: Path) -> None:
    from pixelmine.api.collection import failed_rows

    rows = failed_rows(collection)
    assert [row["reason"] for row in rows] == ["empty", "not_an_image", "truncated"]


def test_an_unwritable_destination_says_so(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        predict(pictures, out=tmp_path / "file" / "r.jsonl")


def test_a_split_keeps_copies_together_and_compacting_changes_nothing(collection: Path) -> None:
    split_id, parts = split(collection, SplitOptions(parts=(0.5, 0.5), seed=3))
    assert sum(parts.values()) == 3
    with Collection.open(collection) as opened:
        rows = opened.splits.read().to_pylist()
        images = opened.images.read(["row_id", "picture_id"]).to_pylist()
    of = {row["row_id"]: row["picture_id"] for row in images}
    sides: dict[str, set[str]] = {}
    for row in rows:
        assert row["split_id"] == split_id
        sides.setdefault(of[row["row_id"]], set()).add(row["part"])
    assert all(len(parts) == 1 for parts in sides.values())
    before = show(collection)
    compact(collection, keep_days=0)
    after = show(collection)
    assert (after.pictures, after.labels, after.splits) == (
        before.pictures,
        before.labels,
        before.splits,
    )


def test_verify_finds_what_disagrees(pictures: Path, collection: Path) -> None:
    with Collection.open(collection) as opened:
        opened.images.append(opened.images.read().slice(0, 1))
    assert any("repeat a row_id" in problem for problem in verify(collection))
    (pictures / "building/china.jpg").unlink()
    assert any("There is no such file" in problem for problem in verify(collection, files=True))


def test_several_sources_share_one_table_and_one_name(tmp_path: Path) -> None:
    china = str(files("sklearn.datasets") / "images/china.jpg")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(china, tmp_path / folder / f"{folder}.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("file,label\na.jpg,x\nb.jpg,y\n")
    options = LabelOptions(labels=str(table))
    found = ingest([tmp_path / "a", tmp_path / "b"], tmp_path / "c", labels=options)
    assert (found.listed, found.counts.failed, found.labels) == (2, 0, 2)
    again = ingest([tmp_path / "b/../a"], tmp_path / "c")
    assert (again.listed, again.counts.rows, show(tmp_path / "c").pictures) == (1, 0, 2)
    with pytest.raises(UsageError, match="lies within"):
        ingest([tmp_path, tmp_path / "a"], tmp_path / "d")


def test_a_table_corrected_before_the_run_goes_on_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine.api import ingest as module

    (tmp_path / "p").mkdir()
    shutil.copy(str(files("sklearn.datasets") / "images/china.jpg"), tmp_path / "p/a.jpg")
    table = tmp_path / "labels.csv"
    table.write_text("file,label\na.jpg,WRONG\n")

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "add_labels", killed)
    options = LabelOptions(labels=str(table))
    with pytest.raises(KeyboardInterrupt):
        ingest([tmp_path / "p"], tmp_path / "c", labels=options)
    monkeypatch.undo()
    table.write_text("file,label\na.jpg,right\n")
    ingest([tmp_path / "p"], tmp_path / "c", labels=options)
    assert label_summary(tmp_path / "c").counts == {"right": 1}


def test_many_dead_copies_are_one_more_round(tmp_path: Path) -> None:
    from pixelmine.core.progress import SilentProgress

    (tmp_path / "p").mkdir()
    china = str(files("sklearn.datasets") / "images/china.jpg")
    for number in range(12):
        shutil.copy(china, tmp_path / f"p/{number:02d}.jpg")
    ingest([tmp_path / "p"], tmp_path / "c")
    for path in (tmp_path / "p").iterdir():
        path.unlink()
    rounds = []

    class Rounds(SilentProgress):
        def start(self, phase: str, total: int | None = None) -> None:
            rounds.append(total)

    found = predict(tmp_path / "c", progress=Rounds())
    assert found.counts.reasons == {"not_found": 12}
    assert rounds == [1, 11]


def test_predictions_of_two_precisions_are_kept_apart(collection: Path) -> None:
    from pixelmine.runtime.candidates import CHOICES

    assert ("openvino", "bf16") in CHOICES
    one = predict(collection, runtime="onnxruntime", precision="f32")
    assert list(show(collection).predictions.values()) == [2]
    try:
        other = predict(collection, runtime="openvino", precision="bf16")
    except ModelError:
        pytest.skip("this CPU does not compute in bfloat16")
    assert list(show(collection).predictions.values()) == [2, 2]
    first, second = ([row["top"] for row in t.rows.to_pylist() if row["top"]] for t in (one, other))
    assert first != second
    assert [top[0]["label"] for top in first] == [top[0]["label"] for top in second]


def test_a_wrong_option_does_not_spoil_the_run(pictures: Path, tmp_path: Path) -> None:
    for wrong in ({"runtime": "bogus"}, {"precision": "f8"}):
        with pytest.raises(UsageError, match="must be one of"):
            predict(pictures, out=tmp_path / "r.jsonl", **wrong)
    assert predict(pictures, out=tmp_path / "r.jsonl").counts.rows == 6


def test_a_damaged_part_says_what_to_do(pictures: Path, tmp_path: Path) -> None:
    predict(pictures, out=tmp_path / "r.jsonl")
    (part,) = (tmp_path / "r.jsonl.run/parts").glob("*.parquet")
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(RunError, match="Delete it"):
        predict(pictures, out=tmp_path / "r.jsonl")
    part.unlink()
    assert predict(pictures, out=tmp_path / "r.jsonl").counts.rows == 6


def test_a_picture_that_the_collection_knows_is_not_decoded_again(
    pictures: Path, collection: Path, tmp_path: Path
) -> None:
    from pixelmine.api.ingest import inspect_stage
    from pixelmine.core import Limits
    from pixelmine.decoding import inspector
    from pixelmine.pipeline import Inspect

    again = tmp_path / "again"
    again.mkdir()
    for name in ("building/china.jpg", "plant/flower.jpg", "plant/cut.jpg"):
        shutil.copy(pictures / name, again / f"other-{Path(name).name}")
    found = ingest([again], collection)
    assert (found.counts.ok, found.counts.reasons) == (2, {"truncated": 1})
    with Collection.open(collection) as opened:
        rows = opened.images.read(where="uri LIKE '%other-china.jpg'").to_pylist()
        before = opened.images.read(where="uri LIKE '%building/china.jpg'").to_pylist()
        same = ("content_id", "picture_id", "format", "width", "height", "orientation", "meta")
        assert [{n: row[n] for n in same} for row in rows] == [
            {n: row[n] for n in same} for row in before
        ]
        stage = inspect_stage(opened, "auto", Limits())
    assert isinstance(stage, Inspect)
    known = stage.known()
    assert before[0]["picture_id"] in known
    assert "0" * 64 not in known
    assert verify(collection, files=True) == []
    # only its header is read: that its end is missing goes unnoticed
    cut = (pictures / "plant/flower.jpg").read_bytes()[:-5000]
    work = inspector({"decode": {}, "features": list(stage.features), "limits": {}})
    wanted = {"frames": "auto", "frame": 0}
    (full,) = work({**wanted, "known": False}, cut)
    (header,) = work({**wanted, "known": True}, cut)
    assert full[0]["reason"] == "truncated"
    assert header[0]["status"] == "ok"
    assert "pdq" not in header[0]
