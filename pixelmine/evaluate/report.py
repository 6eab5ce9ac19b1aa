"""One HTML file that shows and explains what was measured: no network, no scripts, made to keep.

The page is `templates/report.html.j2` with its style beside it; its words are in `texts.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from pixelmine.core.atomic import replace_file
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import OutputError

from .figures import curve, reliability_plot
from .interval import Rate
from .metrics import Evaluation
from .percent import percent
from .sections import Comparison, Gallery, Headline, History, Mistakes, Pile, Provenance
from .texts import LANGUAGES, Language, reason_meaning, text
from .tiles import gallery_tiles, mistake_tiles

__all__ = ["Report", "render", "write_report"]

MATRIX = 30
"""Up to so many classes the whole confusion matrix is shown; a wider one cannot be read."""

CLASSES = 40
"""So many classes are shown at once, the weakest; the others open on a click."""

LONG_NAME = 4
"""Above so many letters the names over the confusion matrix stand upright."""

UNTESTED = 10
"""So many classes without a test picture are named."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The sections in the order of the page; what is None is left out."""

    language: Language = "en"
    title: str | None = None
    headline: Headline | None = None
    gallery: Gallery | None = None
    pile: Pile | None = None
    comparison: Comparison | None = None
    history: History | None = None
    evaluation: Evaluation | None = None
    mistakes: Mistakes | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        check_one_of("language", self.language, LANGUAGES)


def write_report(path: Path, report: Report) -> None:
    """Write the page to `path`, whole or not at all. Raises OutputError."""
    page = render(report)
    try:
        with replace_file(path) as temporary:
            temporary.write_text(page, "utf-8")
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
        title=report.title or t("title"),
        byline=_byline(report),
        contents=_contents(report),
        gallery=gallery_tiles(report.gallery, report.language) if report.gallery else [],
        mistakes=mistake_tiles(report.mistakes, report.language) if report.mistakes else [],
        curves=list(_curves(report.history, t)) if report.history else [],
        provenance=list(_provenance(report.provenance)) if report.provenance else [],
        **(_evaluation(report.evaluation, t) if report.evaluation else {}),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pixelmine.evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["count"] = _count
    environment.filters["css"] = lambda share: f"{share:.2%}"
    environment.filters["counted"] = _counted
    return environment


def _byline(report: Report) -> str:
    model = report.headline.model if report.headline else None
    date = report.provenance.date[:10] if report.provenance else None
    return " · ".join(part for part in (model, date) if part)


def _contents(report: Report) -> list[str]:
    """Names of the sections that are there, but the headline."""
    measured = ("figures", "confusion", "classes", "reliability")
    names: list[str] = []
    for name in ("gallery", "pile", "comparison", "history", "evaluation", "mistakes"):
        if getattr(report, name):
            names += measured if name == "evaluation" else (name,)
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


def _evaluation(one: Evaluation, t: Any) -> Mapping[str, Any]:
    tested = [result for result in one.classes if result.recall]
    small = len(one.classes) <= MATRIX
    return {
        "figures": list(_figures(one)),
        "matrix": _matrix(one) if small else None,
        "long_names": max(map(len, one.labels)) > LONG_NAME,
        "confused": one.most_confused(),
        "weakest": sorted(tested, key=lambda result: result.recall.value if result.recall else 0),
        "shown": CLASSES,
        "untested": _untested(one.untested, t),
        "reliability": reliability_plot(one.reliability),
    }


def _figures(one: Evaluation) -> Iterator[tuple[str, float, Rate | None]]:
    yield "accuracy", one.accuracy.value, one.accuracy
    if one.top5:
        yield "top5", one.top5.value, one.top5
    yield "balanced_accuracy", one.balanced_accuracy, None
    yield "macro_f1", one.macro_f1, None
    if one.coverage:
        yield "coverage", one.coverage.value, one.coverage
    if one.decided_accuracy:
        yield "decided_accuracy", one.decided_accuracy.value, one.decided_accuracy
    yield "calibration_error", one.calibration_error, None


def _matrix(one: Evaluation) -> list[dict[str, Any]]:
    """Rows of cells.

    The shade goes with the root of a mistake's share of its row, so that small ones are seen, and
    the largest has .6, where the number on it is still easy to read.
    """
    shares = one.confusion / np.maximum(one.confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    shades = 0.1 + 0.5 * np.sqrt(shares / (shares.max() or 1))
    return [
        {
            "label": one.labels[i],
            "cells": [
                {"count": n, "right": i == j and n > 0, "shade": f"{shades[i, j]:.2f}"}
                for j, n in enumerate(counts)
            ],
        }
        for i, counts in enumerate(one.confusion.tolist())
    ]


def _untested(labels: list[str], t: Any) -> str:
    if not labels:
        return ""
    names = ", ".join(labels[:UNTESTED])
    if len(labels) > UNTESTED:
        names = f"{names}, {t('and_more', n=_count(len(labels) - UNTESTED))}"
    return str(t("untested", n=_count(len(labels)), names=names))


def _provenance(one: Provenance) -> Iterator[tuple[str, object]]:
    for name in (
        *("date", "machine", "recipe", "seed", "licence"),
        *("model_digest", "data_digest", "split_id"),
    ):
        if (value := getattr(one, name)) is not None:
            yield name, value


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def _counted(failed: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons and their counts, the most frequent first."""
    found = ((str(reason), number) for reason, number in failed.items() if number)
    return sorted(found, key=lambda one: (-one[1], one[0]))
