"""The mining report: one HTML file of a pile and what was found in it, section by section.

No network, no scripts. The page is `templates/mining.html.j2`, in the look of the evaluation report
(`evaluate.templates`); its words are in `page_texts.py`, those of a section are the section's.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from pixelmine.core.checks import check_one_of
from pixelmine.core.gate import Cleared
from pixelmine.core.reasons import Reason
from pixelmine.evaluate.quantity import size
from pixelmine.evaluate.texts import LANGUAGES, Language, reason_meaning
from pixelmine.evaluate.tiles import embedded

from .page_texts import text
from .section import Cell, Section, Shown, Table

__all__ = ["MiningPage", "Pile", "Thumbnail", "cell_text", "is_numbers", "render"]

_NUMBER = re.compile(r"[<>~x ]*[-+]?[0-9][0-9,]*(\.[0-9]+)?(e[-+]?[0-9]+)?( ?[%a-zA-Z]{1,3})?")
"""A number as people write it, perhaps with a bound before it or a unit behind it."""

TALL = 12
"""Rows of a table above which it scrolls within the page."""


@dataclass(frozen=True, kw_only=True)
class Pile:
    """What a collection holds, as counts. `bytes`: of the files, where they lie.

    `failed`: by reason. `formats`, `labels`: pictures of each, the most first. `usual`, `smallest`,
    `largest`: width and height in pixels, as stored, of the pictures of median, least and most
    pixels; None where there is none.
    """

    pictures: int
    different: int
    bytes: int
    failed: Mapping[str, int] = field(default_factory=dict)
    formats: Mapping[str, int] = field(default_factory=dict)
    labelled: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    groups: int = 0
    usual: tuple[int, int] | None = None
    smallest: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None

    @property
    def good(self) -> int:
        """Those that could be read."""
        return self.pictures - sum(self.failed.values())


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """One picture of the page: its cleared pixels, its cleared name, "" where it has none."""

    pixels: Cleared[np.ndarray]
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.pixels, Cleared):
            raise TypeError("A page takes only what core.clear(item, policy) let through.")


@dataclass(frozen=True, kw_only=True)
class MiningPage:
    """`title`: of the collection. `thumbnails`: by row_id, of every row that a section shows.

    `names`: cleared ones of pictures, where there are no thumbnails, as for Markdown. `skipped`:
    titles of findings that were not made, with a sentence why. `made`: ISO 8601. `about`: further
    lines of how it was made, by name.
    """

    title: str
    pile: Pile
    sections: Sequence[Section]
    thumbnails: Mapping[str, Thumbnail] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    skipped: Mapping[str, str] = field(default_factory=dict)
    made: str
    about: Mapping[str, str] = field(default_factory=dict)
    language: Language = "en"

    def __post_init__(self) -> None:
        check_one_of("language", self.language, LANGUAGES)

    def shown(self) -> Iterable[Shown]:
        """Every picture, in the order of the page."""
        for section in self.sections:
            for strip in section.strips:
                yield from strip.pictures


@dataclass(frozen=True, kw_only=True)
class _Tile:
    """`shared`: the class of a picture that the page shows more than once, else None."""

    source: str
    width: int
    height: int
    tiny: bool
    shared: str | None
    alt: str


def render(page: MiningPage) -> str:
    """The page as HTML. A picture that is shown more than once is in it once."""
    t = partial(text, page.language)
    tiles, shared = _tiles(page, t)
    template = _environment().get_template("mining.html.j2")
    return template.render(
        page=page,
        t=t,
        lang={"en": "en", "zh": "zh-Hans"}[page.language],
        sections=[(f"{one.name}-{n}", one) for n, one in enumerate(page.sections, 1)],
        tile=lambda shown: tiles[shown.row["row_id"]],
        shared=shared,
        meaning=partial(_meaning, page.language),
        listed=partial(_listed, t),
        tall=TALL,
    )


def cell_text(cell: Cell) -> str:
    """A cell as people read it: whole numbers in groups of three, others with six figures."""
    if cell is None:
        return ""
    if isinstance(cell, bool | str):
        return str(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.6g}"


def is_numbers(table: Table, column: int) -> bool:
    """Whether a column holds numbers alone, also as text (`66%`, `<0.001`): they stand right."""
    known = [row[column] for row in table.rows if row[column] not in (None, "")]
    return bool(known) and all(
        isinstance(cell, int | float) or _NUMBER.fullmatch(str(cell)) for cell in known
    )


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("pixelmine.mine"), PackageLoader("pixelmine.evaluate")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": cell_text,
        "count": lambda number: f"{number:,}",
        "size": size,
    }
    environment.tests["numbers"] = lambda table, column: is_numbers(table, column)
    return environment


def _tiles(page: MiningPage, t: Any) -> tuple[dict[str, _Tile], dict[str, str]]:
    """A tile for each row, and the data URI of each class of shared pictures."""
    made: dict[str, dict[str, Any]] = {}
    times: Counter[str] = Counter()
    for number, shown in enumerate(page.shown(), 1):
        row = shown.row["row_id"]
        if row not in made:
            one = page.thumbnails[row]
            name = one.name or t("picture_number", n=number)
            made[row] = {**embedded(one.pixels), "alt": name}
        times[made[row]["source"]] += 1
    sources = [source for source, count in times.items() if count > 1]
    classes = {source: f"p{n}" for n, source in enumerate(sources, 1)}
    tiles = {row: _Tile(**one, shared=classes.get(one["source"])) for row, one in made.items()}
    return tiles, {name: source for source, name in classes.items()}


def _meaning(language: Language, reason: str) -> str:
    return reason_meaning(language, reason) if reason in set(Reason) else reason


def _listed(t: Any, counts: Mapping[str, int], at_most: int = 6) -> str:
    """`jpeg 5,700, png 56`, the most first, and how many more kinds there are."""
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:at_most]]
    more = len(counts) - at_most
    return ", ".join([*shown, *([t("and_more", n=f"{more:,}")] if more > 0 else [])])
