"""The idx files of MNIST and its kin: arrays with a header of types and sizes.

Source of the format: http://yann.lecun.com/exdb/mnist, "FILE FORMATS FOR THE MNIST DATABASE".
"""

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelmine.core.errors import SourceError
from pixelmine.core.ids import array_bytes, content_id, file_uri, picture_id, row_id

__all__ = ["PARTS", "IdxPart", "find_file", "is_idx_folder", "read_idx", "read_part"]

PARTS = {"train": "train", "test": "t10k"}
_MAX_BYTES = 2**31
_MAX_DIMENSIONS = 8
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class IdxPart:
    """N pictures: `pixels` uint8 (N, H, W), `labels` int64 (N,), and the ids of each."""

    pixels: np.ndarray
    labels: np.ndarray
    uri: str

    def row_ids(self) -> list[str]:
        """Each picture is a member of its file, named by its position."""
        return [row_id(self.uri, str(index)) for index in range(len(self.pixels))]

    def picture_ids(self) -> list[str]:
        """SHA-256 over each array's type, shape and data."""
        return [picture_id(content_id(array_bytes(p)), 0) for p in self.pixels]


def is_idx_folder(path: Path) -> bool:
    """Whether a folder holds a pair of idx files."""
    return path.is_dir() and any(find_file(path, part, "images") for part in PARTS.values())


def read_part(folder: Path, part: str) -> IdxPart:
    """Read the part `train` or `test`. Raises SourceError."""
    paths = [find_file(folder, PARTS[part], kind) for kind in ("images", "labels")]
    if paths[0] is None or paths[1] is None:
        raise SourceError(
            f"{folder} holds no {PARTS[part]}-images and {PARTS[part]}-labels idx files. "
            "Get them with: pixelmine datasets get mnist --into FOLDER."
        )
    pixels, labels = read_idx(paths[0]), read_idx(paths[1])
    if pixels.ndim != 3 or labels.ndim != 1 or len(pixels) != len(labels):
        raise SourceError(
            f"{paths[0].name} and {paths[1].name} must hold (N, H, W) pixels and (N,) labels. "
            f"Got {pixels.shape} and {labels.shape} instead."
        )
    return IdxPart(pixels, labels.astype(np.int64), file_uri(paths[0]))


def read_idx(path: Path) -> np.ndarray:
    """One idx file of bytes, gzip-compressed or not, as uint8. Raises SourceError."""
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz" or raw.peek(2)[:2] == _GZIP
            data: bytes = (gzip.GzipFile(fileobj=raw) if packed else raw).read(_MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read: {error}.") from error
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise SourceError(f"{path} is not an idx file of bytes: it starts with {data[:4]!r}.")
    start = 4 + 4 * data[3]
    if len(data) < start or data[3] > _MAX_DIMENSIONS:
        raise SourceError(f"{path} is damaged: its header is cut off or makes no sense.")
    shape = np.frombuffer(data[4:start], ">u4").tolist()
    if len(data) - start != math.prod(shape):
        raise SourceError(
            f"{path} is damaged: its header asks for {shape}, and {len(data) - start} "
            "bytes follow. Get it again."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def find_file(folder: Path, part: str, kind: str) -> Path | None:
    """The file of `train` or `t10k`, `images` or `labels`; None without one."""
    found = sorted(folder.glob(f"{part}-{kind}[-.]idx*"))
    return found[0] if found else None
