"""Real photographs and their copies, through ingest, split, train and evaluate."""

import shutil
from collections import Counter
from importlib.resources import files
from pathlib import Path

import cv2
import pytest

from pixelmine.api.evaluate import evaluate_model
from pixelmine.api.ingest import ingest
from pixelmine.api.split import split, split_given
from pixelmine.api.train import train_model
from pixelmine.core.errors import UsageError
from pixelmine.core.progress import SilentProgress
from pixelmine.evaluate import SplitOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection, split_pictures

CROPS = 12


class Notes(SilentProgress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of two photographs, each with a smaller and a compressed copy, and one copied file."""
    root = tmp_path_factory.mktemp("split")
    for name, label in (("china.jpg", "building"), ("flower.jpg", "plant")):
        (root / "pictures" / label).mkdir(parents=True)
        whole = cv2.imread(str(files("sklearn.datasets") / "images" / name))
        for at in range(CROPS // 2):
            y, x = divmod(at, 3)
            crop = whole[y * 200 : y * 200 + 220, x * 200 : x * 200 + 220]
            path = root / "pictures" / label / f"{label}-{at}.png"
            cv2.imwrite(str(path), crop)
            cv2.imwrite(str(path.with_suffix(".jpg")), crop, [cv2.IMWRITE_JPEG_QUALITY, 60])
            smaller = cv2.resize(crop, (180, 180), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(path.with_name(f"{path.stem}-small.png")), smaller)
    plants = root / "pictures" / "plant"
    shutil.copy(plants / "plant-0.png", plants / "plant-0-again.png")
    ingest([root / "pictures"], root / "c", labels=LabelOptions(labels="folders"))
    return root / "c"


def parts_of(collection: Path, split_id: str) -> dict[str, str]:
    with Collection.open(collection) as opened:
        rows = split_pictures(opened, split_id).to_pylist()
    return {Path(row["uri"]).name: row["part"] for row in rows}


def halves(collection: Path, tmp_path: Path, *moved: str) -> Path:
    """A split that divides no crop from its copies, but for the files that are named."""
    with Collection.open(collection) as opened:
        names = [Path(uri).name for uri in opened.images.read(["uri"])["uri"].to_pylist()]
    file = tmp_path / "parts.csv"
    lines = [
        f"{name},{'train' if (name.split('-')[1][0] in '0123') != (name in moved) else 'test'}"
        for name in names
    ]
    file.write_text("\n".join(["name,part", *lines]))
    return file


def test_copies_that_look_the_same_stay_on_one_side(collection: Path) -> None:
    notes = Notes()
    for seed in range(3):
        options = SplitOptions(parts=(0.5, 0.5), seed=seed)
        parts = parts_of(collection, split(collection, options, progress=notes)[0])
        assert len(parts) == 3 * CROPS + 1
        for name in parts:
            stem = "-".join(name.partition(".")[0].split("-")[:2])
            assert parts[name] == parts[f"{stem}.png"]
    assert f"Near-duplicates kept together: {3 * CROPS} pictures in {CROPS} sets." in notes.texts


def test_without_near_duplicates_only_files_are_compared(collection: Path) -> None:
    notes = Notes()
    options = SplitOptions(parts=(0.5, 0.5), near_duplicates=False)
    parts = parts_of(collection, split(collection, options, progress=notes)[0])
    assert parts["plant-0.png"] == parts["plant-0-again.png"]
    stems = [f"{label}-{at}" for label in ("building", "plant") for at in range(CROPS // 2)]
    assert any(parts[f"{one}.png"] != parts[f"{one}.jpg"] for one in stems)
    (small,) = notes.texts
    assert small.startswith(f"Of {Counter(parts.values())['test']} test pictures, 90 % named")
    assert small.endswith("--folds 5 tests every picture.")


def test_of_folds_nothing_is_said_of_a_small_test(collection: Path) -> None:
    notes = Notes()
    split(collection, SplitOptions(folds=3, near_duplicates=False), progress=notes)
    assert notes.texts == []


def test_a_given_split_that_leaks_is_told_and_refused_where_that_is_wanted(
    collection: Path, tmp_path: Path
) -> None:
    file = halves(collection, tmp_path, "plant-1-small.png", "plant-0-again.png")
    taken = split_given(collection, file)
    assert taken.to_dict()["leaks"] == {"picture_id": 1, "near_duplicates": 2}
    assert taken.kept
    told = " ".join(taken.notes())
    assert "LEAK: 1 picture lies" in told
    assert "LEAK: 2 sets of near-duplicates lie" in told
    other = halves(collection, tmp_path, "plant-2.jpg")
    refused = split_given(collection, other, strict=True)
    assert not refused.kept
    with Collection.open(collection) as opened:
        assert opened.splits.count(f"split_id = '{refused.split_id}'") == 0
    assert split_given(collection, other, near_duplicates=False).leaks == []


def test_a_given_split_without_leaks_is_taken_in_silence(collection: Path, tmp_path: Path) -> None:
    taken = split_given(collection, halves(collection, tmp_path), strict=True)
    assert taken.kept
    assert taken.notes() == []


def test_training_and_measuring_refuse_a_split_with_planted_copies(
    collection: Path, tmp_path: Path
) -> None:
    taken = split_given(collection, halves(collection, tmp_path, "plant-1-small.png"))
    with pytest.raises(UsageError, match=r"1 of the 13 test pictures .*plant-1-small.png in test"):
        train_model(collection, tmp_path / "b", split=taken.split_id)
    with pytest.raises(UsageError, match="--allow-leaks"):
        evaluate_model("efficientnet-lite0", collection, split=taken.split_id)
