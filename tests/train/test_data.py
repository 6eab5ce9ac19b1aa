from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.errors import TrainError, UsageError
from pixelmine.core.ids import content_id, digest_json, file_uri, picture_id, row_id
from pixelmine.core.schema import IMAGES, LABELS, SPLITS
from pixelmine.store import Collection
from pixelmine.train import pixels
from pixelmine.train.data import load_examples
from pixelmine.train.jobs import TrainJob
from pixelmine.train.recipe import load_recipe

RECIPE = load_recipe("cnn-article")
SPLIT = "ab" * 32


class Notes:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done = self.bad = 0

    def start(self, phase: str, total: int | None = None) -> None: ...

    def advance(self, done: int, bad: int = 0) -> None:
        self.done, self.bad = self.done + done, self.bad + bad

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finish(self) -> None: ...


def picture(folder: Path, index: int) -> Path:
    path = folder / f"{index}.png"
    cv2.imwrite(str(path), np.full((40, 30, 3), index * 10, np.uint8))
    return path


def collection(folder: Path, labels: Sequence[Sequence[str]], parts: Sequence[str] = ()) -> Path:
    """A collection of one-coloured pictures, grey value 10 times the index."""
    rows, split = [], []
    for index in range(len(labels)):
        path = picture(folder, index)
        uri, content = file_uri(path), content_id(path.read_bytes())
        empty = dict.fromkeys(IMAGES.names)
        known = {
            "row_id": row_id(uri),
            "uri": uri,
            "member": "",
            "frame": 0,
            "content_id": content,
            "picture_id": picture_id(content, 0),
            "group": f"g{index}",
            "status": "ok",
        }
        rows.append({**empty, **known})
    ids = [row["row_id"] for row in rows]
    split = [{"split_id": SPLIT, "row_id": i, "part": p} for i, p in zip(ids, parts, strict=False)]
    now = datetime.now(UTC)
    given = [
        {"row_id": i, "labels": list(names), "source": "csv", "who": "", "time": now}
        for i, names in zip(ids, labels, strict=True)
    ]
    with Collection.create(folder / "collection") as made:
        made.images.append(pa.Table.from_pylist(rows, IMAGES))
        made.labels.append(pa.Table.from_pylist(given, LABELS))
        made.splits.append(pa.Table.from_pylist(split, SPLITS))
        return made.path


def job(source: Path, **options: str) -> TrainJob:
    return TrainJob(source=str(source), out="out", **options)  # type: ignore[arg-type]  # checked when made


def test_an_idx_folder_gives_its_training_part(idx_folder: Path) -> None:
    progress = Notes()
    found = load_examples(job(idx_folder), RECIPE, progress)
    assert (found.x.shape, found.x.dtype) == ((400, 28, 28, 1), np.uint8)
    assert found.labels == [str(digit) for digit in range(10)]
    assert set(found.part) == {"train"}
    assert progress.done == 400
    pairs = zip(found.picture_ids, map(str, found.y), strict=True)
    assert found.data_digest == digest_json(sorted(map(list, pairs)))


def test_a_collection_gives_pictures_with_one_label(tmp_path: Path) -> None:
    source = collection(tmp_path, [["b"], ["a"], ["a", "b"], [], ["b"]])
    progress = Notes()
    found = load_examples(job(source), RECIPE, progress)
    assert found.x.shape == (3, 28, 28, 1)
    assert found.labels == ["a", "b"]
    grey = {int(x.mean()): found.labels[y] for x, y in zip(found.x, found.y, strict=True)}
    assert grey == {0: "b", 10: "a", 40: "b"}
    assert progress.notes == [
        "1 pictures have several labels and are left out. train --multi-label learns from them."
    ]


def test_a_split_keeps_its_test_part_out(tmp_path: Path) -> None:
    parts = ["train", "test", "val", "train", "test", "train"]
    source = collection(tmp_path, [["a"], ["b"], ["a"], ["b"], ["a"], ["b"]], parts)
    found = load_examples(job(source, split="abab"), RECIPE, Notes())
    by_grey = dict(zip((int(x.mean()) // 10 for x in found.x), found.part, strict=True))
    assert by_grey == {0: "train", 2: "val", 3: "train", 5: "train"}
    assert found.split_id == SPLIT
    assert sorted(filter(None, found.groups)) == ["g0", "g2", "g3", "g5"]


def test_where_narrows(tmp_path: Path) -> None:
    source = collection(tmp_path, [["a"], ["b"], ["a"], ["b"]])
    found = load_examples(job(source, where="uri NOT LIKE '%/0.png'"), RECIPE, Notes())
    assert len(found) == 3


def test_a_picture_that_is_gone_or_changed_is_left_out_and_said(tmp_path: Path) -> None:
    source = collection(tmp_path, [["a"], ["b"], ["a"], ["b"]])
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").write_bytes((tmp_path / "2.png").read_bytes())
    progress = Notes()
    assert len(load_examples(job(source), RECIPE, progress)) == 2
    assert progress.bad == 2
    assert len(progress.notes) == 1
    assert "2 pictures are left out: " in progress.notes[0]
    assert "1 not_found" in progress.notes[0]
    assert "1 changed" in progress.notes[0]


def test_pictures_too_many_for_memory_are_read_once_for_a_training_that_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = collection(tmp_path, [["a"], ["b"], ["a"], ["b"]])
    (tmp_path / "0.png").unlink()
    asked = job(source, state=str(tmp_path / "run"))
    in_memory = load_examples(asked, RECIPE, Notes())
    monkeypatch.setattr(pixels, "IN_MEMORY", 0)
    first, second = Notes(), Notes()
    found = [load_examples(asked, RECIPE, notes) for notes in (first, second)]
    assert (first.done, second.done) == (4, 0)
    assert "3 pictures are prepared already" in second.notes[0]
    for examples in found:
        assert type(examples.x) is np.memmap
        np.testing.assert_array_equal(examples.x, in_memory.x)
        assert examples.picture_ids == in_memory.picture_ids


@pytest.mark.parametrize(
    ("labels", "parts", "said"),
    [
        ([[], []], [], "no training picture with exactly one label"),
        ([["a"], ["a"]], [], "have 1: a"),
        ([["a"], ["b"], ["c"]], ["train", "train", "val"], "no training picture has: c"),
    ],
)
def test_what_cannot_be_learnt_from_is_said(
    tmp_path: Path, labels: list[list[str]], parts: list[str], said: str
) -> None:
    source = collection(tmp_path, labels, parts)
    with pytest.raises(TrainError, match=said):
        load_examples(job(source, **({"split": SPLIT} if parts else {})), RECIPE, Notes())


def test_other_sources_are_refused(tmp_path: Path, idx_folder: Path) -> None:
    with pytest.raises(UsageError, match="neither a collection nor"):
        load_examples(job(tmp_path), RECIPE, Notes())
    with pytest.raises(UsageError, match="need a collection"):
        load_examples(job(idx_folder, split="abab"), RECIPE, Notes())
