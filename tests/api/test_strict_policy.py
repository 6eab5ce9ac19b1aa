"""A policy at the release gate: what an export has under it, and what it has not."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pixelmine.api.export import ExportOptions, export_collection
from pixelmine.api.ingest import ingest
from pixelmine.api.strict_policy import open_policy
from pixelmine.cli.main import app
from pixelmine.core import Withheld
from pixelmine.core.errors import UsageError
from pixelmine.privacy.policy import PrivacyPolicy
from tests.api.test_protect import BOTTOM, SECRET, exif, noise, pixels

KEY = "0123456789abcdef" * 4
POLICY: dict[str, Any] = {"pictures": {"regions": [BOTTOM]}, "columns": {"group": "drop"}}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four JPEG of anna, and an animation, which may not leave as one file once it is masked."""
    folder = tmp_path_factory.mktemp("strict")
    photos = folder / "photos of anna"
    photos.mkdir()
    for number in range(4):
        noise(number).save(photos / f"anna-{number}.jpg", exif=exif())
    frames = [noise(seed, 48, 48) for seed in (4, 5, 6)]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    ingest([photos], into=folder / "c.pixels")
    return folder / "c.pixels"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIXELMINE_KEY", KEY)
    monkeypatch.setenv("PIXELMINE_AUDIT", str(tmp_path / "audit"))


def test_a_folder_has_masked_pictures_and_names_nobody(collection: Path, tmp_path: Path) -> None:
    options = ExportOptions(form="folder", labels="none")
    with open_policy(PrivacyPolicy.read(POLICY)) as policy:
        done = export_collection(collection, tmp_path / "out", options, policy=policy)
    assert (done.written, done.skipped) == (4, {"withheld": 1})
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() + path.name.encode() for path in files)
    assert SECRET not in everything
    assert b"anna" not in everything
    for path in (tmp_path / "out").glob("*.jpg"):
        shown = pixels(path)
        assert shown[-shown.shape[0] // 4 + 1 :].max() <= 6
    with (tmp_path / "out" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["uri"] for row in rows}) == 4
    assert {row["member"] for row in rows} == {""}


def test_a_table_has_no_digest_that_somebody_could_compute(
    collection: Path, tmp_path: Path
) -> None:
    def export(out: str, policy: Any = None) -> Any:
        options = ExportOptions(form="parquet", with_bytes=False)
        export_collection(collection, tmp_path / out, options, policy=policy)
        return pq.read_table(tmp_path / out)

    with open_policy(PrivacyPolicy.read(POLICY)) as policy:
        masked = export("masked.parquet", policy)
    plain = export("plain.parquet")
    assert masked.num_rows == plain.num_rows == 5
    for name in ("row_id", "picture_id", "uri"):
        before, after = (set(table[name].to_pylist()) for table in (plain, masked))
        assert len(after) == len(before)
        assert not before & after
    assert masked["width"].to_pylist() == plain["width"].to_pylist()
    assert set(masked.column_names) <= set(plain.column_names)


def test_rows_thumbnails_and_pictures_go_by_the_rules() -> None:
    with open_policy(PrivacyPolicy.read(POLICY)) as policy:
        small = policy.thumbnail(np.full((40, 60, 3), 200, np.uint8))
        assert small[30:].max() == 0
        assert small[:20].min() == 200
        with pytest.raises(Withheld, match="not_an_image"):
            policy.picture(b"no picture at all, but bytes")


def test_without_a_key_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIXELMINE_KEY")
    monkeypatch.delenv("PIXELMINE_KEY_FILE", raising=False)
    with (
        pytest.raises(UsageError, match="pixelmine privacy key"),
        open_policy(PrivacyPolicy.read(POLICY)),
    ):
        pass


def test_the_commands(collection: Path, tmp_path: Path) -> None:
    """`export --policy`, `protect`, and what `privacy` says of them."""

    def call(*words: object) -> dict[str, Any]:
        found = CliRunner().invoke(app, [*map(str, words), "--json"])
        assert found.exit_code == 0, found.output
        said: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
        return said

    policy = tmp_path / "privacy.toml"
    policy.write_text('[pictures]\norientation = "apply"\n[columns]\nuri = "drop"\n', "utf-8")
    out = tmp_path / "clean.csv"
    assert call("export", collection, "--as", "csv", "--out", out, "--policy", policy)["written"]
    assert "anna" not in out.read_text("utf-8")
    done = call("protect", collection, "--out", tmp_path / "public", "--region", "0,0.5,1,1")
    assert done["written"] == 7
    assert call("privacy", "verify", tmp_path / "public")["out"]["clean"]
    assert [one["did"] for one in call("privacy", "log")["entries"]] == ["export", "protect"]
    made = call("privacy", "key", tmp_path / "master.key")
    assert len(made["key_id"]) == 16
    both = ["protect", str(collection), "--out", "x", "--faces", "--policy", str(policy)]
    assert CliRunner().invoke(app, both).exit_code == 2
    refused = CliRunner().invoke(app, ["protect", str(collection), "--out", "x", "--region", "1"])
    assert refused.exit_code == 2
