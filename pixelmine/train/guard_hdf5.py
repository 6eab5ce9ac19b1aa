"""What an HDF5 file of weights may hold: numbers in this file, and names."""

from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pixelmine.core.errors import TrainError

__all__ = ["check_hdf5"]

_MAX_OBJECTS = 100_000
_MAX_ATTRIBUTE = 64 * 2**20
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
"""HDF5's own; others are loaded from plugins."""


def check_hdf5(path: Path, max_bytes: int) -> dict[str, str]:
    """Check every object of an HDF5 file; the root's attributes as text.

    HDF5 can point at other files (external links, external storage, virtual datasets), which would
    put what they hold into the network; and at itself, without end. Datasets may declare
    `max_bytes` together. Raises TrainError.
    """
    try:
        with h5py.File(path, "r") as file:
            _check_attributes("/", file)
            _check_group(file, max_bytes)
            return {name: _text(file.attrs[name]) for name in file.attrs}
    except TrainError:
        raise
    except Exception as error:  # h5py raises whatever a broken file provokes
        raise TrainError(f"The HDF5 file cannot be read: {error}.") from error


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _check_group(root: h5py.File, max_bytes: int) -> None:
    waiting: list[Any] = [root]
    seen, total = 0, 0
    while waiting:
        group = waiting.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            seen += 1
            if seen > _MAX_OBJECTS or where.count("/") > 64:
                raise TrainError("The HDF5 file holds too many objects, or a group inside itself.")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise TrainError(f"{where} is a link, to another file or place; it must be data.")
            found = group[name]
            _check_attributes(where, found)
            if isinstance(found, h5py.Group):
                waiting.append(found)
            else:
                total += _check_dataset(where, found)
            if total > max_bytes:
                raise TrainError(f"The HDF5 file unpacks to more than {max_bytes} bytes.")


def _check_dataset(where: str, found: Any) -> int:
    """The bytes it unpacks to."""
    if not isinstance(found, h5py.Dataset):
        raise TrainError(f"{where} is a {type(found).__name__}; a file of weights has none.")
    if found.dtype.kind not in "fiub":
        raise TrainError(f"{where} holds {found.dtype}, not numbers.")
    if found.is_virtual or found.external:
        raise TrainError(f"{where} takes its numbers from another file.")
    properties = found.id.get_create_plist()
    used = {properties.get_filter(index)[0] for index in range(properties.get_nfilters())}
    if foreign := used - _FILTERS:
        raise TrainError(f"{where} is packed with a filter that is not HDF5's own: {foreign}.")
    return int(found.size * found.dtype.itemsize)


def _check_attributes(where: str, found: Any) -> None:
    for name in found.attrs:
        identifier = found.attrs.get_id(name)
        kind = identifier.dtype
        if prod(identifier.shape) * kind.itemsize > _MAX_ATTRIBUTE:
            raise TrainError(f"The attribute {name!r} of {where} is too large.")
        text = h5py.check_string_dtype(kind) is not None
        if not text and kind.kind not in "fiubSU":
            raise TrainError(
                f"The attribute {name!r} of {where} holds {kind}, not text or numbers."
            )
        values = np.asarray(found.attrs[name])
        if text and not all(isinstance(v, str | bytes) for v in values.ravel().tolist()):
            raise TrainError(f"The attribute {name!r} of {where} is not text.")
