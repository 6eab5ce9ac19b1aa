"""One HTML file that shows and explains what was measured: no network, no scripts, made to keep.

The page is `templates/report.html.j2` with its parts and its style beside it; its words are in
`texts.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pixelmine.core.atomic import replace_file
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import OutputError

from .evaluation import Evaluation
from .figures import curve
from .ladder import Ladder
from .multilabel import MultiLabelEvaluation
from .percent import percent, points
from .quantity import duration, p_value, size
from .report_evaluation import context, count, counted, measured
from .report_ladder import ladder_context
from .sections import Gallery, Headline, History, Mistakes, Pile, Provenance
from .texts import LANGUAGES, Language, reason_meaning, text
from .tiles import gallery_tiles, mistake_tiles

__all__ = ["Report", "render", "write_report", "write_text"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The sections in the order of the page; what is None or empty is left out.

    `pairs`: mistakes of one pair of classes each.
    """

    language: Language = "en"
    title: str | None = None
    headline: Headline | None = None
    gallery: Gallery | None = None
    pile: Pile | None = None
    ladder: Ladder | None = None
    history: History | None = None
    evaluation: Evaluation | MultiLabelEvaluation | None = None
    pairs: tuple[Mistakes, ...] = ()
    mistakes: Mistakes | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        check_one_of("language", self.language, LANGUAGES)


def write_report(path: Path, report: Report) -> None:
    """Write the page to `path`, whole or not at all. Raises OutputError."""
    write_text(path, render(report))


def write_text(path: Path, text: str) -> None:
    """Write a report of any form, whole or not at all. Raises OutputError."""
    try:
        with replace_file(path) as temporary:
            temporary.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(
            f"Cannot write the report to {path}: {error.strerror}. Give --report another path."
        ) from error


def render(report: Report) -> str:
    """The page as HTML."""
    t = partial(text, report.language)
    page = _environment().get_template("report.html.j2")
    return page.render(
        report=report,
        t=t,
        meaning=partial(reason_meaning, report.language),
        lang={"en": "en", "zh": "zh-Hans"}[report.language],
        title=report.title or t("ladder_title" if report.ladder else "title"),
        byline=_byline(report),
        contents=_contents(report),
        gallery=gallery_tiles(report.gallery, report.language) if report.gallery else [],
        mistakes=mistake_tiles(report.mistakes, report.language) if report.mistakes else [],
        pairs=[mistake_tiles(pair, report.language) for pair in report.pairs],
        curves=list(_curves(report.history, t)) if report.history else [],
        provenance=list(_provenance(report.provenance)) if report.provenance else [],
        **(context(report.evaluation, t) if report.evaluation else {}),
        **(ladder_context(report.ladder, report.language) if report.ladder else {}),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pixelmine.evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "count": count,
        "counted": counted,
        "css": lambda share: f"{share:.2%}",
        "duration": duration,
        "p_value": p_value,
        "size": size,
    }
    return environment


def _byline(report: Report) -> str:
    model = report.headline.model if report.headline else None
    date = report.provenance.date[:10] if report.provenance else None
    return " · ".join(part for part in (model, date) if part)


def _contents(report: Report) -> list[str]:
    """Names of the sections that are there, but the headline."""
    inside = {"ladder": ["ladder", "ladder_figures"]}
    if one := report.evaluation:
        inside["evaluation"] = measured(one)
    names: list[str] = []
    for name in ("gallery", "pile", "ladder", "history", "evaluation", "pairs", "mistakes"):
        if getattr(report, name):
            names += inside.get(name, [name])
    return [*names, *(["provenance"] if report.provenance else [])]


def _curves(history: History, t: Any) -> Iterator[dict[str, str]]:
    for name in ("accuracy", "loss"):
        trained, held = history.series.get(name), history.series.get(f"val_{name}")
        if trained is None and held is None:
            continue
        last = (held or trained or [0.0])[-1]
        written = percent(last) if name == "accuracy" else f"{last:.3f}"
        title = t("by_epoch", what=t(name))
        best, epochs = history.best_epoch, history.epochs
        alt = t("history_alt", what=t(name), epochs=epochs, last=written, best=best)
        source = curve(trained, held, best, percent=name == "accuracy")
        yield {"title": title, "alt": alt, "source": source}


def _provenance(one: Provenance) -> Iterator[tuple[str, object]]:
    for name in (
        *("date", "machine", "recipe", "seed", "licence"),
        *("model_digest", "data_digest", "split_id"),
    ):
        if (value := getattr(one, name)) is not None:
            yield name, value
