"""A finding as a section of the mining report, and as what a terminal shows of it.

A section is data: sentences, figures, rows of pictures, a table, plots. `mine.page` lays them out.
Texts are in the language that was asked for; pictures are named by their place in `pictures`, rows
of IMAGES, of which thumbnails are made and cleared when the page is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Cell", "Plot", "Section", "Shown", "Strip", "Table"]

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One picture. `row`: of IMAGES. `caption`: short lines under it. `mark`: stands out."""

    row: Mapping[str, Any]
    caption: Sequence[str] = ()
    mark: bool = False


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Pictures that belong together, in a row. `title`: a few words; `note`: a sentence."""

    title: str = ""
    note: str = ""
    pictures: Sequence[Shown] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """`columns`: their names. `rows`: cells as text, number or None; floats as they are written."""

    title: str = ""
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """`source`: a data URI, as `evaluate.drawing.data_uri` gives it. `alt`: what it shows."""

    title: str
    alt: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """`name`: the finding's. `lead`: what was found, a sentence or two, the first thing to read.

    `figures`: a few names with a value each, as text. `notes`: what to know, a sentence each.
    `commands`: what to do next, as typed.
    """

    name: str
    title: str
    lead: str
    figures: Mapping[str, str] = field(default_factory=dict)
    plots: Sequence[Plot] = ()
    strips: Sequence[Strip] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    commands: Sequence[str] = ()
