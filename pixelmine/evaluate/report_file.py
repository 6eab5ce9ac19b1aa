"""A report in one of three forms: the ending of its path says which."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pixelmine.core.errors import UsageError

from .report import Report, render, write_text

__all__ = ["FORMS", "check_form", "write_report_as"]

FORMS = (".html", ".md", ".json")
"""The page, Markdown in English, and all figures as one JSON object."""


def check_form(path: str | Path | None) -> None:
    """Raise UsageError for another ending."""
    if path is not None and Path(path).suffix.lower() not in FORMS:
        raise UsageError(
            f"A report must end in {', '.join(FORMS[:-1])} or {FORMS[-1]}. "
            f"Got {Path(path).name!r} instead."
        )


def write_report_as(
    path: Path,
    *,
    page: Callable[[], Report],
    markdown: Callable[[], str],
    data: Callable[[], Mapping[str, object]],
) -> None:
    """Write the form that the ending asks for, whole or not at all. Raises UsageError, OutputError.

    What they give must be cleared.
    """
    check_form(path)
    match path.suffix.lower():
        case ".html":
            text = render(page())
        case ".md":
            text = markdown()
        case _:
            text = json.dumps(data(), ensure_ascii=False, indent=1) + "\n"
    write_text(path, text)
