"""Where prepared pictures lie: in memory, or, where they are too many, in a file mapped into it.

N pictures of (H, W, C) uint8. A picture is decoded once for a whole training, however many epochs
it has; a training that was stopped finds the file that it had finished and reads nothing again.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError

__all__ = ["IN_MEMORY", "Chosen", "Room", "bounded_batch", "forget_pixels", "mapped", "take"]

IN_MEMORY = 2 << 30
"""Bytes of pictures up to which they are not worth a file."""

_BATCH_BYTES = 6 << 20
"""A network's feature maps are many times as large: 41 pictures of 224x224 RGB."""

_PIXELS, _ABOUT = "pixels.npy", "pixels.json"


def bounded_batch(x: np.ndarray, most: int) -> int:
    """How many of (N, H, W, C) to look at at a time, at most `most`: at least 1, at most 6 MiB."""
    return max(1, min(most, _BATCH_BYTES // int(np.prod(x.shape[1:]))))


@dataclass(frozen=True)
class Room:
    """Space for N pictures. `x`: uint8 (N, H, W, C), to be filled in order.

    `kept`: of a file that was finished before, which of the pictures asked for it has; else None.
    """

    x: np.ndarray
    folder: Path
    key: str
    kept: list[bool] | None = None

    @classmethod
    def of(cls, count: int, shape: tuple[int, int, int], folder: Path, key: str) -> Self:
        """In memory, or in a file of `folder`. `key`: names the pictures and how they are prepared.

        Raises OutputError where the disk has no room.
        """
        if count * int(np.prod(shape)) <= IN_MEMORY:
            return cls(np.empty((count, *shape), np.uint8), folder, key)
        kept = _finished(folder / _ABOUT, key)
        if kept is not None:
            return cls(np.load(folder / _PIXELS, mmap_mode="r"), folder, key, kept)
        forget_pixels(folder)
        return cls(mapped(folder / _PIXELS, (count, *shape)), folder, key)

    def finish(self, kept: list[bool]) -> np.ndarray:
        """The pictures that are there, the first of `x`. A file is marked as finished."""
        if self.kept is None and type(self.x) is not np.ndarray:
            with replace_file(self.folder / _ABOUT) as temporary:
                temporary.write_text(json.dumps({"key": self.key, "kept": kept}), "utf-8")
        return self.x[: sum(kept)]


@dataclass(frozen=True)
class Chosen:
    """Some rows of pictures in a file, taken when they are asked for. `rows`: int64 (M,)."""

    x: np.ndarray
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """(M, H, W, C)."""
        return (len(self.rows), *self.x.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        return np.asarray(self.x[self.rows[index]])


def take(x: Any, rows: np.ndarray) -> Any:
    """These rows: of an array in memory a copy, of one in a file `Chosen`."""
    if isinstance(x, Chosen):
        return Chosen(x.x, x.rows[rows])
    return x[rows] if type(x) is np.ndarray else Chosen(x, np.arange(len(x))[rows])


def mapped(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A new file of uint8 zeros, all its room taken. Raises OutputError where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        x = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        with path.open("r+b") as file:  # a full disk is told now, not by a signal in mid-write
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        path.unlink(missing_ok=True)
        gigabytes = int(np.prod(shape)) / 1e9
        raise OutputError(
            f"There is no room for {gigabytes:.1f} GB of prepared pictures in {path.parent}: "
            f"{error.strerror}."
        ) from error
    return x


def forget_pixels(folder: Path) -> None:
    """Delete the file of pictures, if there is one."""
    for name in (_ABOUT, _PIXELS):  # the mark first: what is half deleted is not finished
        (folder / name).unlink(missing_ok=True)


def _finished(path: Path, key: str) -> list[bool] | None:
    try:
        about = json.loads(path.read_text("utf-8"))
        return [bool(kept) for kept in about["kept"]] if about["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
