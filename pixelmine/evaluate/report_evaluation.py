"""What the page shows of an evaluation."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .evaluation import Evaluation
from .figures import coverage_plot, ranking_plot, reliability_plot
from .interval import Estimate, Rate
from .multilabel import MultiLabelEvaluation
from .percent import percent
from .ranking import Ranking

__all__ = ["context", "count", "counted", "measured"]

MATRIX = 30
"""Up to so many classes the whole confusion matrix is shown; a wider one cannot be read."""

CLASSES = 40
"""So many classes are shown at once, the weakest; the others open on a click."""

SLICES = 12
"""So many slices are shown at once, the weakest; the others open on a click."""

LONG_NAME = 4
"""Above so many letters the names over the confusion matrix stand upright."""

UNTESTED = 10
"""So many classes without a test picture are named."""


def measured(one: Evaluation | MultiLabelEvaluation) -> list[str]:
    """The names of the sections that there are."""
    ranking = ["ranking"] if one.ranking else []
    if isinstance(one, MultiLabelEvaluation):
        return ["figures", *ranking, "classes"]
    slices = ["slices"] if one.slices else []
    return ["figures", *ranking, "confusion", "classes", "reliability", "by_coverage", *slices]


def context(one: Evaluation | MultiLabelEvaluation, t: Any) -> Mapping[str, Any]:
    """The template's variables. `t`: gives a text by its name."""
    tested = [result for result in one.classes if result.recall]
    return {
        "sections": measured(one),
        "figures": list(_figures(one, t)),
        "weakest": sorted(tested, key=lambda result: result.recall.value if result.recall else 0),
        "shown": CLASSES,
        "untested": _untested(one.untested, t),
        "rankings": list(_rankings(one.ranking, t)) if one.ranking else [],
        "areas": {area.label: area.auc.value for area in one.ranking.classes}
        if one.ranking
        else {},
        **(_of_one_label(one) if isinstance(one, Evaluation) else {}),
    }


def _of_one_label(one: Evaluation) -> Mapping[str, Any]:
    return {
        "matrix": _matrix(one) if len(one.classes) <= MATRIX else None,
        "long_names": max(map(len, one.labels)) > LONG_NAME,
        "confused": one.most_confused(),
        "reliability": reliability_plot(one.reliability),
        "by_coverage": coverage_plot(one.by_coverage),
        "halfway": min(one.by_coverage, key=lambda each: abs(each.coverage.value - 0.5)),
        "shown_slices": SLICES,
    }


def count(number: float) -> str:
    """A number of things, thousands apart; below 10 with a decimal where it has one."""
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def counted(failed: Mapping[str, int]) -> list[tuple[str, int]]:
    """Reasons and their counts, the most frequent first."""
    found = ((str(reason), number) for reason, number in failed.items() if number)
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _figures(
    one: Evaluation | MultiLabelEvaluation, t: Any
) -> Iterator[tuple[str, str, Rate | Estimate | None]]:
    for name, figure in one.figures():
        label = t("top_k", k=name[3:]) if name.startswith("top") else t(name)
        yield label, percent(figure.value), figure if figure.low is not None else None
    if isinstance(one, MultiLabelEvaluation):
        yield t("wrong_labels"), percent(one.wrong_labels), None
        return
    if one.sets:
        yield t("mean_size"), f"{one.sets.mean_size:.2f}", None
    yield t("calibration_error"), percent(one.calibration_error), None


def _rankings(found: Ranking, t: Any) -> Iterator[dict[str, str]]:
    for name, mean, area in (
        ("roc", found.roc, {"auc": percent(found.auc.value)}),
        ("pr", found.pr, {"ap": percent(found.average_precision.value)}),
    ):
        classes = [one for each in found.classes if (one := getattr(each, name))]
        yield {
            "title": t(name),
            "axis": t(f"{name}_axis"),
            "alt": t(f"{name}_alt", **area),
            "source": ranking_plot(mean, classes if len(classes) > 1 else [], name == "roc"),
        }


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
        names = f"{names}, {t('and_more', n=count(len(labels) - UNTESTED))}"
    return str(t("untested", n=count(len(labels)), names=names))
