"""What every command shares: errors, JSON, progress, exit codes."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pixelmine.core.errors import PixelmineError

__all__ = [
    "INTERRUPTED_CODE",
    "Bar",
    "finish",
    "many",
    "out",
    "place",
    "printable",
    "quiet_libraries",
    "run",
    "short",
    "table",
]

STRICT_CODE = 3
INTERRUPTED_CODE = 130


def out() -> Console:
    """The console for results, on stdout."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def err() -> Console:
    """The console for progress and errors, on stderr."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def run(as_json: bool) -> Iterator["Bar"]:
    """Run a command: a progress bar, and errors as one sentence with their exit code.

    A native library may take a KeyboardInterrupt for its own end, so that the command ends with
    another error, or with none: that Ctrl-C came is remembered here.
    """
    with Bar() as bar, _ctrl_c() as came:
        try:
            yield bar
            if came:
                raise KeyboardInterrupt
        except (KeyboardInterrupt, PixelmineError) as error:
            bar.close()
            if came or not isinstance(error, PixelmineError):
                text = "Stopped. What was committed is kept; run the same command again to go on."
                _fail("Interrupted", text, INTERRUPTED_CODE, as_json)
            _fail(type(error).__name__, str(error), error.exit_code, as_json)
        except BrokenPipeError as error:  # whoever read the output has seen enough
            bar.close()
            raise typer.Exit(1) from error
        except OSError as error:
            bar.close()
            text = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}."
            _fail("OSError", text, 1, as_json)


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Note each SIGINT, and raise KeyboardInterrupt as before."""
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def finish(
    result: dict[str, Any] | None, as_json: bool, strict: bool = False, failed: int = 0
) -> None:
    """Print the one JSON object; leave with code 3 where `strict` and some pictures were bad."""
    if as_json and result is not None:
        print(json.dumps(result, ensure_ascii=False, default=str))
    if strict and failed:
        err().print(f"{failed} pictures were bad (--strict).")
        raise typer.Exit(STRICT_CODE)


def table(rows: dict[str, Any]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, rows), default=0)
    for name, value in rows.items():
        line = Text(f"{name.ljust(width)}  ", "bold")
        out().print(line + Text(printable(str(value))))


class Bar:
    """A progress bar with rate and time left, on a terminal; elsewhere only notes."""

    def __init__(self) -> None:
        self._console = err()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[bad]}", style="yellow"),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task: TaskID | None = None
        self._bad = 0

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase."""
        self.finish()
        self._bad = 0
        self._progress.start()
        self._task = self._progress.add_task(phase, total=total, rate="", bad="")

    def advance(self, done: int, bad: int = 0) -> None:
        """Report more pictures."""
        if self._task is None:
            return
        self._bad += bad
        self._progress.advance(self._task, done)
        speed = self._progress.tasks[-1].finished_speed or self._progress.tasks[-1].speed
        self._progress.update(
            self._task,
            rate=f"{speed:,.0f}/s" if speed else "",
            bad=f"{self._bad} bad" if self._bad else "",
        )

    def behind(self, waiting: int) -> None:
        """Report how many are still to come."""
        if self._task is not None:
            self._progress.update(self._task, description=f"{waiting:,} behind")

    def note(self, text: str) -> None:
        """Say one line that stays."""
        self._console.print(printable(text, "\n"))

    def finish(self) -> None:
        """End the phase."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def close(self) -> None:
        """Take the bar away."""
        self.finish()
        self._progress.stop()


def _fail(kind: str, message: str, code: int, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": {"kind": kind, "message": message}}, ensure_ascii=False))
    else:
        err().print(Text("error: ", "bold red") + Text(printable(message)))
    raise typer.Exit(code)


def _stream(number: int) -> TextIO:
    """A descriptor as text; what has no place in UTF-8 (names of files) is written escaped."""
    return os.fdopen(
        number, "w", buffering=1, closefd=False, encoding="utf-8", errors="backslashreplace"
    )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Send what native libraries write to descriptors 1 and 2 into a log in the cache folder.

    libtiff alone writes thousands of lines about broken files, each of which is a row with its
    reason already, and on stdout they would break --json. Python's own `sys.stdout` and
    `sys.stderr` keep going where they went.
    """
    from pixelmine.core.cache import cache_folder

    log = cache_folder() / "native.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:  # no cache folder to write to: the messages stay where they are
        yield
        return
    before = sys.stdout, sys.stderr
    for stream in before:
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    sys.stdout, sys.stderr = (_stream(number) for number in kept)
    for number in (1, 2):
        os.dup2(target, number)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):
                stream.flush()
        sys.stdout, sys.stderr = before
        for number, original in zip((1, 2), kept, strict=True):
            os.dup2(original, number)


def printable(text: str, kept: str = "") -> str:
    """Text with control characters escaped: names of files and labels come from strangers."""
    return "".join(c if c in kept or c.isprintable() else ascii(c)[1:-1] for c in text)


def many(count: int, what: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def place(row: Mapping[str, Any]) -> str:
    """Where a picture lies, as the user would write it: file, member and frame."""
    uri, member = str(row.get("uri") or ""), str(row.get("member") or "")
    from pixelmine.core.ids import uri_path  # loads NumPy

    name = short(uri_path(uri)) if uri.startswith("file://") else uri
    frame = f"#{row['frame']}" if row.get("frame") else ""
    return printable(" ".join(filter(None, (name, member))) + frame)


def short(path: Path | str) -> str:
    """A path as the user would write it, below the current folder."""
    try:
        return str(Path(path).absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
