"""Copies of pictures whose source cannot be read again, each named by its content.

FOLDER/ab/abcdef...    a file's bytes, whole when it appears
"""

from pathlib import Path

from pixelmine.core.atomic import replace_file
from pixelmine.core.ids import content_id

__all__ = ["ByteStore"]


class ByteStore:
    """Any number of processes may put and read at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, content: str) -> Path:
        """Where the bytes of a content_id lie, if they are there."""
        return self.folder / content[:2] / content

    def has(self, content: str) -> bool:
        """Whether they are there."""
        return self.path(content).is_file()

    def put(self, data: bytes | memoryview, content: str | None = None) -> str:
        """Keep bytes; gives their content_id. Raises OSError where the folder cannot be written."""
        content = content or content_id(data)
        if not self.has(content):
            with replace_file(self.path(content)) as temporary:
                temporary.write_bytes(data)
        return content
