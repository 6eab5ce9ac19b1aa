"""A NumPy archive: its arrays of pictures, as MedMNIST and Keras data sets have them."""

import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import array_bytes, file_uri

from .files import open_regular
from .held import file_key
from .rows import Row, readable, row
from .source import SourceOptions
from .stacks import HELD, MAX_BYTES, array_size, is_stack, picture_of, stack_rows
from .zip import DAMAGE, open_zip

__all__ = ["NpzSource", "read_member"]

_DEFLATE = 1032
"""At most so many bytes come out of one (zlib's own documentation)."""
_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_PICTURES, _LABELS = re.compile(r"images?|(?<![a-z])[xX](?![a-z])"), ("labels", "label", "y", "Y")


@dataclass(frozen=True)
class NpzSource:
    """All arrays of uint8 that are pictures. `path`: absolute.

    Members are `ARRAY/POSITION`. Integers (N,) or (N, 1) with the name of the pictures, `images`
    replaced by `labels` or `x` by `y`, are their labels; a name with train, val or test in it says
    their part. Nothing is unpickled.
    """

    path: Path
    options: SourceOptions

    def __post_init__(self) -> None:
        self.options.labels.refuse_columns()

    @property
    def uri(self) -> str:
        """Of the file."""
        return file_uri(self.path)

    @property
    def root(self) -> Path:
        """The folder that the file lies in."""
        return self.path.parent

    def rows(self) -> Iterator[Row]:
        """Array by array, in the order of the file."""
        opened = open_regular(self.path)
        if isinstance(opened, Reason):
            yield row(self.uri, reason=opened)
            return
        file, found = opened
        place = row(self.uri, size=found.st_size, mtime_ns=found.st_mtime_ns)
        with file:
            archive = open_zip(file)
            if isinstance(archive, Reason):
                yield {**place, "reason": archive}
                return
            with archive:
                yield from _rows(self.path, place, archive)


def read_member(path: Path, member: str, limits: Limits) -> bytes | Reason:
    """The bytes that stand for one picture."""
    opened = open_regular(path)
    if isinstance(opened, Reason):
        return opened
    opened[0].close()
    name, slash, index = member.rpartition("/")
    name = name if slash else member
    array = HELD.get((*file_key(path, opened[1]), name), lambda: _load(path, name))
    if isinstance(array, Reason):
        return array
    if slash:
        return picture_of(array, index, limits)
    return array_bytes(array) if array.nbytes <= limits.max_bytes else Reason.TOO_LARGE_FILE


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def is_pictures(self) -> bool:
        return self.dtype == np.uint8 and is_stack(self.shape)

    @property
    def is_picture(self) -> bool:
        shape = self.shape
        fits = len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))
        return self.dtype == np.uint8 and fits and 0 not in shape


def _rows(path: Path, place: Row, archive: zipfile.ZipFile) -> Iterator[Row]:
    headers = {name: _header(archive, name) for name in archive.namelist()}
    listed = False
    some = any(isinstance(header, _Header) and header.is_pictures for header in headers.values())
    for file, header in headers.items():
        name = file.removesuffix(".npy")
        here = {**place, "member": readable(name)}
        if isinstance(header, Reason):
            yield {**here, "reason": header}
        elif header.is_pictures:
            labels = _labels(path, name, headers, header.shape[0])
            yield from stack_rows(place, header.shape, f"{readable(name)}/", labels, _part(name))
        elif header.is_picture and not (some and len(header.shape) == 2):  # labels look like that
            yield {**here, "size": array_size(header.shape)}
        else:
            continue
        listed = True
    if not listed:
        yield {**place, "reason": Reason.NOT_AN_IMAGE}


def _header(archive: zipfile.ZipFile, name: str) -> _Header | Reason:
    """Shape and type of one array, if so many bytes can be there at all."""
    info = archive.getinfo(name)
    try:
        with archive.open(info) as file:
            version = np.lib.format.read_magic(file)
            reader = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }.get(version)
            if reader is None:
                return Reason.UNSUPPORTED_FORMAT
            shape, _, dtype = reader(file)
    except NotImplementedError:  # zipfile: a way of packing that it does not know
        return Reason.UNSUPPORTED_FORMAT
    except (EOFError, OSError, *DAMAGE):
        return Reason.CORRUPT
    size = math.prod(shape) * dtype.itemsize
    if size > info.file_size or size > _DEFLATE * (info.compress_size + 1):
        return Reason.CORRUPT
    return _Header(shape, dtype) if size <= MAX_BYTES else Reason.TOO_LARGE_FILE


def _load(path: Path, name: str) -> np.ndarray | Reason:
    archive = open_zip(path)
    if isinstance(archive, Reason):
        return archive
    with archive:
        file = f"{name}.npy"
        if file not in archive.namelist():
            return Reason.NOT_FOUND
        header = _header(archive, file)
        if isinstance(header, Reason):
            return header
        try:
            with archive.open(file) as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
        except (EOFError, OSError, *DAMAGE):
            return Reason.CORRUPT


def _labels(
    path: Path, name: str, headers: Mapping[str, _Header | Reason], count: int
) -> np.ndarray | None:
    for word in _LABELS:
        other = _PICTURES.sub(word, name)
        header = headers.get(f"{other}.npy")
        if other == name or not isinstance(header, _Header) or header.dtype.kind not in "iu":
            continue
        if header.shape in ((count,), (count, 1)):
            labels = _load(path, other)
            return None if isinstance(labels, Reason) else labels.reshape(count)
    return None


def _part(name: str) -> str | None:
    words = re.split(r"[^a-z]+", name.lower())
    return next((_PARTS[word] for word in words if word in _PARTS), None)
