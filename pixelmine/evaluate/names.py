"""The short name of a picture: what people and CSV files call it."""

from pathlib import PurePosixPath
from urllib.parse import unquote

__all__ = ["file_name"]


def file_name(uri: str, member: str = "") -> str:
    """The last part of the member, or else of the URI, without percent escapes and folders."""
    path = member or unquote(uri)
    return PurePosixPath(path).name or path
