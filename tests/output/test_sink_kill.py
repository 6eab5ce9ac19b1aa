"""A process that writes is killed, again and again, and what has arrived in the end is right."""

import json
import subprocess
import sys

import pytest

from tests.output.conftest import frames, name_of
from tests.output.receivers import KINDS, receiver

COUNT = 300
SAME = (".csv", ".parquet", ".arrow", "parts.parquet", "folder")
WRITER = """
import os, signal, sys
from pathlib import Path
from pixelmine.core import PassPolicy, atomic, clear
from pixelmine.output import open_sink
from tests.output.conftest import frames, good, name_of
from tests.output.receivers import batch_of

out, state, endless, by, moment, count = sys.argv[1:]
sink = open_sink(out, Path(state), endless == "True", by or None)
sink.batch_rows = 20
flush, flushed = atomic._flush, 0

def dying(path):  # before the n-th file of parts, ledger or result is in its place
    global flushed
    flushed += 1
    if str(flushed) == moment:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(path)

atomic._flush = dying
files = [[good(n)] if n % 3 else frames(n, 1 + n % 4) for n in range(int(count))]
done = {row["row_id"] for rows in sink.start() for row in rows.to_pylist()}
print(len(done), flush=True)
left = [file for file in files if file[0]["row_id"] not in done]
for begin in range(0, len(left), 50):
    rows = [row for file in left[begin : begin + 50] for row in file]
    sink.write(clear(batch_of(rows), PassPolicy()))
    sink.flush()
delivered = sink.finish(file[0]["row_id"] for file in files)
print(delivered.items, delivered.reasons.total(), flush=True)
"""


def attempt(place, moment):
    by = place.kind if place.kind in ("label", "status", "reason") else ""
    endless = str(place.kind.startswith("parts"))
    command = [
        sys.executable,
        "-c",
        WRITER,
        place.out,
        place.state,
        endless,
        by,
        moment,
        f"{COUNT}",
    ]
    child = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert child.returncode in (0, -9), child.stderr
    return child.returncode, child.stdout.split()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SAME])
def test_nothing_is_lost_and_nothing_is_there_twice(kind, tmp_path):
    expected = {
        row["row_id"]
        for n in range(COUNT)
        for row in ([{"row_id": name_of(n)}] if n % 3 else frames(n, 1 + n % 4))
    }
    with receiver(kind, tmp_path) as place:
        known = []
        for moment in ("3", "6", "4"):
            code, said = attempt(place, moment)
            assert code == -9
            known += said[:1]
        code, said = attempt(place, "")
        assert code == 0
        # each went on where the one before had stopped
        assert [int(count) for count in (*known, said[0])] == sorted(map(int, (*known, said[0])))
        assert int(said[0]) >= 50
        assert list(map(int, said[1:])) == [COUNT, len(expected)]
        rows = place.rows()
        assert {row["row_id"] for row in rows} == expected
        if "id" in rows[0]:  # a receiver that drops repeats by id
            assert len({row["id"] for row in rows}) == len(expected)
            assert len(rows) <= len(expected) + 3 * 120
            same = {}
            for row in rows:
                text = json.dumps(row, sort_keys=True)
                assert same.setdefault(row["id"], text) == text
        else:
            assert len(rows) == len(expected)
        if place.out.startswith("/"):
            left = [path.name for path in [*tmp_path.iterdir(), *tmp_path.glob("results*/*")]]
            assert not [name for name in left if name.startswith(".")]
