"""Names that every file system takes, and no two of which are one where case does not count."""

import re
import unicodedata
from hashlib import blake2b

__all__ = ["ENDINGS", "UNLABELLED", "FileNames", "FolderNames", "escaped", "file_name"]

UNLABELLED = "unlabelled"
"""The folder of pictures without a label; a label of that name is escaped."""

ENDINGS: dict[str, tuple[str, ...]] = {
    "jpeg": ("jpg", "jpeg"),
    "png": ("png",),
    "gif": ("gif",),
    "bmp": ("bmp",),
    "tiff": ("tif", "tiff"),
    "webp": ("webp",),
    "ico": ("ico",),
    "ppm": ("ppm", "pgm", "pbm", "pnm"),
    "jpeg2000": ("jp2", "j2k", "jpx", "jpc", "jpf"),
    "avif": ("avif",),
    "heic": ("heic", "heif"),
    "dicom": ("dcm", "dicom"),
}
"""Endings of files that stay as they are, by format; the first is the usual one. Readers of class
folders know a picture by its ending."""

_OTHERS = ("jpe", "jfif", "dib", "mp4", "mov", "mkv", "webm", "avi", "npy")
_KNOWN = {*(ending for known in ENDINGS.values() for ending in known), *_OTHERS}
_FORBIDDEN = re.compile(r'[<>:"/\\|?*%]')
_DEVICES = re.compile(r"(?i:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)")
_EDGE = " .=+-@'~\uff1d\uff0b\uff0d\uff20"
"""What no name begins with: hidden files, options, and formulas in a table of names, also in their
full-width forms."""
_LONGEST = 180
"""Bytes of a name, of the 255 that file systems hold: room for an ending and a short row id."""


def escaped(text: str) -> str:
    r"""A text as a name, what is not allowed in one as %XX: `urllib.parse.unquote` gives it back.

    Not allowed are `<>:"/\|?*%`, what cannot be seen, a name that Windows keeps for a device, a
    blank or dot at an end and `=+-@'~` at the beginning. Of more than 180 bytes the rest becomes
    `~` and a digest, which cannot be undone.
    """
    name = "".join(_percent(c) if _FORBIDDEN.match(c) or not c.isprintable() else c for c in text)
    if name and (name[0] in _EDGE or _DEVICES.match(name)):
        name = _percent(name[0]) + name[1:]
    if name and name[-1] in " .":
        name = name[:-1] + _percent(name[-1])
    return _short(name) or "%"


def file_name(name: str, ending: str, format_endings: tuple[str, ...] = ()) -> str:
    """A safe name of a file with the ending of its format.

    An ending that the format may have stays; that of another format is replaced.
    """
    stem, dot, last = name.rpartition(".")
    if dot and stem and last.lower() in (ending, *format_endings):
        return f"{escaped(stem)}.{last}"
    if not dot or not stem or last.lower() not in _KNOWN:
        stem = name
    return f"{escaped(stem)}.{ending}"


class FolderNames:
    """The folder of each label; asked in the same order it gives the same names."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken = {_key(UNLABELLED)}

    def of(self, label: str | None) -> str:
        """A name of its own for each label, also where case does not count."""
        if label is None:
            return UNLABELLED
        if label not in self._names:
            self._names[label] = self._new(label)
        return self._names[label]

    def changed(self) -> dict[str, str]:
        """The labels that are no names of folders, with the name that stands for each."""
        return {label: name for label, name in self._names.items() if label != name}

    def _new(self, label: str) -> str:
        name = escaped(label)
        if _key(name) in self._taken:
            name = _short("".join(_percent(c) if c.isupper() else c for c in name))
        if _key(name) in self._taken:
            name = _short("".join(map(_percent, label)))
        self._taken.add(_key(name))
        return name


class FileNames:
    """Gives each file of a folder a name of its own. Holds 8 bytes a name, in a set."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def of(self, folder: str, name: str, row_id: str) -> str:
        """The name itself the first time; then with as much of the row id as it takes."""
        stem, _, ending = name.rpartition(".")
        tries = [name, *(f"{stem}-{row_id[:size]}.{ending}" for size in (8, 16, 64))]
        for one in tries:
            if self._add(folder, one):
                return one
        number = 2
        while not self._add(folder, one := f"{stem}-{number}.{ending}"):
            number += 1
        return one

    def _add(self, folder: str, name: str) -> bool:
        key = hash_of(f"{folder}/{_key(name)}")
        if key in self._taken:
            return False
        self._taken.add(key)
        return True


def hash_of(text: str) -> int:
    """64 bits of a digest."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _short(name: str) -> str:
    """Cut between two characters where it is too long, with a digest of all of it."""
    if len(name.encode()) <= _LONGEST:
        return name
    kept = name.encode()[: _LONGEST - 17].decode("utf-8", "ignore")
    kept = re.sub(r"%[0-9A-F]?$", "", kept)
    return f"{kept}~{hash_of(name):016x}"


def _key(name: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
