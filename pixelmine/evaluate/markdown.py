"""An evaluation as Markdown, for a model card, a terminal or a pull request."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .interval import Estimate, Rate
from .names import file_name
from .percent import percent

if TYPE_CHECKING:
    from .evaluation import ClassResult, Evaluation, Mistake
    from .multilabel import MultiLabelEvaluation
    from .ranking import Ranking

__all__ = [
    "cell",
    "figure_name",
    "lines",
    "multilabel_markdown",
    "rate_text",
    "table",
    "to_markdown",
]

MATRIX = 30
"""Up to so many classes the whole matrix is shown; a wider one cannot be read."""

MISTAKES = 20

SLICES = 20

_NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "subset_accuracy": "all labels right",
    "auc": "ROC AUC (macro)",
    "average_precision": "average precision (macro)",
    "coverage": "decided",
    "decided_accuracy": "accuracy of the decided",
    "set_coverage": "sets that hold the truth",
    "strange_auroc": "AUROC of strangeness for mistakes",
}


def to_markdown(evaluation: "Evaluation") -> str:
    """Headline figures, classes, slices, confusion and the worst mistakes."""
    parts = [_figures(evaluation), _classes(evaluation), _slices(evaluation)]
    parts += [_confusion(evaluation), _mistakes(evaluation.mistakes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def multilabel_markdown(found: "MultiLabelEvaluation") -> str:
    """Figures and labels of a model that gives any number of labels."""
    names = {"average_precision": "mAP"}
    rows = [(names.get(n, figure_name(n)), rate_text(one)) for n, one in found.figures()]
    rows.append(("wrong decisions on a label", percent(found.wrong_labels)))
    figures = table(_title(found.subset_accuracy.pictures), ("", "value"), rows)
    parts = [figures, _class_table(found.classes, found.ranking), _mistakes(found.mistakes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A heading and a table whose cells are text and nothing else."""
    return f"## {title}\n\n{lines(head, rows)}"


def lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table alone."""
    return "\n".join([_line(head), _line(["---"] + ["---:"] * (len(head) - 1)), *map(_line, rows)])


def cell(text: str) -> str:
    """One line, without what would be a column, a tag, a link or emphasis."""
    return re.sub(r"([\\|<>\[\]*_`])", r"\\\1", " ".join(text.split()))


def rate_text(rate: Rate | Estimate | None) -> str:
    """A figure with its interval, where there is one."""
    if rate is None:
        return "unknown"
    if rate.low is None or rate.high is None:
        return _percent(rate.value)
    return f"{_percent(rate.value)} ({_percent(rate.low)} to {_percent(rate.high)})"


def _percent(value: float | None) -> str:
    return percent(value) if value is not None else "unknown"


def _figures(evaluation: "Evaluation") -> str:
    rows = [(figure_name(name), rate_text(one)) for name, one in evaluation.figures()]
    rows.append(("calibration error", percent(evaluation.calibration_error)))
    if evaluation.sets:
        rows.append(("labels in a set", f"{evaluation.sets.mean_size:.2f}"))
    return table(_title(evaluation.accuracy.pictures), ("", "value"), rows)


def _title(pictures: int) -> str:
    return f"Figures ({pictures:,} pictures)"


def figure_name(name: str) -> str:
    """What a figure of `Evaluation.figures` is called, in English."""
    return f"top-{name[3:]} accuracy" if name.startswith("top") else _NAMES.get(name, name)


def _classes(evaluation: "Evaluation") -> str:
    found = _class_table(evaluation.classes, evaluation.ranking)
    untested = len(evaluation.untested)
    if not untested:
        return found
    return f"{found}\n\nClasses without a test picture: {untested:,}. Their recall is not known."


def _class_table(classes: Sequence["ClassResult"], ranking: "Ranking | None") -> str:
    areas = {one.label: one for one in ranking.classes} if ranking else {}
    rows = []
    for one in classes:
        if one.pictures:
            area = areas.get(one.label)
            measured = (area.auc.value, area.average_precision.value) if area else (None, None)
            f1 = _percent(one.f1)
            rates = (rate_text(one.recall), rate_text(one.precision), f1)
            rows.append((one.label, f"{one.pictures:,}", *rates, *map(_percent, measured)))
    head = ("class", "pictures", "recall", "precision", "F1", "AUC", "average precision")
    return table("Classes", head, rows)


def _slices(evaluation: "Evaluation") -> str:
    rows = [
        (
            one.by,
            one.value or "none",
            f"{one.right.pictures:,}",
            rate_text(one.right),
            f"{one.p:.2g}",
        )
        for one in evaluation.slices[:SLICES]
    ]
    head = ("slice by", "value", "pictures", "accuracy", "p (Holm)")
    return table("Weakest slices", head, rows) if rows else ""


def _confusion(evaluation: "Evaluation") -> str:
    if len(evaluation.classes) <= MATRIX:
        head = ("truth \\ answer", *evaluation.labels)
        counts = evaluation.confusion.tolist()
        rows = [(label, *row) for label, row in zip(evaluation.labels, counts, strict=True)]
        return table("Confusion", head, rows)
    pairs = [(c.truth, c.answer, f"{c.wrong.hits:,}") for c in evaluation.most_confused()]
    return table("Most confused", ("truth", "answer", "pictures"), pairs) if pairs else ""


def _mistakes(mistakes: Sequence["Mistake"]) -> str:
    rows = [
        (file_name(one.uri), one.truth, one.answer, percent(one.probability))
        for one in mistakes[:MISTAKES]
    ]
    head = ("picture", "truth", "answer", "probability")
    return table("Most confident mistakes", head, rows) if rows else ""


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(cell(str(one)) for one in cells) + " |"
