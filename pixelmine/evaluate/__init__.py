"""How good a model is, on pictures it has not learnt from, and a report that shows it."""

from .evaluation import ClassResult, Confused, Evaluation, Mistake
from .given_split import GivenSplit, split_from_csv
from .interval import Estimate, Rate, wilson
from .ladder import Ladder, Rung, make_ladder
from .leaks import Leak, find_leaks, leak_notes
from .metrics import evaluate
from .multilabel import MultiLabelEvaluation, evaluate_multilabel
from .near import Ties, read_hashes, tie, tie_notes
from .paired import Paired, compare_answers
from .refuse import refuse_leaks
from .report import Report, render, write_report
from .report_file import check_form, write_report_as
from .sections import Gallery, Headline, History, Mistakes, Pile, Provenance
from .slices import Slice, slices
from .splits import SplitOptions, make_split

__all__ = [
    "ClassResult",
    "Confused",
    "Estimate",
    "Evaluation",
    "Gallery",
    "GivenSplit",
    "Headline",
    "History",
    "Ladder",
    "Leak",
    "Mistake",
    "Mistakes",
    "MultiLabelEvaluation",
    "Paired",
    "Pile",
    "Provenance",
    "Rate",
    "Report",
    "Rung",
    "Slice",
    "SplitOptions",
    "Ties",
    "check_form",
    "compare_answers",
    "evaluate",
    "evaluate_multilabel",
    "find_leaks",
    "leak_notes",
    "make_ladder",
    "make_split",
    "read_hashes",
    "refuse_leaks",
    "render",
    "slices",
    "split_from_csv",
    "tie",
    "tie_notes",
    "wilson",
    "write_report",
    "write_report_as",
]
