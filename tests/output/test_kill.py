"""A file run that is killed again and again, and then comes to its end, through the API."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ATTEMPTS = """
import json, os, signal, sys
from pathlib import Path
from pixelmine.api.predict import predict
from pixelmine.core import atomic
from pixelmine.engine import EngineOptions, local
from pixelmine.output import parts

source, out, *moments = sys.argv[1:]
local.BATCH_ROWS = parts.ROWS = 4  # so that a small run has many commits
flush, flushed = atomic._flush, 0


class Told:
    remaining = None

    def start(self, phase, total=None):
        Told.remaining, Told.known = total, None

    def advance(self, done, bad=0):
        if Told.known is None:  # what was done before is told first
            Told.known = done
            Told.remaining -= done

    def behind(self, waiting): pass
    def note(self, text): pass
    def finish(self): pass


def attempt(moment):
    def dying_flush(path):
        global flushed
        flushed += 1
        if moment and (str(flushed) == moment or path.name.startswith(moment)):
            print(json.dumps([moment, Told.remaining]), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        flush(path)

    atomic._flush = dying_flush
    engine = EngineOptions(name="auto" if moment else "native")
    found = predict(source, out=out, top=3, engine=engine, progress=Told())
    print(json.dumps([found.counts.rows, found.counts.failed, Told.remaining]), flush=True)


for moment in moments:
    if os.fork() == 0:
        attempt(moment)
        sys.exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory, photographs):
    """40 different pictures and three files that are none."""
    folder = tmp_path_factory.mktemp("source")
    random = np.random.default_rng(0)
    for path in sorted(photographs.iterdir()):
        with Image.open(path) as image:
            small = np.asarray(image.resize((320, 213)), np.int16)
        for number in range(20):
            noisy = np.clip(small + random.integers(-3, 4, small.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"{number:02d} {path.name}", quality=90)
    (folder / "cut.jpg").write_bytes((folder / "00 china.jpg").read_bytes()[:5000])
    (folder / "empty.png").touch()
    (folder / "link.jpg").symlink_to("nowhere")
    return folder


def attempts(source, out, *moments):
    """Predict once for each moment, to be killed there; `""`: to the end. Gives what was said."""
    command = [sys.executable, "-c", ATTEMPTS, source, out, *moments]
    child = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return [json.loads(line) for line in child.stdout.splitlines()]


def rows_of(out):
    with out.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert [row["row_id"] for row in rows] == sorted({row["row_id"] for row in rows})
    return rows


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path, source):
    plain, killed = tmp_path / "plain" / "r.jsonl", tmp_path / "killed" / "r.jsonl"
    assert attempts(source, plain, "") == [[43, 3, 43]]
    # while the state is made; twice between two parts; before the file is there; after it
    moments = ["2", "12", "7", ".r.jsonl.", ".run.json."]
    *deaths, last = attempts(source, killed, *moments, "")
    assert [moment for moment, _ in deaths] == moments
    left = [remaining for _, remaining in deaths]
    assert left[:2] == [None, 43]
    # each began where the one before had stopped; once all is committed only the file is written
    assert 43 > left[2] > left[3] >= left[4] == 0
    assert last == [43, 3, 0]
    for was, found in zip(rows_of(plain), rows_of(killed), strict=True):
        for column in ("row_id", "uri", "picture_id", "status", "reason"):
            assert found[column] == was[column]
        first, then = ([entry["probability"] for entry in row["top"] or ()] for row in (was, found))
        assert then == pytest.approx(first, abs=1e-3)
        if first and first[0] - first[1] > 2e-3:
            assert found["decision"] == was["decision"]
    assert sum(row["status"] == "ok" for row in rows_of(killed)) == 40
