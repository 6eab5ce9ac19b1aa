"""idx files as a source: each picture is a member, named by its position."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import file_uri

from .files import open_regular
from .held import file_key
from .idx import PARTS, find_file, read_idx
from .rows import Row, row
from .source import SourceOptions
from .stacks import HELD, is_stack, picture_of, stack_rows

__all__ = ["IdxSource", "read_member"]


@dataclass(frozen=True)
class IdxSource:
    """A folder of idx files as MNIST has them, or one file with pictures. `path`: absolute.

    Row ids and picture ids are those of `IdxPart`. Labels come from the file of labels that lies
    beside the pictures, the part (`train`, `test`) from the file's name.
    """

    path: Path
    options: SourceOptions

    def __post_init__(self) -> None:
        self.options.labels.refuse_columns()

    @property
    def uri(self) -> str:
        """Of the folder or file."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder."""
        return self.path if self.path.is_dir() else self.path.parent

    def rows(self) -> Iterator[Row]:
        """The pictures of `train`, then those of `test`."""
        if not self.path.is_dir():
            yield from _rows(self.path)
            return
        for part in PARTS.values():
            if (images := find_file(self.path, part, "images")) is not None:
                yield from _rows(images)


def read_member(path: Path, member: str, limits: Limits) -> bytes | Reason:
    """The bytes that stand for one picture."""
    stack = _stack(path)
    return stack if isinstance(stack, Reason) else picture_of(stack, member, limits)


def _rows(path: Path) -> Iterator[Row]:
    opened = open_regular(path)
    if isinstance(opened, Reason):
        yield row(file_uri(path), reason=opened)
        return
    opened[0].close()
    place = row(file_uri(path), size=opened[1].st_size, mtime_ns=opened[1].st_mtime_ns)
    stack = _stack(path)
    if isinstance(stack, Reason):
        yield {**place, "reason": stack}
    elif not is_stack(stack.shape):
        yield {**place, "reason": Reason.NOT_AN_IMAGE}
    else:
        yield from stack_rows(place, stack.shape, "", _labels(path, len(stack)), _part(path))


def _stack(path: Path) -> np.ndarray | Reason:
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    opened[0].close()
    return HELD.get(file_key(path, opened[1]), lambda: _load(path))


def _load(path: Path) -> np.ndarray | Reason:
    try:
        return read_idx(path)
    except SourceError as error:
        cut = isinstance(error.__cause__, EOFError)
        return Reason.TRUNCATED if cut else Reason.CORRUPT


def _labels(path: Path, count: int) -> np.ndarray | None:
    """Integers (N,) of the file beside; None without one that fits."""
    part = PARTS.get(_part(path) or "")
    found = find_file(path.parent, part, "labels") if part else None
    if found is None or found == path:
        return None
    try:
        labels = read_idx(found)
    except SourceError:  # a damaged file of labels: the pictures are still whole
        return None
    return labels if labels.shape == (count,) else None


def _part(path: Path) -> str | None:
    return next((part for part, name in PARTS.items() if path.name.startswith(name)), None)
