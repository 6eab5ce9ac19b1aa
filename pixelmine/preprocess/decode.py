"""Bytes to upright uint8 pixels, or the reason why there are none.

    decode          one frame of a file
    open_file       a file by its format, for whoever wants more of its frames (`frames.py`)
    DECODERS        a format's name, and what opens it: one file a decoder

Whatever a decoder raises becomes a reason here, and nowhere else.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import UsageError

from .decode_array import open_array
from .decode_dicom import open_dicom
from .decode_jpeg import open_jpeg
from .decode_pillow import open_pillow
from .decode_video import open_video
from .picture import RULES, DecodeOptions, Opened, Picture, Refusal
from .quiet import quiet
from .sniff import sniff
from .truncation import frames_are_missing, is_cut_off

__all__ = ["DECODERS", "RULES", "DecodeOptions", "File", "decode", "open_file"]

Decoder = Callable[[bytes, str, DecodeOptions, Limits], Opened]
"""Takes the bytes, the format's name, and how to decode. It raises what it likes."""

DECODERS: dict[str, Decoder] = {
    "jpeg": open_jpeg,
    **dict.fromkeys(("png", "gif", "bmp", "tiff", "webp", "ico", "ppm"), open_pillow),
    **dict.fromkeys(("jpeg2000", "avif", "heic"), open_pillow),
    "dicom": open_dicom,
    **dict.fromkeys(("mp4", "mov", "mkv", "webm", "avi"), open_video),
    "array": open_array,
}
_UNSUPPORTED = (
    *("unsupported", "cannot handle", "unknown", "not supported", "does not support"),
    *("missing dependencies", "not yet implemented", "decoder not found"),
)
_TRUNCATED = ("truncated", "unexpected end", "remature end", "not enough", "less than expected")

Found = TypeVar("Found")


@dataclass(frozen=True)
class File:
    """A file that could be opened. Nothing that it does raises, whatever its bytes are."""

    data: bytes
    format: str
    opened: Opened

    def frame(self, frame: int) -> Picture | Reason | None:
        """One frame; None where the file ends before it."""
        return self._guarded(lambda: self.opened.picture(frame))

    def count(self) -> int | Reason:
        """How many frames there are."""
        return self._guarded(self.opened.count)

    def moments(self) -> list[int] | Reason:
        """Of a video the first frame of each second; of a picture its first."""
        return self._guarded(lambda: list(self.opened.moments()))

    def has(self, frame: int) -> bool:
        """Whether there is such a frame, broken or not."""
        return self.frame(frame) is not None

    def lacks_frames(self) -> bool:
        """Whether more frames were meant to come when the file ended."""
        return frames_are_missing(self.data, self.format)

    def close(self) -> None:
        """Let go of what is open."""
        self.opened.close()

    def _guarded(self, work: Callable[[], Found]) -> Found | Reason:
        return _guarded(work, self.data, self.format)


def decode(data: bytes, options: DecodeOptions, limits: Limits, frame: int = 0) -> Picture | Reason:
    """Decode one frame, by its index in the file. Whatever is wrong with the bytes is a reason.

    The format is read from the content. Alpha is laid over white; 16-bit samples keep their upper 8
    bits; colours with an ICC profile become sRGB. A frame that the file does not have is
    `truncated` where the file is cut off, else `not_found`.
    """
    if frame < 0:
        raise UsageError(f"frame must be 0 or above. Got {frame} instead.")
    file = open_file(data, options, limits)
    if isinstance(file, Reason):
        return file
    with closing(file):
        found = file.frame(frame)
        if found is None:
            return Reason.TRUNCATED if file.lacks_frames() else Reason.NOT_FOUND
        return found


def open_file(data: bytes, options: DecodeOptions, limits: Limits) -> File | Reason:
    """Read a file's header. The caller closes the file."""
    if not data:
        return Reason.EMPTY
    if len(data) > limits.max_bytes:
        return Reason.TOO_LARGE_FILE
    name = sniff(data)
    if name is None:
        return Reason.NOT_AN_IMAGE
    opened = _guarded(lambda: DECODERS[name](data, name, options, limits), data, name)
    return opened if isinstance(opened, Reason) else File(data, name, opened)


def _guarded(work: Callable[[], Found], data: bytes, name: str) -> Found | Reason:
    try:
        with quiet():
            return work()
    except Refusal as refusal:
        return refusal.reason
    except ImportError:  # the extra that decodes the format is not installed
        return Reason.UNSUPPORTED_FORMAT
    except (Image.DecompressionBombError, MemoryError):
        return Reason.TOO_MANY_PIXELS
    except Exception as error:  # noqa: BLE001  decoders raise whatever a broken file provokes
        reason = _reason_of(error)
        cut = reason is Reason.CORRUPT and is_cut_off(data, name)
        return Reason.TRUNCATED if cut else reason


def _reason_of(error: Exception) -> Reason:
    text = str(error).lower()
    if isinstance(error, EOFError) or any(words in text for words in _TRUNCATED):
        return Reason.TRUNCATED
    if isinstance(error, NotImplementedError) or any(words in text for words in _UNSUPPORTED):
        return Reason.UNSUPPORTED_FORMAT
    return Reason.CORRUPT
