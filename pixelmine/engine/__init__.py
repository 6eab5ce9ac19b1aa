"""The same work over one picture or over millions."""

from .engine import ENGINES, run_stage
from .run import DONE_KEY, Run
from .stage import Stage, Work

__all__ = ["DONE_KEY", "ENGINES", "Run", "Stage", "Work", "run_stage"]
