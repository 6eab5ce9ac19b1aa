"""Kill `ingest` and `predict` again and again, at any moment: nothing is lost and nothing twice.

python benchmarks/kill.py [FOLDER] [--kills 50] [--count N] [--engine native|ray]

Each job is first done undisturbed. Then it is done from scratch as often as it takes for so many
kills: killed (SIGKILL) at moments that are spread over the whole run and drawn with a seed, one in
AIMED of them while something is being committed, and called again, until KILLS_A_RUN have come
together or it has outrun its killer; then it comes to its end, and all of its results are compared
with those of the undisturbed run. A process that is killed must take its children with it.

With --engine ray it is not the command that is killed but a process of Ray that works for it.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from engines import SHOWN, call, compare_collections, compare_results
from machine import keep

KILLS_A_RUN = 8
AIMED = 5
CHILDREN_S = 2.0
LONG = 10
"""So many times as long as the undisturbed run, and half a minute: then it hangs."""
STACKS = {"PYTHONFAULTHANDLER": "1"}
"""What hangs is ended with SIGABRT and tells where, in `native.log` of the cache folder."""

WITHIN = {"ray": (0.2, 0.8)}
"""Shares of the run's time in which Ray has processes that work."""

OFTEN = """\
import sys
from pixelmine.api import work
from pixelmine.cli.main import main
from pixelmine.output import parts
work.Commits.SECONDS = parts.SECONDS = float(sys.argv.pop(1))
main()
"""
"""The command, with commits so often that many kills fall between two of them."""


@dataclass(frozen=True)
class Job:
    """`ingest` or `predict`: how it is called, where it writes, how its results are compared."""

    name: str
    folder: Path
    engine: str
    commit_every: float

    def place(self, scratch: Path) -> Path:
        """The collection or file."""
        return scratch / ("c.pixels" if self.name == "ingest" else "r.jsonl")

    def command(self, scratch: Path) -> list[str]:
        """What is run, without --json."""
        if self.name == "predict":
            options = ["--out", str(self.place(scratch))]
        else:
            options = ["--into", str(self.place(scratch))]
            if (self.folder / "images.csv").is_file():
                options += ["--labels", str(self.folder / "images.csv"), "--group-by", "sender_id"]
                options += ["--name-column", "image", "--label-column", "label"]
        program = ["-c", OFTEN, str(self.commit_every)]
        return [*program, self.name, str(self.folder), *options, "--engine", self.engine]

    def compare(self, one: Path, other: Path) -> tuple[list[str], float]:
        """What differs between two scratch folders, and the largest change of a probability."""
        places = self.place(one), self.place(other)
        if self.name == "predict":
            return compare_results(*places)
        return compare_collections(*places), 0.0

    def is_committing(self, scratch: Path, process: psutil.Process) -> bool:
        """Whether something is being written that is to appear whole."""
        if self.name == "predict":
            folders = scratch / "r.jsonl.run" / "parts", scratch
            return any(any(folder.glob(".*.tmp")) for folder in folders)
        lock = str(self.place(scratch) / ".lock")
        try:
            return any(file.path == lock for file in process.open_files())
        except (psutil.Error, OSError):
            return False

    def phase(self, scratch: Path) -> str:
        """How far a killed run had come, by what lies there."""
        place = self.place(scratch)
        states = [place.with_name("r.jsonl.run")] if self.name == "predict" else []
        states = states or list((place / "runs").glob("*"))
        if not any((state / "run.json").is_file() for state in states):
            return "start"
        listing = [path.suffix for state in states for path in state.glob("listing/*")]
        if ".parquet" not in listing:
            return "finishing" if self.name == "predict" and place.exists() else "listing"
        if ".done" in listing:
            return "finishing"
        return "working"


@dataclass
class Toll:
    """What the killing came to."""

    kills: int = 0
    aimed: int = 0
    runs: int = 0
    outran: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    children: int = 0
    children_left: int = 0
    children_gone_after_s: float = 0.0
    largest_difference_of_a_probability: float = 0.0
    left_behind: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **vars(self),
            "children_gone_after_s": round(self.children_gone_after_s, 2),
            "differences": len(self.differences),
            "first_differences": self.differences[:SHOWN],
        }


class Killer:
    """Does a job until it has been killed `kills` times, and compares each run's results."""

    def __init__(self, job: Job, scratch: Path, seed: int) -> None:
        self.job, self.scratch, self.toll = job, scratch, Toll()
        self._random = random.Random(f"{seed} {job.name} {job.engine}")
        self.calm = scratch / f"{job.name} calm"
        self.calm.mkdir()
        _, self.seconds = call(job.command(self.calm)[2:], program=job.command(self.calm)[:2])

    def kill(self, kills: int) -> Toll:
        """Runs from scratch until there were so many kills; a run's differences are in the toll."""
        moments = self._moments(kills)
        while self.toll.kills < kills:
            folder = self.scratch / f"{self.job.name} {self.toll.runs}"
            folder.mkdir()
            self._run(folder, moments)
            found, apart = self.job.compare(self.calm, folder)
            self.toll.differences += [f"run {self.toll.runs}: {text}" for text in found]
            worst = max(self.toll.largest_difference_of_a_probability, apart)
            self.toll.largest_difference_of_a_probability = worst
            self.toll.left_behind.update(_left_behind(folder))
            self.toll.runs += 1
            shutil.rmtree(folder)
            print(f"{self.job.name}: {self.toll.kills} of {kills} kills", file=sys.stderr)
        return self.toll

    def _moments(self, kills: int) -> list[float]:
        """Shares of the run's time: one in each of so many equal parts, in no order."""
        first, last = WITHIN.get(self.job.engine, (0.0, 1.0))
        moments = [(number + self._random.random()) / kills for number in range(kills)]
        moments = [first + (last - first) * moment for moment in moments]
        self._random.shuffle(moments)
        return moments

    def _run(self, folder: Path, moments: list[float]) -> None:
        """One run from scratch to its end. A moment that it outran is put back."""
        for turn in range(KILLS_A_RUN):
            if not moments:
                break
            moment = moments.pop()
            if not self._attempt(folder, moment):
                moments.insert(0, moment)
                self.toll.outran += 1
                if turn == 0:  # faster than the undisturbed one was: aim by what is known now
                    self.seconds *= 0.95
                return
        self._attempt(folder, None)

    def _attempt(self, folder: Path, moment: float | None) -> bool:
        """Start, and kill at a moment; False where it came to its end before."""
        start = time.monotonic()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            command = [sys.executable, *self.job.command(folder), "--json"]
            with subprocess.Popen(
                command, stdout=out, stderr=err, env=os.environ | STACKS
            ) as process:
                killed = moment is not None and self._kill(process, folder, start, moment)
                try:
                    process.wait(LONG * self.seconds + 30)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGABRT)
                    self.toll.ended["hung"] += 1
                    self.toll.differences.append(f"run {self.toll.runs} hung after a kill")
            out.seek(0)
            err.seek(0)
            self._note_end(process.returncode, killed, out.read(), err.read()[-2000:])
        return killed

    def _note_end(self, code: int, killed: bool, text: str, beside: str) -> None:
        lines = text.strip().splitlines()
        clear = len(lines) == 1 and '"kind": "RunError"' in lines[0]
        if code == 0:
            self.toll.ended["well"] += 1
        elif killed and code == -signal.SIGKILL and self.job.engine != "ray":
            self.toll.ended["killed"] += 1
        elif killed and code == 1 and clear and self.job.engine == "ray":
            self.toll.ended["one clear error"] += 1
        else:
            self.toll.ended[f"code {code}"] += 1
            said = f"{text[-2000:]} {beside}".strip()
            self.toll.differences.append(f"run {self.toll.runs} ended with {code}: {said}")
            if not killed:
                raise SystemExit(f"{self.job.name} does not go on: {code}\n{said}")

    def _kill(
        self, process: subprocess.Popen[bytes], folder: Path, start: float, moment: float
    ) -> bool:
        """Wait for the moment and kill; False where the command ended before."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, start + moment * self.seconds - time.monotonic()))
            return False
        root = psutil.Process(process.pid)
        aimed = self._random.randrange(AIMED) == 0
        until = time.monotonic() + self.seconds
        while aimed and process.poll() is None and time.monotonic() < until:
            if self.job.is_committing(folder, root):
                time.sleep(self._random.random() * 0.05)
                self.toll.aimed += 1
                break
            time.sleep(0.002)
        victim = self._victim(process, root)
        if victim is None:
            return False
        self.toll.phases[self.job.phase(folder)] += 1
        if victim.pid == process.pid:
            self._kill_main(process, root)
        else:
            self.toll.phases[_ray_name(victim)] += 1
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        self.toll.kills += 1
        return True

    def _victim(
        self, process: subprocess.Popen[bytes], root: psutil.Process
    ) -> psutil.Process | None:
        """The command itself, or a process of Ray, for which it waits; None: it has ended."""
        while process.poll() is None:
            if self.job.engine != "ray":
                return root
            with suppress(psutil.Error):
                found = [child for child in root.children(recursive=True) if _ray_name(child)]
                if found:
                    return self._random.choice(found)
            time.sleep(0.05)
        return None

    def _kill_main(self, process: subprocess.Popen[bytes], root: psutil.Process) -> None:
        """Stop it first: what it would start later is not among the children that are known."""
        root.suspend()
        children = root.children(recursive=True)
        process.kill()
        process.wait()
        dead = time.monotonic()
        left = [child for child in children if _is_running(child)]
        while left and time.monotonic() - dead < CHILDREN_S:
            time.sleep(0.01)
            left = [child for child in left if _is_running(child)]
        self.toll.children += len(children)
        gone = max(self.toll.children_gone_after_s, time.monotonic() - dead)
        self.toll.children_gone_after_s = gone
        self.toll.children_left += len(left)
        for child in left:
            self.toll.differences.append(f"child left after {CHILDREN_S:g} s: {child}")
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _is_running(process: psutil.Process) -> bool:
    """What is only waiting to be buried is dead."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _ray_name(process: psutil.Process) -> str:
    """`raylet` or the kind of a worker that has work; empty for any other process."""
    with suppress(psutil.Error):
        line = process.cmdline()[:1]
        name = line[0].rpartition("/")[2] if line else ""
        busy = name.startswith("ray::") and not name.startswith("ray::IDLE")
        return name.partition(".")[0] if busy or name == "raylet" else ""
    return ""


def _left_behind(folder: Path) -> Iterator[str]:
    """Temporary files and folders that killed runs left, by what they were to be."""
    for path in folder.rglob(".*.tmp"):
        yield ".".join(part for part in path.name.split(".")[1:-2])


def chosen(folder: Path, count: int, into: Path) -> Path:
    """The first `count` files of a folder, as links, with the table that names them."""
    into.mkdir()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in [p for p in files if p.suffix in (".jpg", ".png")][:count]:
        (into / path.name).hardlink_to(path) if _same_disk(path, into) else shutil.copy(path, into)
    for path in files:
        if path.name == "images.csv":
            shutil.copy(path, into)
    return into


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev and os.access(one, os.W_OK)


def killed(
    folder: Path,
    scratch: Path,
    kills: int,
    engine: str = "native",
    commit_every: float = 2.0,
    seed: int = 1,
    jobs: Sequence[str] = ("ingest", "predict"),
) -> dict[str, Any]:
    """Kill each job so often: what came of it. `differences` must be 0 everywhere."""
    found: dict[str, Any] = {}
    for name in jobs:
        killer = Killer(Job(name, folder, engine, commit_every), scratch, seed)
        calm = round(killer.seconds, 1)
        start = time.perf_counter()
        toll = killer.kill(kills).to_dict()
        took = round(time.perf_counter() - start)
        found[name] = {"undisturbed_s": calm, "seconds": took, **toll}
    return found


def main() -> None:
    """Kill, and keep what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--count", type=int, help="so many pictures of the folder")
    parser.add_argument("--engine", choices=("native", "ray"), default="native")
    parser.add_argument("--commit-every", type=float, default=2.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", default="ingest,predict")
    options = parser.parse_args()
    test_data = Path(os.environ.get("PIXELMINE_TEST_DATA", "."))
    folder = (options.folder or test_data / "clothing").absolute()
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder. Name one, or set $PIXELMINE_TEST_DATA.")
    with tempfile.TemporaryDirectory() as name:
        if options.count:
            folder = chosen(folder, options.count, Path(name) / "pictures")
        jobs = options.jobs.split(",")
        result = killed(
            folder,
            Path(name),
            options.kills,
            options.engine,
            options.commit_every,
            options.seed,
            jobs,
        )
    said = {"engine": options.engine, "pictures": options.count or "all", "seed": options.seed}
    said["commit_every_s"] = options.commit_every
    keep("kill" if options.engine == "native" else f"kill_{options.engine}", {**said, **result})
    if any(result[name]["differences"] for name in jobs):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
