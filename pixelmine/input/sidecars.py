"""Files beside a picture that say what it shows, as WebDataset puts them into an archive."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .columns import Columns, described, text_of
from .labels import LabelOptions
from .rows import Row

__all__ = ["ENDINGS", "MAX_BYTES", "Member", "with_sidecars"]

ENDINGS = (".cls", ".txt", ".json")
MAX_BYTES = 256 * 1024
"""Of a sidecar; what is larger is a file like others."""

_MAX_GROUP = 64
_MAX_GROUP_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Member:
    """A file of an archive: its name, its row, and its bytes where it may be a sidecar."""

    name: str
    row: Row
    note: bytes | None = None

    @property
    def key(self) -> str:
        """The name up to the first dot behind its folder: that of the sample it belongs to."""
        folder, slash, file = self.name.rpartition("/")
        return folder + slash + file.partition(".")[0]

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.rpartition(".")[0]


def with_sidecars(members: Iterable[Member], options: LabelOptions) -> Iterator[Row]:
    """The rows of all members but sidecars, with what those say.

    A sidecar belongs to the members near it whose names are its stem, a dot and an ending; without
    any it is a row like others.
    """
    group: list[Member] = []
    weight = 0
    for member in members:
        if group and (_apart(group[-1], member) or _is_full(group, weight, member)):
            yield from _joined(group, options)
            group, weight = [], 0
        group.append(member)
        weight += len(member.row.get("data") or b"")
    yield from _joined(group, options)


def _apart(one: Member, other: Member) -> bool:
    return one.key != other.key


def _is_full(group: list[Member], weight: int, member: Member) -> bool:
    """Pictures numbered `a.1.jpg`, `a.2.jpg`, ... look like one sample without an end."""
    full = len(group) >= _MAX_GROUP or weight >= _MAX_GROUP_BYTES
    return full and (group[-1].stem != member.stem or len(group) >= 2 * _MAX_GROUP)


def _joined(group: list[Member], options: LabelOptions) -> Iterator[Row]:
    notes = [member for member in group if member.note is not None]
    pictures = [member for member in group if member.note is None]
    used: set[int] = set()
    said: dict[int, Row] = {}
    for picture in pictures:
        near = [note for note in notes if picture.name.startswith(note.stem + ".")]
        used.update(map(id, near))
        said[id(picture)] = _said(near, options)
    for member in group:
        if id(member) not in used:
            yield {**member.row, **said.get(id(member), {})}


def _said(notes: list[Member], options: LabelOptions) -> Row:
    """`label`, `group` and `meta` from all sidecars of a picture.

    `.cls` has the last word on the label, but where it is a number and `.json` names the class.
    """
    row: Row = {}
    for note in sorted(notes, key=lambda note: note.name.endswith(".cls")):
        text = (note.note or b"").decode("utf-8", "replace").strip()
        if note.name.endswith(".cls"):
            label = text_of(text)
            if label and not (label.isdecimal() and row.get("label")):
                row["label"] = label
            continue
        found = _fields(note, text, options)
        meta = [*row.get("meta", ()), *found.pop("meta")]
        row |= {key: value for key, value in found.items() if value is not None}
        row["meta"] = list(dict(meta).items())
    return row


def _fields(note: Member, text: str, options: LabelOptions) -> Row:
    kind = PurePosixPath(note.name).suffix[1:]
    if kind == "json":
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
        if isinstance(fields, dict):
            return described(fields, Columns.besides(list(fields), options))
    return {"meta": [(kind, text_of(text) or "")]}
