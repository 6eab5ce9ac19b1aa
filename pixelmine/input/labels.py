"""What a source knows about its pictures: labels and groups from folder names or a CSV."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Self

import pyarrow as pa

from pixelmine.core import Reason
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import content_id, file_uri, row_id
from pixelmine.core.schema import LISTING

__all__ = ["FOLDERS", "LABEL_NAMES", "CsvLabels", "FolderLabels", "LabelOptions"]

FOLDERS = "folders"
_NAMES = ("file", "filename", "file_name", "image", "name", "path")
LABEL_NAMES = ("label", "labels", "class", "category")
"""Usual names of a column with labels."""

_MAX_FIELD = 1_000_000


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """`labels`: a CSV file, or `folders`: the name of the folder that a file lies in.

    `name_column`, `label_column`: of the CSV; None looks for the usual names. `group_by`: a column
    of the CSV, or `folders`. Without a CSV, `label_column` and `group_by` may name columns of a
    source that is a table itself. `separator`: what stands between the labels of a picture that has
    several; None: a label is taken whole. A group (a sender, a patient, a camera) is never split
    up.
    """

    labels: str | None = None
    name_column: str | None = None
    label_column: str | None = None
    group_by: str | None = None
    separator: str | None = None

    @property
    def source(self) -> list[str | None]:
        """What the labels themselves come from; groups are told apart from it."""
        found = [self.labels, self.name_column, self.label_column]
        return [*found, self.separator] if self.separator else found

    def several(self, label: str) -> list[str]:
        """The labels that one text holds, without doubles and blanks around them.

        With a separator, a table's list, which comes as JSON, is taken apart as such.
        """
        if self.separator is None:
            return [label]
        parts: list[str] = label.split(self.separator)
        if label.startswith("["):
            with suppress(ValueError, RecursionError):
                parts = [str(part) for part in json.loads(label) if part is not None]
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def table_digest(self) -> str | None:
        """Of the CSV's bytes; None without one, or where it cannot be read."""
        try:
            return content_id(Path(self.labels or "").read_bytes())
        except OSError:
            return None

    def absolute(self) -> Self:
        """The same, with the CSV's path absolute."""
        if self.labels in (None, FOLDERS):
            return self
        return replace(self, labels=str(Path(self.labels or "").absolute()))

    def __post_init__(self) -> None:
        if self.name_column and self.labels in (None, FOLDERS):
            raise UsageError("--name-column goes with --labels FILE.csv.")
        if self.separator == "":
            raise UsageError("--label-separator must be at least one character, as in ';'.")
        if self.labels == FOLDERS:
            self.refuse_columns()

    def refuse_columns(self) -> None:
        """Raise UsageError where a column is named and there is no table to have it."""
        if self.labels not in (None, FOLDERS):
            return
        if self.label_column:
            raise UsageError("--label-column goes with --labels FILE.csv, or a table as source.")
        if self.group_by not in (None, FOLDERS):
            raise UsageError(
                f"--group-by {self.group_by} names a column: give its table with --labels "
                f"FILE.csv, or use --group-by {FOLDERS}."
            )

    def folders_only(self) -> Self:
        """The same, without columns of the source itself."""
        group = self.group_by if self.group_by == FOLDERS else None
        return replace(self, label_column=None, group_by=group)


@dataclass(frozen=True)
class FolderLabels:
    """Labels or groups from the name of the folder that a file lies in, below `root`.

    `root`: the first source; `others`: the others.
    """

    root: Path
    options: LabelOptions
    others: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self.options.refuse_columns()

    def describe_name(self, name: str, *others: str) -> dict[str, object]:  # noqa: ARG002  CsvLabels looks at them
        """The same of a member of an archive or a URL, by the folder in its name.

        `others`: more names that it goes by, which say nothing here.
        """
        folder = PurePosixPath(name).parent.name or None
        return self._said(folder)

    def describe(self, path: Path) -> dict[str, object]:
        """`label` and `group` of one file; files right in `root` have none."""
        return self._said(_folder(path, _root_of(path, self.root, self.others)))

    def _said(self, folder: str | None) -> dict[str, object]:
        return {
            "label": folder if self.options.labels == FOLDERS else None,
            "group": folder if self.options.group_by == FOLDERS else None,
        }


@dataclass
class CsvLabels:
    """The rows of a CSV, joined to files by path below a source, else file name, else stem.

    `root`: the first source; a row without a file belongs there. `others`: the others.
    """

    root: Path
    rows: dict[str, dict[str, object]]
    group_by_folder: bool = False
    others: tuple[Path, ...] = ()
    seen: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, root: Path, options: LabelOptions, others: Sequence[Path] = ()) -> "CsvLabels":
        """Read the table that `options.labels` names. Raises SourceError, UsageError."""
        path = Path(options.labels or "")
        try:
            csv.field_size_limit(_MAX_FIELD)
            with path.open(encoding="utf-8-sig", newline="") as file:
                table = csv.DictReader(file)
                columns = list(table.fieldnames or ())
                name = _column(path, columns, options.name_column, _NAMES, "--name-column")
                label = _column(path, columns, options.label_column, LABEL_NAMES, "--label-column")
                group = options.group_by if options.group_by != FOLDERS else None
                if group is not None and group not in columns:
                    raise UsageError(_no_column(path, columns, group, "--group-by"))
                used = {name, label, group}
                rows = [(row[name], _described(row, used, label, group)) for row in table]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"The labels {path} cannot be read: {error}.") from error
        return cls(root, _by_name(path, rows), options.group_by == FOLDERS, tuple(others))

    def describe(self, path: Path) -> dict[str, object]:
        """What the table says of one file; nothing for a file without a row."""
        root = _root_of(path, self.root, self.others)
        group = {"group": _folder(path, root)} if self.group_by_folder else {}
        below = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        return {**self._found(path.as_posix(), below, path.name, path.stem), **group}

    def describe_name(self, name: str, *others: str) -> dict[str, object]:
        """The same of a member of an archive or a URL; `others`: more names that it goes by."""
        path = PurePosixPath(name)
        group = {"group": path.parent.name or None} if self.group_by_folder else {}
        names = (*map(_clean, others), path.as_posix(), path.as_posix().lstrip("/"))
        return {**self._found(*names, path.name, path.stem), **group}

    def _found(self, *names: str) -> dict[str, object]:
        for name in names:
            if name in self.rows:
                self.seen.add(name)
                return self.rows[name]
        return {}

    def missing(self) -> Iterator[pa.RecordBatch]:
        """LISTING rows for table rows without a file. Call when every file was described."""
        rows = []
        for name in self.rows.keys() - self.seen:
            uri = file_uri(self.root / name)
            place = {"row_id": row_id(uri), "uri": uri, "member": "", "frame": 0}
            rows.append({**place, **self.rows[name], "reason": Reason.NOT_FOUND})
        if rows:
            rows.sort(key=lambda row: str(row["uri"]))
            yield pa.RecordBatch.from_pylist(rows, LISTING)


def _root_of(path: Path, root: Path, others: Sequence[Path]) -> Path:
    """The source that a file lies in."""
    return next((r for r in (root, *others) if path.is_relative_to(r)), root)


def _folder(path: Path, root: Path) -> str | None:
    """Name of the folder that a file lies in, bytes that are not UTF-8 escaped; None for `root`."""
    name = os.fsencode(path.parent.name).decode("utf-8", "backslashreplace")
    return name if path.parent != root else None


def _by_name(
    path: Path, rows: Iterable[tuple[str, dict[str, object]]]
) -> dict[str, dict[str, object]]:
    named: dict[str, dict[str, object]] = {}
    for name, row in rows:
        if name and named.setdefault(_clean(name), row) != row:
            raise SourceError(
                f"{path} names {name!r} twice, with different values. Mend the table."
            )
    return named


def _clean(name: str) -> str:
    """A name without `./` or doubled slashes, so that it is written as the file's own is."""
    return PurePosixPath(name).as_posix()


def _column(
    path: Path, columns: list[str], given: str | None, usual: tuple[str, ...], option: str
) -> str:
    if given is not None:
        if given not in columns:
            raise UsageError(_no_column(path, columns, given, option))
        return given
    found = [column for column in columns if column.lower() in usual]
    if not found:
        raise UsageError(_no_column(path, columns, " or ".join(usual), option))
    return found[0]


def _no_column(path: Path, columns: list[str], wanted: str, option: str) -> str:
    return f"{path} has no column {wanted}. It has: {', '.join(columns)}. Name one with {option}."


def _described(
    row: dict[str, str | None], used: set[str | None], label: str, group: str | None
) -> dict[str, object]:
    meta = [(k, v) for k, v in row.items() if k is not None and k not in used and v]
    return {
        "label": row[label] or None,
        "group": row[group] or None if group else None,
        "meta": meta,
    }
