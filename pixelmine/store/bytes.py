"""Copies of pictures whose source cannot be read again, each named by its content.

FOLDER/ab/abcdef...    a file's bytes, whole when it appears

In an encrypted collection the file is an envelope (`envelope`), named by a keyed hash.
"""

from collections.abc import Iterator
from pathlib import Path

from pixelmine.core.atomic import replace_file
from pixelmine.core.ids import content_id

from .envelope import open_whole, seal
from .sealing import Sealing

__all__ = ["ByteStore"]


class ByteStore:
    """Any number of processes may put and read at once.

    `sealing`: None is found out from the collection that the folder lies in, where it does. Raises
    WrongKeyError where the master key of that collection is not here.
    """

    def __init__(self, folder: Path, sealing: Sealing | None = None) -> None:
        self.folder = folder
        self.sealing = sealing or Sealing.beside(folder.parent)

    def path(self, content: str) -> Path:
        """Where the bytes of a content_id lie, plain or sealed, if they are there."""
        name = self.sealing.name(content) if self.sealing else content
        return self.folder / name[:2] / name

    def has(self, content: str) -> bool:
        """Whether they are there."""
        return self.path(content).is_file()

    def put(self, data: bytes | memoryview, content: str | None = None) -> str:
        """Keep bytes; gives their content_id. Raises OSError where the folder cannot be written."""
        content = content or content_id(data)
        if not self.has(content):
            with replace_file(self.path(content)) as temporary:
                if self.sealing is None:
                    temporary.write_bytes(data)
                else:
                    with temporary.open("wb") as file:
                        seal(bytes(data), file, content, self.sealing.keys)
        return content

    def get(self, content: str) -> bytes:
        """The plain bytes of a copy; of a sealed one all or nothing.

        Raises OSError, WrongKeyError, TamperedError.
        """
        data = self.path(content).read_bytes()
        return open_whole(data, content, self.sealing.keys) if self.sealing else data

    def paths(self) -> Iterator[Path]:
        """Every copy, in no promised order; those that are just being written are left out."""
        for path in self.folder.glob("??/*"):
            if not path.name.startswith("."):
                yield path
