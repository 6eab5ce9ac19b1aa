"""Files and folders that appear whole or not at all.

What is written lies beside its destination under a temporary name, is flushed to the disk, and is
renamed at the end; on any failure the temporary one is removed and what was there before stays.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

__all__ = ["replace_file", "replace_folder", "write_json"]

_MANY = 500
"""Files above which the whole disk is flushed; on Linux `sync` returns when all is written."""


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; it becomes `path` when the block succeeds.

    A folder already at `path` is replaced. Of two processes that finish at once one wins and both
    find a whole folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        _flush_all(temporary)
        _swap(temporary, path)
        _flush(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object, indented, whole or not at all."""
    with replace_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _swap(new: Path, path: Path) -> None:
    old = new.with_suffix(".old")
    with suppress(FileNotFoundError):
        path.rename(old)
    try:
        new.rename(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another process was just before us
            return
        with suppress(OSError):
            old.rename(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _flush_all(folder: Path) -> None:
    """Of a great many files the disk is told once: one by one each waits for it."""
    files = list(islice(folder.rglob("*"), _MANY + 1))
    if len(files) > _MANY:
        os.sync()
        return
    for file in files:
        _flush(file)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
