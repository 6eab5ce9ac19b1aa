"""The mining report as Markdown: words, figures and tables; pictures by what is said of them."""

from collections.abc import Iterator
from functools import partial

from pixelmine.evaluate.markdown import cell as plain
from pixelmine.evaluate.markdown import lines
from pixelmine.evaluate.quantity import size

from .page import MiningPage, cell_text
from .page_texts import text
from .section import Section, Strip

__all__ = ["to_markdown"]

STRIPS = 20
"""Of a section that are written out; a page shows all."""


def to_markdown(page: MiningPage) -> str:
    """Headings, lists and tables in the page's language."""
    return "\n\n".join(_parts(page)) + "\n"


def _parts(page: MiningPage) -> Iterator[str]:
    t = partial(text, page.language)
    pile = page.pile
    yield f"# {plain(page.title)}"
    yield f"{t('report')} · {page.made}"
    counts = {
        t("pictures"): f"{pile.pictures:,}",
        t("good"): f"{pile.good:,}",
        **{f"{t('failed')}: {name}": f"{count:,}" for name, count in pile.failed.items()},
        t("different"): f"{pile.different:,}",
        t("labelled"): f"{pile.labelled:,}",
        t("groups"): f"{pile.groups:,}",
        t("size"): size(pile.bytes),
    }
    yield lines(("", ""), list(counts.items()))
    for section in page.sections:
        yield from _section(page, section)
    if page.skipped:
        yield f"## {t('skipped')}"
        yield "\n".join(f"- {plain(name)}: {plain(why)}" for name, why in page.skipped.items())


def _section(page: MiningPage, section: Section) -> Iterator[str]:
    yield f"## {plain(section.title)}"
    yield plain(section.lead)
    if section.figures:
        yield lines(("", ""), list(section.figures.items()))
    for strip in section.strips[:STRIPS]:
        yield "\n".join(_strip(page, strip))
    for table in section.tables:
        if table.title:
            yield f"### {plain(table.title)}"
        yield lines(table.columns, [[cell_text(cell) for cell in row] for row in table.rows])
    if section.notes:
        yield "\n".join(f"- {plain(note)}" for note in section.notes)
    if section.commands:
        yield "\n".join(f"    {' '.join(command.split())}" for command in section.commands)


def _strip(page: MiningPage, strip: Strip) -> Iterator[str]:
    title = ": ".join(part for part in (strip.title, strip.note) if part)
    if title:
        yield f"{plain(title)}\n"
    for shown in strip.pictures:
        said = plain("; ".join(filter(None, (page.names.get(shown.row["row_id"]), *shown.caption))))
        yield f"- **{said}**" if shown.mark else f"- {said}"
