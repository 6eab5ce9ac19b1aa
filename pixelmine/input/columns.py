"""Which column of a table is the picture, the label and the group, and what the others say."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import canonical_uri

from .labels import FOLDERS, LABEL_NAMES, LabelOptions
from .rows import Row, readable
from .source import SourceOptions

__all__ = ["PICTURE_NAMES", "Columns", "described", "pick", "text_of"]

PICTURE_NAMES = (
    *("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp", "bytes", "data", "content"),
    *("image_bytes", "image_url", "img_url", "picture_url", "url", "uri"),
    *("file", "filename", "file_name", "image_path", "file_path", "filepath", "path", "name"),
)
"""Usual names of the picture's column, the surest first."""

_MAX_TEXT = 1000
_MAX_COLUMNS = 100


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of columns, nested ones with dots; None where there is none."""

    picture: str | None = None
    label: str | None = None
    group: str | None = None

    @classmethod
    def of_table(cls, names: Sequence[str], options: SourceOptions, where: str) -> Self:
        """Those of a table whose columns are `names`. Raises UsageError for one that is not there.

        `where`: the table, for people.
        """
        wanted = (options.picture_column, *_named(options.labels))
        flags = ("--picture-column", "--label-column", "--group-by")
        for name, flag in zip(wanted, flags, strict=True):
            if name is not None and not _has(names, name):
                raise UsageError(_no_column(where, names, name, flag))
        picture = options.picture_column or usual_picture(names)
        if picture is None:
            wanted_text = "with a usual name for pictures"
            raise UsageError(_no_column(where, names, wanted_text, "--picture-column"))
        found = cls.besides([name for name in names if name != picture], options.labels)
        return cls(picture=picture, label=found.label, group=found.group)

    @classmethod
    def besides(cls, names: Iterable[str], options: LabelOptions) -> Self:
        """Label and group alone: of a table's other columns."""
        label, group = _named(options)
        usual = next((name for name in names if name.lower() in LABEL_NAMES), None)
        return cls(label=label or usual, group=group)


def usual_picture(names: Sequence[str]) -> str | None:
    """The picture's column by its usual names; of a table with one column, that one."""
    if len(names) == 1:
        return names[0]
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in PICTURE_NAMES if name in lower), None)


def described(record: Mapping[str, Any], columns: Columns) -> Row:
    """`label`, `group` and `meta` of one record; values are texts of at most 1,000 characters.

    Bytes and what is empty are left out.
    """
    used = {columns.picture, columns.label, columns.group}
    others = [name for name in record if name not in used][:_MAX_COLUMNS]
    texts = [(readable(name), text_of(record[name])) for name in others]
    return {
        "label": _labels(pick(record, columns.label)),
        "group": text_of(pick(record, columns.group)),
        "meta": [(name, text) for name, text in texts if text is not None],
    }


def pick(record: Mapping[str, Any], column: str | None) -> Any:
    """A record's value, also a nested one; None where there is none."""
    if column is None or column in record:
        return record.get(column) if column is not None else None
    value: Any = record
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def text_of(value: object) -> str | None:
    """A value as text; None for nothing and for bytes. An address loses its user and its query."""
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return None
    if isinstance(value, Mapping | list | tuple):
        value = json.dumps(_plain(value), ensure_ascii=False)
    text = readable(str(value))
    if text.startswith(("http://", "https://")):
        try:
            text = canonical_uri(text)
        except ValueError:  # no address after all
            text = text.partition("?")[0].rpartition("@")[2]
    return text[:_MAX_TEXT] or None


def _labels(value: object) -> str | None:
    """A label, or a list of them as JSON, whole, so that `LabelOptions.several` can read it."""
    if not isinstance(value, list | tuple):
        return text_of(value)
    texts = [text for item in value[:_MAX_TEXT] if (text := text_of(item))]
    return json.dumps(texts, ensure_ascii=False) if texts else None


def _plain(value: object) -> object:
    """Nested values as JSON has them, without bytes, each text cut and cleaned like others."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:_MAX_TEXT]]
    return value if isinstance(value, bool | int | float) else text_of(value)


def _named(options: LabelOptions) -> tuple[str | None, str | None]:
    """Label and group column that the user named; those of a CSV of labels are not ours."""
    if options.labels not in (None, FOLDERS):
        return None, None
    group = options.group_by if options.group_by != FOLDERS else None
    return options.label_column, group


def _has(names: Sequence[str], name: str) -> bool:
    return name in names or name.partition(".")[0] in names


def _no_column(where: str, names: Sequence[str], wanted: str, flag: str) -> str:
    known = ", ".join(names[:_MAX_COLUMNS])
    return f"{where} has no column {wanted}. It has: {known}. Name one with {flag}."
