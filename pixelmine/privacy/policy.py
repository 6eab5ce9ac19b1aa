"""A privacy policy: one TOML file that says what may leave, checked when it is read.

    [pictures]                  # see PictureRules
    faces = "fill"
    plates = "fill"

    [columns]                   # see ColumnRule; what has no rule here has Pixelmine's own
    labels = "keep"
    group = "drop"

A table or key that is not known is refused: a rule that was misspelt would protect nobody.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json

from .column_rule import ColumnRule
from .columns import read_rules
from .picture_rules import PictureRules

__all__ = ["PrivacyPolicy"]

_TABLES = ("pictures", "columns")
_LARGEST = 2**20
"""Bytes of a policy's file: a megabyte of rules is a mistake."""


@dataclass(frozen=True, kw_only=True)
class PrivacyPolicy:
    """What may leave. `digest`: the same for the same rules, whatever the file looks like."""

    pictures: PictureRules = field(default_factory=PictureRules)
    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file. Raises UsageError, which names what is wrong with it."""
        try:
            with Path(path).open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            raise UsageError(f"The policy {path} cannot be read: {error.strerror}.") from error
        if len(data) > _LARGEST:
            raise UsageError(f"The policy {path} is larger than {_LARGEST:,} bytes.")
        try:
            values = tomllib.loads(data.decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"The policy {path} is not TOML: {error}.") from error
        return cls.read(values)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """From parsed TOML. Raises UsageError."""
        if unknown := sorted(set(values) - set(_TABLES)):
            raise UsageError(
                f"A policy has the tables {', '.join(_TABLES)}. Got {', '.join(unknown)[:80]!r}."
            )
        return cls(
            pictures=PictureRules.read(values.get("pictures", {})),
            columns=read_rules(values.get("columns", {})),
            digest=digest_json(values),
        )
