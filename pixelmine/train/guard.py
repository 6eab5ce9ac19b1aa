"""What Keras may see of a stranger's file: a copy that holds data and nothing else.

Loading a `.keras` or `.h5` file can run code or read other files, and Keras's `safe_mode` is no
boundary (CVE-2025-1550, CVE-2025-8747, CVE-2025-9905, CVE-2025-9906). So only a copy is loaded, and
every entry of it, every class in its config and every object in its HDF5 file must be on a list of
what is known to be data. Imports no training framework.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from pixelmine.core.errors import TrainError, UsageError

from .guard_config import check_config
from .guard_hdf5 import check_hdf5

__all__ = ["MAX_BYTES", "guarded_copy", "read_model"]

MAX_BYTES = 2**31
"""Of the file, and of what it unpacks to: as much as an ONNX file can hold."""

_MAX_TEXT = 16 * 2**20
_MAX_RATIO = 200
"""Unpacked to packed. Weights hardly shrink; zip bombs reach 1,000 with plain deflate."""

_ENTRIES = {
    "metadata.json": _MAX_TEXT,
    "config.json": _MAX_TEXT,
    "model.weights.h5": MAX_BYTES,
}


def read_model(path: Path) -> bytes:
    """The file's bytes, read once. Raises UsageError, or TrainError where it is too large."""
    if not path.is_file():  # a pipe would never end
        raise UsageError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise TrainError(f"{path} is larger than {MAX_BYTES} bytes.")
    return data


def guarded_copy(data: bytes, folder: Path) -> Path:
    """Check the bytes of a `.keras` or `.h5` file; the path of a copy that may be loaded.

    The copy is written into `folder`. Raises UsageError for bytes that are neither, TrainError for
    those with anything in them that is not known to be data.
    """
    if data[:4] == b"PK\x03\x04":
        return _copy_keras(data, folder)
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return _copy_hdf5(data, folder)
    raise UsageError(
        "The file is not a network saved by Keras. Save it with model.save('my.keras') and import "
        "that file."
    )


def _copy_keras(data: bytes, folder: Path) -> Path:
    entries = _read_zip(data)
    config = _parse(entries["config.json"])
    check_config(config)
    config.pop("compile_config", None)  # losses and optimizers are not needed, and can be code
    weights = folder / "model.weights.h5"
    weights.write_bytes(entries["model.weights.h5"])
    check_hdf5(weights, MAX_BYTES)
    copy = folder / "network.keras"
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", entries["metadata.json"])
        archive.writestr("config.json", json.dumps(config))
        archive.write(weights, "model.weights.h5")
    weights.unlink()
    return copy


def _copy_hdf5(data: bytes, folder: Path) -> Path:
    copy = folder / "network.h5"
    copy.write_bytes(data)
    text = check_hdf5(copy, MAX_BYTES).get("model_config")
    if text is None or len(text) > _MAX_TEXT:
        raise TrainError(
            "The HDF5 file holds no network, only weights or other data. Save the whole model "
            "with model.save('my.keras')."
        )
    check_config(_parse(text))
    return copy


def _read_zip(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                name = entry.filename
                if name not in _ENTRIES or name in found:
                    raise TrainError(f"The .keras file has an entry that has no place: {name!r}.")
                if entry.file_size > min(_ENTRIES[name], _MAX_RATIO * entry.compress_size):
                    raise TrainError(
                        f"The .keras file is a bomb: {name} unpacks from {entry.compress_size} "
                        f"to {entry.file_size} bytes."
                    )
                found[name] = archive.read(entry)  # at most file_size bytes, and its checksum
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise TrainError(f"The .keras file is damaged: {error}.") from error
    if missing := sorted(set(_ENTRIES) - set(found)):
        raise TrainError(f"The .keras file lacks {', '.join(missing)}.")
    return found


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrainError(f"The network's config is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise TrainError("The network's config is not a JSON object.")
    return config
