"""Which frames of a file become rows."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError

from .decode import File, open_file
from .picture import DecodeOptions, Picture

__all__ = ["Frames", "decode_frames"]

_NAMES = ("auto", "first", "all")
_MOVING = ("mp4", "mov", "mkv", "webm", "avi")
_MAX_NUMBER = 10**6
"""Above any limit of frames in use, and short enough to say back in a message."""


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Which frames of a file are wanted. The first always is.

    `which`: `auto` (of a picture the first, of a video the first of each second), `first`, `all`,
    or a number as text: so many at most, spread evenly over the file.
    """

    which: str = "auto"

    def __post_init__(self) -> None:
        if self.which not in _NAMES and not self._is_number():
            raise UsageError(
                f"frames must be {', '.join(_NAMES)} or a whole number, 1 to {_MAX_NUMBER}. "
                f"Got {str(self.which)[:40]!r} instead."
            )

    def _is_number(self) -> bool:
        text = self.which
        whole = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_NUMBER))
        return whole and 1 <= int(text) <= _MAX_NUMBER


def decode_frames(
    data: bytes, options: DecodeOptions, limits: Limits, frames: Frames
) -> Iterator[tuple[int, Picture | Reason]]:
    """Yield frames with their index in the file, so that `decode(..., frame=index)` is the same.

    Frame 0 is always first; a file that cannot be opened is frame 0 with its reason, alone. A
    broken frame is its reason, and the last one where the frames behind it are made from it (GIF,
    WebP, APNG). Behind `limits.max_frames` frames the next one is `too_many_frames`, and the last.
    A file that is cut off between two frames ends with `truncated` where all of it is wanted.
    """
    file = open_file(data, options, limits)
    if isinstance(file, Reason):
        yield 0, file
        return
    with closing(file):
        for number, index in enumerate(_indices(file, frames)):
            if number == limits.max_frames:
                if file.has(index):
                    yield index, Reason.TOO_MANY_FRAMES
                return
            found = file.frame(index)
            if found is None:
                break
            yield index, found
            if isinstance(found, Reason) and not file.opened.independent:
                return
        if _runs_to_the_end(file, frames) and file.lacks_frames():
            yield _total(file), Reason.TRUNCATED


def _indices(file: File, frames: Frames) -> Iterable[int]:
    if frames.which == "first":
        return (0,)
    if frames.which == "all":
        return count()
    if frames.which == "auto":
        moments = file.moments()
        return (0,) if isinstance(moments, Reason) else moments or (0,)
    there = _total(file)
    wanted = min(there, int(frames.which))
    return (i * there // wanted for i in range(wanted))


def _runs_to_the_end(file: File, frames: Frames) -> bool:
    """Of a still picture `auto` wants the first frame alone, whatever became of the others."""
    return frames.which == "all" or (frames.which == "auto" and file.format in _MOVING)


def _total(file: File) -> int:
    """At least one: a file without a frame is frame 0 with a reason."""
    there = file.count()
    return 1 if isinstance(there, Reason) else max(there, 1)
