"""A row's bytes, or the reason why there are none."""

import os
import stat
from collections.abc import Mapping
from typing import Any

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import content_id, uri_path

__all__ = ["read", "read_file"]


def read(row: Mapping[str, Any], limits: Limits) -> bytes | Reason:
    """The bytes of a listing row; its own reason, if it came with one.

    Where the row names its `content_id`, other bytes are `changed`.
    """
    if row["reason"] is not None:
        return Reason(row["reason"])
    data = read_file(row["uri"], limits)
    known = row["content_id"]
    if known is not None and isinstance(data, bytes) and content_id(data) != known:
        return Reason.CHANGED
    return data


def read_file(uri: str, limits: Limits) -> bytes | Reason:
    """All bytes of a `file://` URI. Only regular files are opened: a pipe would never end."""
    try:
        path = uri_path(uri)
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Reason.NOT_FOUND
    except PermissionError:
        return Reason.DENIED
    except (OSError, ValueError):
        return Reason.UNREADABLE
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):  # fdopen would raise for a folder
            os.close(handle)
            return Reason.UNREADABLE
        with os.fdopen(handle, "rb") as file:
            if found.st_size > limits.max_bytes:
                return Reason.TOO_LARGE_FILE
            data = file.read(limits.max_bytes + 1)
    except OSError:
        return Reason.UNREADABLE
    return data if len(data) <= limits.max_bytes else Reason.TOO_LARGE_FILE
