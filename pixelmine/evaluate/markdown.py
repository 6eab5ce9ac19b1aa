"""An evaluation as Markdown, for a model card, a terminal or a pull request."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .interval import Rate
from .names import file_name
from .percent import percent

if TYPE_CHECKING:
    from .metrics import Evaluation

__all__ = ["to_markdown"]

MATRIX = 30
"""Up to so many classes the whole matrix is shown; a wider one cannot be read."""

MISTAKES = 20


def to_markdown(evaluation: "Evaluation") -> str:
    """Headline figures, classes, confusion and the worst mistakes."""
    parts = [_figures(evaluation), _classes(evaluation), _confusion(evaluation)]
    return "\n\n".join(part for part in (*parts, _mistakes(evaluation)) if part) + "\n"


def _figures(evaluation: "Evaluation") -> str:
    rows = [("accuracy", _rate(evaluation.accuracy))]
    if evaluation.top5:
        rows.append(("top-5 accuracy", _rate(evaluation.top5)))
    rows.append(("balanced accuracy", _percent(evaluation.balanced_accuracy)))
    rows.append(("macro F1", _percent(evaluation.macro_f1)))
    if evaluation.coverage:
        rows.append(("decided", _rate(evaluation.coverage)))
        rows.append(("accuracy of the decided", _rate(evaluation.decided_accuracy)))
    rows.append(("calibration error", _percent(evaluation.calibration_error)))
    return _table(f"Figures ({evaluation.accuracy.pictures:,} pictures)", ("", "value"), rows)


def _classes(evaluation: "Evaluation") -> str:
    rows = [
        (one.label, f"{one.pictures:,}", _rate(one.recall), _rate(one.precision), _percent(one.f1))
        for one in evaluation.classes
        if one.pictures
    ]
    table = _table("Classes", ("class", "pictures", "recall", "precision", "F1"), rows)
    untested = len(evaluation.untested)
    if not untested:
        return table
    return f"{table}\n\nClasses without a test picture: {untested:,}. Their recall is not known."


def _confusion(evaluation: "Evaluation") -> str:
    if len(evaluation.classes) <= MATRIX:
        head = ("truth \\ answer", *evaluation.labels)
        counts = evaluation.confusion.tolist()
        rows = [(label, *row) for label, row in zip(evaluation.labels, counts, strict=True)]
        return _table("Confusion", head, rows)
    pairs = [(c.truth, c.answer, f"{c.wrong.hits:,}") for c in evaluation.most_confused()]
    return _table("Most confused", ("truth", "answer", "pictures"), pairs) if pairs else ""


def _mistakes(evaluation: "Evaluation") -> str:
    rows = [
        (file_name(one.uri), one.truth, one.answer, _percent(one.probability))
        for one in evaluation.mistakes[:MISTAKES]
    ]
    head = ("picture", "truth", "answer", "probability")
    return _table("Most confident mistakes", head, rows) if rows else ""


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1)), *map(_line, rows)]
    return "\n".join([f"## {title}", "", *lines])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |"


def _cell(text: str) -> str:
    """One line, without what would be a column, a tag, a link or emphasis."""
    return re.sub(r"([\\|<>\[\]*_`])", r"\\\1", " ".join(text.split()))


def _rate(rate: Rate | None) -> str:
    return (
        f"{percent(rate.value)} ({percent(rate.low)} to {percent(rate.high)})"
        if rate
        else "unknown"
    )


def _percent(value: float | None) -> str:
    return percent(value) if value is not None else "unknown"
