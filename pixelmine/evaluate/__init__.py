"""How good a model is, on pictures it has not learnt from, and a report that shows it."""

from .given_split import GivenSplit, split_from_csv
from .interval import Rate, wilson
from .leaks import Leak, find_leaks, leak_warning
from .metrics import ClassResult, Confused, Evaluation, Mistake, evaluate
from .report import Report, render, write_report
from .sections import (
    Comparison,
    Gallery,
    Headline,
    History,
    Method,
    Mistakes,
    Pile,
    Provenance,
)
from .splits import SplitOptions, make_split

__all__ = [
    "ClassResult",
    "Comparison",
    "Confused",
    "Evaluation",
    "Gallery",
    "GivenSplit",
    "Headline",
    "History",
    "Leak",
    "Method",
    "Mistake",
    "Mistakes",
    "Pile",
    "Provenance",
    "Rate",
    "Report",
    "SplitOptions",
    "evaluate",
    "find_leaks",
    "leak_warning",
    "make_split",
    "render",
    "split_from_csv",
    "wilson",
    "write_report",
]
