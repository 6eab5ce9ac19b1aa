"""What leaves a collection comes back as it was, and counts reconcile."""

import csv
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pixelmine.api.collection import show
from pixelmine.api.export import Export, ExportOptions, export_collection
from pixelmine.api.ingest import ingest
from pixelmine.api.labels import set_label
from pixelmine.api.split import split
from pixelmine.core import PassPolicy
from pixelmine.core.errors import CollectionError, OutputError, SourceError, UsageError
from pixelmine.evaluate import SplitOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.output.export.notes import MANIFEST_COLUMNS
from pixelmine.store import Collection

FOLDERS = LabelOptions(labels="folders")
LABELS = ("cat", "Cat", "a|b", "=sum")
REASONS = {"changed": 1, "not_found": 1}


def picture(path: Path, number: int, ending: str = ".jpg") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(number)
    pixels = cv2.resize(random.integers(0, 255, (6, 8, 3), np.uint8), (64, 48))
    path.write_bytes(cv2.imencode(ending, pixels)[1].tobytes())
    return path


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four labels of odd names with three pictures each, one without a label, one broken."""
    folder = tmp_path_factory.mktemp("export")
    for number, label in enumerate(LABELS):
        for n in range(3):
            picture(folder / "photos" / label / f"{n}.JPG", 10 * number + n)
    picture(folder / "photos" / "cat" / "wrong.jpg", 50, ".png")
    picture(folder / "photos" / "free.jpg", 51)
    (folder / "photos" / "cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    ingest([folder / "photos"], folder / "c", labels=FOLDERS)
    return folder / "c"


def labelled(collection: Path) -> list[tuple[str, tuple[str, ...]]]:
    """picture_id and labels of every good row."""
    with Collection.open(collection) as opened:
        rows = opened.images.read(["row_id", "picture_id"], "status = 'ok'").to_pylist()
        current = opened.current_labels()
        labels = dict(
            zip(current["row_id"].to_pylist(), current["labels"].to_pylist(), strict=True)
        )
        return sorted((row["picture_id"], tuple(labels.get(row["row_id"], ()))) for row in rows)


def reconcile(found: Export) -> None:
    assert found.good == found.selected + sum(found.left_out.values())
    assert found.selected == found.written + sum(found.skipped.values())


def to_folder(out: Path) -> tuple[list[Path | str], LabelOptions]:
    return [out], LabelOptions(labels=str(out / "manifest.csv"))


def to_shards(out: Path) -> tuple[list[Path | str], LabelOptions]:
    return [f"{out}/*.tar"], LabelOptions()


def to_table(out: Path) -> tuple[list[Path | str], LabelOptions]:
    return [out], LabelOptions()


WAYS = [
    ("folder", "out", to_folder),
    ("webdataset", "out", to_shards),
    ("parquet", "out.parquet", to_table),
    ("csv", "out.csv", to_table),
]


@pytest.mark.parametrize(("form", "name", "back"), WAYS, ids=[way[0] for way in WAYS])
def test_what_leaves_comes_back_with_its_labels(
    taken: Path, tmp_path: Path, form: str, name: str, back: Callable[[Path], tuple]
) -> None:
    found = export_collection(taken, tmp_path / name, ExportOptions(form=form))
    reconcile(found)
    assert (found.good, found.written, found.unlabelled, found.labels) == (14, 14, 1, 4)
    sources, labels = back(tmp_path / name)
    ingest(sources, tmp_path / "again", labels=labels)
    assert show(tmp_path / "again").failed == 0, "notes beside pictures are no pictures"
    expected = labelled(taken)
    if form in ("folder", "csv"):  # what a spreadsheet would run has a ' before it
        expected = sorted(
            (one, tuple(x.replace("=", "'=") for x in said)) for one, said in expected
        )
    assert labelled(tmp_path / "again") == expected


def test_class_folders_hold_the_same_bytes_under_safe_names(taken: Path, tmp_path: Path) -> None:
    found = export_collection(taken, tmp_path / "out", ExportOptions(form="folder"))
    names = {
        folder.name: sorted(file.name for file in folder.iterdir())
        for folder in (tmp_path / "out").iterdir()
        if folder.is_dir()
    }
    three = ["0.JPG", "1.JPG", "2.JPG"]
    assert len({name.casefold() for name in names}) == 5, "cat and Cat, where case does not count"
    assert names["a%7Cb"] == names["%3Dsum"] == three
    assert names["unlabelled"] == ["free.jpg"]
    assert names["Cat"] == three
    assert names["%63%61%74"] == [*three, "wrong.png"], "a PNG is called .png"
    assert found.about["folders"].items() >= {"a|b": "a%7Cb", "=sum": "%3Dsum"}.items()
    original = taken.parent / "photos" / "a|b" / "1.JPG"
    assert (tmp_path / "out" / "a%7Cb" / "1.JPG").read_bytes() == original.read_bytes()
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert {row["file"] for row in rows} == {
        str(path.relative_to(tmp_path / "out"))
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and path.suffix != ".csv"
    }
    assert not (tmp_path / "out" / "skipped.csv").exists()
    assert len(found.about["folders"]) == 3
    assert "Labels that are no names of folders: 3" in found.notes()[0]


def test_shards_are_whole_small_and_the_same_each_time(taken: Path, tmp_path: Path) -> None:
    options = ExportOptions(form="webdataset", shard_pictures=5)
    for out in ("one", "two"):
        found = export_collection(taken, tmp_path / out, options)
    assert found.about["shards"] == 3
    shards = sorted((tmp_path / "one").glob("*.tar"))
    assert [shard.name for shard in shards] == [f"00000{n}.tar" for n in range(3)]
    for shard in shards:
        assert shard.read_bytes() == (tmp_path / "two" / shard.name).read_bytes()
    classes = json.loads((tmp_path / "one" / "classes.json").read_text("utf-8"))
    assert classes == sorted(LABELS)
    keys: list[str] = []
    for shard in shards:
        with tarfile.open(shard) as tar:
            members = {info.name: tar.extractfile(info).read() for info in tar}
            assert all(info.mtime == info.uid == 0 and not info.uname for info in tar)
        for key in dict.fromkeys(name.partition(".")[0] for name in members):
            keys.append(key)
            note = json.loads(members[f"{key}.json"])
            ending = "png" if note["uri"].endswith("wrong.jpg") else "jpg"
            Image.open(io.BytesIO(members[f"{key}.{ending}"])).verify()
            if "label" in note:
                assert classes[int(members[f"{key}.cls"])] == note["label"]
            else:
                assert f"{key}.cls" not in members
    assert keys == [f"{n:09d}" for n in range(14)]


def test_a_shard_is_full_by_bytes(taken: Path, tmp_path: Path) -> None:
    options = ExportOptions(form="webdataset", shard_bytes=12_000)
    export_collection(taken, tmp_path / "out", options)
    sizes = [shard.stat().st_size for shard in (tmp_path / "out").glob("*.tar")]
    assert len(sizes) > 2
    with tarfile.open(sorted((tmp_path / "out").glob("*.tar"))[0]) as tar:
        members = sum(512 + -(-info.size // 512) * 512 for info in tar)
    assert members + 1024 <= 12_000


def test_parquet_holds_pictures_as_datasets_has_them(taken: Path, tmp_path: Path) -> None:
    export_collection(taken, tmp_path / "out.parquet", ExportOptions(form="parquet"))
    table = pq.read_table(tmp_path / "out.parquet")
    assert json.loads(table.schema.metadata[b"huggingface"])["info"]["features"] == {
        "image": {"_type": "Image"}
    }
    assert table.schema.field("image").type == pa.struct(
        [pa.field("bytes", pa.binary()), pa.field("path", pa.string())]
    )
    for row in table.to_pylist():
        assert Image.open(io.BytesIO(row["image"]["bytes"])).size == (row["width"], row["height"])
        assert row["label"] == (row["labels"] or [None])[0]
    options = ExportOptions(form="parquet", with_bytes=False)
    export_collection(taken, tmp_path / "bare.parquet", options)
    assert pq.read_table(tmp_path / "bare.parquet").equals(table.drop_columns(["image"]))


def test_row_groups_hold_bounded_bytes(
    taken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelmine.output.export.parquet.GROUP_BYTES", 4000)
    monkeypatch.setattr("pixelmine.api.export._BATCH_BYTES", 2000)
    export_collection(taken, tmp_path / "out.parquet", ExportOptions(form="parquet"))
    meta = pq.ParquetFile(tmp_path / "out.parquet").metadata
    assert meta.num_rows == 14
    assert meta.num_row_groups > 2


def test_a_plan_a_condition_and_new_labels_hold(taken: Path, tmp_path: Path) -> None:
    with Collection.open(taken) as collection:
        rows = collection.images.read(["row_id", "uri"]).sort_by("uri").to_pylist()
    plan = tmp_path / "plan.csv"
    gone = [row["row_id"] for row in rows if row["uri"].endswith("0.JPG")]
    kept = next(row["row_id"] for row in rows if row["row_id"] not in gone)
    lines = ["row_id,action", *(f"{row},remove" for row in gone), f"{kept},keep", "unknown,remove"]
    plan.write_text("\n".join(lines))
    options = ExportOptions(form="csv", plan=plan, where="uri NOT LIKE '%/cat/%' OR false")
    found = export_collection(taken, tmp_path / "out.csv", options)
    reconcile(found)
    assert found.left_out == {"plan": 3}
    assert found.unmatched == 1
    with (tmp_path / "out.csv").open(newline="") as file:
        left = list(csv.DictReader(file))
    assert not {row["row_id"] for row in left} & set(gone)
    assert not [row for row in left if "/cat/" in row["uri"] or "0.JPG" in row["uri"]]
    plan.write_text("row_id,action\n" + "\n".join(f"{row['row_id']},remove" for row in rows))
    with pytest.raises(
        UsageError, match=r"Nothing is left to export: of 14 .* the plan removes 14"
    ):
        export_collection(taken, tmp_path / "no.csv", ExportOptions(form="csv", plan=plan))


def test_parts_of_a_split_lie_apart(taken: Path, tmp_path: Path) -> None:
    options = SplitOptions(parts=(0.5, 0.5), near_duplicates=False, stratify=False)
    name, parts = split(taken, options)
    found = export_collection(taken, tmp_path / "out", ExportOptions(form="folder", split=name))
    reconcile(found)
    assert found.left_out == {"split": 1}, "the one without a label is in no part"
    held = {
        folder.name: len([file for file in folder.rglob("*") if file.is_file()])
        for folder in (tmp_path / "out").iterdir()
        if folder.is_dir()
    }
    assert held == parts
    shards = ExportOptions(form="webdataset", split=name)
    export_collection(taken, tmp_path / "shards", shards)
    assert {s.name for s in (tmp_path / "shards").glob("*.tar")} == {
        f"{part}-000000.tar" for part in parts
    }


def test_what_cannot_be_read_is_counted_and_listed(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "photos" / f"{n}.jpg", n) for n in range(4)]
    ingest([tmp_path / "photos"], tmp_path / "c")
    paths[0].unlink()
    picture(paths[1], 99)
    for form, out, table in (
        ("folder", "out", "out/skipped.csv"),
        ("webdataset", "shards", "shards/skipped.csv"),
        ("parquet", "out.parquet", "out.skipped.csv"),
    ):
        found = export_collection(tmp_path / "c", tmp_path / out, ExportOptions(form=form))
        reconcile(found)
        assert found.skipped == REASONS
        assert any("changed 1" in note for note in found.notes())
        with (tmp_path / table).open(newline="") as file:
            listed = {row["uri"].rpartition("/")[2]: row["reason"] for row in csv.DictReader(file)}
        assert listed == {"0.jpg": "not_found", "1.jpg": "changed"}
    for path in paths[2:]:
        path.unlink()
    with pytest.raises(SourceError, match="None of the 4 pictures can be read"):
        export_collection(tmp_path / "c", tmp_path / "none", ExportOptions(form="folder"))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["c", "out", "out.parquet", "out.skipped.csv", "photos", "shards"]


def test_several_labels_go_where_there_is_room_for_them(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "photos" / f"{n}.jpg", n) for n in range(3)]
    ingest([tmp_path / "photos"], tmp_path / "c")
    said = [["red", "round"], ["a|b", "red"], ["red"]]
    with Collection.open(tmp_path / "c") as collection:
        rows = collection.images.read(["row_id"]).sort_by("row_id")["row_id"].to_pylist()
    for row, labels in zip(rows, said, strict=True):
        set_label(tmp_path / "c", row, labels)
    assert len(paths) == 3
    with pytest.raises(UsageError, match="webdataset, parquet or csv"):
        export_collection(tmp_path / "c", tmp_path / "out", ExportOptions(form="folder"))
    options = ExportOptions(form="folder", labels="none")
    export_collection(tmp_path / "c", tmp_path / "out", options)
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 3
    for form, name, back in WAYS[1:]:
        options = ExportOptions(form=form, overwrite=True)
        export_collection(tmp_path / "c", tmp_path / name, options)
        sources, _ = back(tmp_path / name)
        into = tmp_path / f"again-{form}"
        ingest(sources, into, labels=LabelOptions(separator="|"))
        assert labelled(into) == labelled(tmp_path / "c")


def test_frames_and_arrays_become_png(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 9, 3), 40 * n, np.uint8)) for n in range(3)]
    folder = tmp_path / "pictures"
    folder.mkdir()
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:], duration=100)
    np.savez(tmp_path / "grey.npz", x=np.arange(2 * 6 * 7, dtype=np.uint8).reshape(2, 6, 7))
    ingest([folder, tmp_path / "grey.npz"], tmp_path / "c", frames="all")
    found = export_collection(tmp_path / "c", tmp_path / "out", ExportOptions(form="folder"))
    reconcile(found)
    files = sorted(path.name for path in (tmp_path / "out" / "unlabelled").iterdir())
    film = ["film-frame-000001.png", "film-frame-000002.png", "film.gif"]
    assert files == sorted([*film, "grey-0.png", "grey-1.png"])
    original = (folder / "film.gif").read_bytes()
    assert (tmp_path / "out" / "unlabelled" / "film.gif").read_bytes() == original
    second = Image.open(tmp_path / "out" / "unlabelled" / "film-frame-000002.png")
    assert abs(int(np.asarray(second).max()) - 80) < 3
    grey = Image.open(tmp_path / "out" / "unlabelled" / "grey-0.png")
    assert (grey.mode, grey.size) == ("L", (7, 6))
    assert np.asarray(grey).tolist() == np.arange(42).reshape(6, 7).tolist()


def test_nothing_of_others_is_ever_deleted(taken: Path, tmp_path: Path) -> None:
    def out(path: Path, form: str = "folder", overwrite: bool = True) -> None:
        export_collection(taken, path, ExportOptions(form=form, overwrite=overwrite))

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="no earlier export"):
        out(tmp_path / "mine")
    with pytest.raises(UsageError, match="in one another"):
        out(taken / "out")
    with pytest.raises(UsageError, match="in one another"):
        out(taken.parent)
    with pytest.raises(UsageError, match="must end in"):
        out(tmp_path / "a.pq", "parquet")
    with pytest.raises(UsageError, match="writes a folder"):
        out(tmp_path / "mine" / "thesis.txt")
    out(tmp_path / "new")
    with pytest.raises(UsageError, match="--overwrite"):
        out(tmp_path / "new", overwrite=False)
    out(tmp_path / "new")
    ingest([tmp_path / "new"], tmp_path / "again")
    with pytest.raises(UsageError, match="would delete them"):
        export_collection(
            tmp_path / "again", tmp_path / "new", ExportOptions(form="folder", overwrite=True)
        )
    assert len(list((tmp_path / "new").rglob("*.JPG"))) == 12


def test_what_fails_leaves_nothing_half(
    taken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".out.abcd1234.tmp").mkdir()  # as a killed export leaves it

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pixelmine.output.export.folder.FolderForm._put", full)
    monkeypatch.setattr("pixelmine.output.export.shards.ShardsForm._put", full)
    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    monkeypatch.setattr("pixelmine.output.export.table.TableForm.write", full)
    for form, name, _ in WAYS:
        with pytest.raises(OutputError, match="No space left"):
            export_collection(taken, tmp_path / name, ExportOptions(form=form))
    assert list(tmp_path.iterdir()) == []


def test_what_leaves_passes_the_policy(taken: Path, tmp_path: Path) -> None:
    class Strict(PassPolicy):
        seen = 0

        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.drop_columns(
                [n for n in ("uri", "member", "labels") if n in rows.schema.names]
            )

        def picture(self, data: bytes) -> bytes:
            Strict.seen += 1
            return data + b"masked"

    for form, name, _ in WAYS:
        out = tmp_path / form / name
        export_collection(taken, out, ExportOptions(form=form), policy=Strict())
    assert Strict.seen == 3 * 14
    told = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    told += "".join(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")).encode()
    for secret in (b"a|b", b"%7Cb", b"photos", b"sum", b"wrong"):
        assert secret not in told
    assert told.count(b"masked") == 3 * 14

    class Fewer(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            return rows.slice(0, 2)

    with pytest.raises(OutputError, match="made 2 rows of 14"):
        export_collection(taken, tmp_path / "few.csv", ExportOptions(form="csv"), policy=Fewer())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"form": "zip"}, "--as must be one of"),
        ({"form": "csv", "labels": "old"}, "--labels must be one of"),
        ({"form": "csv", "with_bytes": False}, "--no-bytes goes with"),
        ({"form": "webdataset", "shard_pictures": 0}, "shard_pictures must be above 0"),
    ],
)
def test_options_are_checked(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ExportOptions(**options)


def test_an_empty_choice_is_a_sentence(taken: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no condition in SQL"):
        export_collection(taken, tmp_path / "a.csv", ExportOptions(form="csv", where="wide > 3"))
    with pytest.raises(CollectionError, match="no good picture where width > 900"):
        export_collection(taken, tmp_path / "a.csv", ExportOptions(form="csv", where="width > 900"))
    Collection.create(tmp_path / "empty")
    with pytest.raises(CollectionError, match="no good picture"):
        export_collection(tmp_path / "empty", tmp_path / "a.csv", ExportOptions(form="csv"))


def test_labels_are_the_current_ones(tmp_path: Path) -> None:
    picture(tmp_path / "photos" / "cat" / "a.jpg", 1)
    ingest([tmp_path / "photos"], tmp_path / "c", labels=FOLDERS)
    with Collection.open(tmp_path / "c") as collection:
        (row,) = collection.images.read(["row_id"])["row_id"].to_pylist()
    set_label(tmp_path / "c", row, ["dog"])
    export_collection(tmp_path / "c", tmp_path / "out", ExportOptions(form="folder"))
    assert (tmp_path / "out" / "dog" / "a.jpg").is_file()
