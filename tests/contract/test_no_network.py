"""Nothing reaches for a network: neither Pixelmine nor a dependency, in Python or native code."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux, to put a shim before libc")
    library = tmp_path_factory.mktemp("shim") / "no_network.so"
    source = Path(__file__).with_name("no_network.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def _run(shim: Path, log: Path, *command: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LD_PRELOAD": str(shim), "NO_NETWORK_LOG": str(log)}
    for name in ("CI", "DO_NOT_TRACK", "RAY_USAGE_STATS_ENABLED"):
        environment.pop(name, None)  # the program itself has to say it
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_shim_notices_and_refuses_python_sockets(shim: Path, tmp_path: Path) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=2)"
    found = _run(shim, tmp_path / "log", sys.executable, "-c", code, cwd=tmp_path)
    assert found.returncode != 0
    assert "192.0.2.1" in (tmp_path / "log").read_text()


def test_the_demo_passes_without_a_network_and_never_asks_for_one(
    shim: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = (sys.executable, "-m", "pixelmine", "demo", "--out", "demo", "--json")
    found = _run(shim, log, *command, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert not log.exists(), log.read_text()
    figures = json.loads(found.stdout)
    assert Path(figures["report"]).is_file()
    assert figures["tested"] == figures["recognised"] > 150
    assert figures["accuracy"] > 0.9
    assert figures["true_accuracy"] > 0.95


def test_the_engine_for_many_pictures_never_asks_for_a_network(shim: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(300):  # more than the engine `auto` keeps in its own loop
        (pictures / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    log = tmp_path / "log"
    command = (sys.executable, "-m", "pixelmine", "ingest", "pictures", "--into", "c", "--json")
    found = _run(shim, log, *command, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["new_or_changed"]["rows"] == 300
    assert not log.exists(), log.read_text()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_no_runtime_asks_for_a_network(shim: Path, tmp_path: Path, runtime: str) -> None:
    command = (sys.executable, "-m", "pixelmine", "models", "verify", "efficientnet-lite0")
    found = _run(shim, tmp_path / "log", *command, "--runtime", runtime, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert not (tmp_path / "log").exists(), (tmp_path / "log").read_text()


def test_finding_and_reading_text_never_asks_for_a_network(shim: Path, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from pixelmine.detect.text import TextDetector\n"
        "detector = TextDetector()\n"
        "detector.detect(np.zeros((64, 64, 3), np.uint8), read=True)\n"
        "detector.reader.read_line(np.zeros((48, 96, 3), np.uint8))\n"
        "assert 'rapidocr' not in sys.modules, 'it can fetch models'\n"
    )
    found = _run(shim, tmp_path / "log", sys.executable, "-c", code, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert not (tmp_path / "log").exists(), (tmp_path / "log").read_text()
