"""The command line: the same answers as the API, one clear sentence for each mistake."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest

PHOTOGRAPHS = Path(str(files("sklearn.datasets") / "images"))


def pixelmine(*arguments: object, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pixelmine", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("china.jpg", "flower.jpg"):
        shutil.copy(PHOTOGRAPHS / name, folder / name)
    (folder / "broken.jpg").write_bytes((folder / "china.jpg").read_bytes()[:4000])
    return folder


def test_one_picture_needs_no_options_and_shows_its_names(pictures: Path) -> None:
    found = pixelmine("predict", pictures / "china.jpg")
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert len(lines) == 5
    assert "palace" in lines[0]
    assert "%" in lines[0]


def test_a_folder_shows_a_line_for_each_picture_and_counts_at_the_end(pictures: Path) -> None:
    found = pixelmine("predict", pictures)
    assert found.returncode == 0, found.stderr
    rows = [line.split("\t") for line in found.stdout.splitlines()]
    assert [row[0] for row in rows] == ["broken.jpg", "china.jpg", "flower.jpg"]
    assert rows[0][1:] == ["failed", "truncated"]
    assert rows[1][1] == "palace"
    assert "3 pictures: 2 recognised, 1 failed (1 truncated)." in found.stderr


def test_json_is_one_object_equal_to_the_api_s(pictures: Path) -> None:
    from pixelmine.api.predict import predict

    found = pixelmine("predict", pictures, "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    known = predict(pictures).to_dict()
    assert told["model_digest"] == known["model_digest"]
    assert (told["rows"], told["ok"], told["failed"]) == (3, 2, 1)
    for mine, other in zip(told["results"], known["results"], strict=True):
        assert mine["row_id"] == other["row_id"]
        assert mine["decision"] == other["decision"]
        assert mine["reason"] == other["reason"]


def test_strict_says_3_where_pictures_were_bad(pictures: Path) -> None:
    assert pixelmine("predict", pictures, "--strict").returncode == 3
    (pictures / "broken.jpg").unlink()
    assert pixelmine("predict", pictures, "--strict").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("predict", "nowhere"), 1, "There is no file or folder"),
        (("predict", "empty"), 1, "holds no files"),
        (("predict", "pictures", "--model", "nothing"), 1, "no model named"),
        (("predict", "pictures", "--out", "r.txt"), 2, "must end in .jsonl, .csv, .parquet"),
        (("predict", "pictures", "--top", "0"), 2, "top must be above 0"),
        (("predict", "pictures", "--runtime", "tpu"), 2, "runtime must be one of"),
        (("predict", "pictures", "--engine", "spark"), 2, "engine must be one of"),
        (("predict",), 2, "Missing argument"),
        (("collection", "show", "pictures"), 1, "is not a collection"),
        (("ingest", "pictures", "--into", "pictures"), 1, "is there already"),
        (("ingest", "pictures", "--into", "full"), 1, "is there already"),
        (("ingest", "pictures", "--into", "c", "--group-by", "x"), 2, "--labels"),
        (("evaluate", "efficientnet-lite0", "pictures"), 2, "neither a collection nor"),
        (("train", "nowhere", "--out", "b"), 1, "nowhere"),
        (("train", "pictures", "--out", "b", "--recipe", "magic"), 2, "cnn-article"),
        (("datasets", "get", "imagenet"), 2, "fashion-mnist"),
        (("datasets", "get", "mnist", "--from", "pictures"), 1, "does not hold"),
        (("models", "verify", "pictures"), 1, "card.json"),
        (("models", "import", "pictures/china.jpg", "--labels", "a,b", "--out", "b"), 2, "Keras"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    pictures: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (pictures.parent / "empty").mkdir()
    (pictures.parent / "full").mkdir()
    (pictures.parent / "full" / "mine.txt").write_text("mine")
    found = pixelmine(*arguments, cwd=pictures.parent)
    assert said in " ".join(found.stderr.replace("│", " ").split()), found.stderr
    assert found.returncode == code
    assert "Traceback" not in found.stderr
    assert not found.stdout
    left = {path.name for path in pictures.parent.iterdir()}
    assert left == {"pictures", "empty", "full"}


def test_errors_are_json_too_where_json_was_asked_for() -> None:
    found = pixelmine("predict", "nowhere", "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["error"]["kind"] == "SourceError"


def test_the_way_from_ingest_to_split(pictures: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [("image", "what", "who"), ("china", "house", "a"), ("flower", "plant", "b")]
        )
    made = pixelmine(
        *("ingest", pictures, "--into", tmp_path / "c", "--json", "--labels", table),
        *("--name-column", "image", "--label-column", "what", "--group-by", "who"),
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["new_or_changed"]["rows"] == 3
    shown = pixelmine("collection", "show", tmp_path / "c")
    assert "3 (2 good, 1 failed)" in shown.stdout
    assert "house 1" in shown.stdout
    listed = json.loads(pixelmine("predict", tmp_path / "c", "--json").stdout)["results"]
    row = next(row["row_id"] for row in listed if row["uri"].endswith("china.jpg"))
    assert pixelmine("label", tmp_path / "c", "--id", row[:12], "--set", "temple").returncode == 0
    assert json.loads(pixelmine("label", tmp_path / "c", "--json").stdout)["labels"] == {
        "plant": 1,
        "temple": 1,
    }
    assert "house" in pixelmine("label", tmp_path / "c", "--id", row[:12], "--undo").stdout
    divided = pixelmine("split", tmp_path / "c", "--folds", "2", "--seed", "1", "--json")
    assert divided.returncode == 0, divided.stderr
    assert sum(json.loads(divided.stdout)["parts"].values()) == 2
    assert pixelmine("collection", "verify", tmp_path / "c", "--files").returncode == 0
    assert pixelmine("collection", "compact", tmp_path / "c").returncode == 0


def test_ctrl_c_says_one_sentence_and_the_next_call_goes_on(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    china = (PHOTOGRAPHS / "china.jpg").read_bytes()
    for number in range(600):
        (many / f"{number:03d}.jpg").write_bytes(china + bytes([number % 256, number // 256]))
    out = tmp_path / "r.jsonl"
    command = [sys.executable, "-m", "pixelmine", "predict", many, "--out", out]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    state = tmp_path / "r.jsonl.run"
    until = time.monotonic() + 60
    while not (state / "listing").is_dir() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert not out.exists()
    again = pixelmine("predict", many, "--out", out)
    assert again.returncode == 0, again.stderr
    rows = [json.loads(line)["row_id"] for line in out.read_text().splitlines()]
    assert len(rows) == len(set(rows)) == 600


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_says_so(pictures: Path) -> None:
    pictures.chmod(0)
    try:
        found = pixelmine("predict", pictures)
    finally:
        pictures.chmod(0o700)
    assert found.returncode == 1
    assert "permission denied" in found.stderr


def test_names_and_labels_of_strangers_do_no_harm_on_the_terminal(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in (b"\xff\xfe.jpg", b"tab\tand\nline.jpg", b"\x1b[31mred.jpg"):
        shutil.copy(PHOTOGRAPHS / "china.jpg", odd / os.fsdecode(name))
    found = pixelmine("predict", odd)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert len(lines) == 3
    assert all(len(line.split("\t")) == 3 for line in lines)
    assert "\x1b" not in found.stdout
    made = pixelmine("ingest", odd, "--into", tmp_path / "c", "--json")
    assert made.returncode == 0, made.stderr
    listed = json.loads(pixelmine("predict", tmp_path / "c", "--json").stdout)["results"]
    row = listed[0]["row_id"]
    label = "[/red][bold]x"
    assert pixelmine("label", tmp_path / "c", "--id", row, "--set", label).returncode == 0
    shown = pixelmine("collection", "show", tmp_path / "c")
    assert shown.returncode == 0, shown.stderr
    assert label in shown.stdout
    assert label in pixelmine("label", tmp_path / "c").stdout


def test_training_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("h5py", "keras", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('RAN', 'w').close()")
    (tmp_path / "net.keras").write_bytes(b"no network")
    from pixelmine.api.train import import_model
    from pixelmine.core.errors import PixelmineError

    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(PixelmineError):
            import_model("net.keras", "b", labels=["a", "b"])
    finally:
        os.chdir(before)
    assert not (tmp_path / "RAN").exists()


def test_noise_of_native_decoders_stays_off_the_terminal(test_data: Path) -> None:
    found = pixelmine("predict", test_data / "hostile/go-fuzz/tiff", "--json")
    assert found.returncode == 0
    assert "TIFF" not in found.stderr
    assert json.loads(found.stdout)["rows"] > 200


def test_every_command_has_help_with_an_example() -> None:
    found = pixelmine("--help")
    assert found.returncode == 0
    for command in ("predict", "ingest", "split", "train", "evaluate", "label"):
        assert command in found.stdout
        told = pixelmine(command, "--help")
        assert told.returncode == 0
        assert f"pixelmine {command} " in told.stdout


def test_doctor_and_models_say_that_all_is_well() -> None:
    checks = json.loads(pixelmine("doctor", "--json").stdout)["checks"]
    assert all(check["ok"] for check in checks), checks
    sound = pixelmine("models", "verify", "efficientnet-lite0")
    assert "is sound" in sound.stdout
    assert "efficientnet-lite0" in pixelmine("models", "list").stdout
    assert "tench" in pixelmine("models", "show", "efficientnet-lite0").stdout
    assert pixelmine("--version").stdout.startswith("pixelmine ")
