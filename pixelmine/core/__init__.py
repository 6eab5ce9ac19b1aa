"""Words that every module shares. Imports nothing else of Pixelmine."""

from .gate import Cleared, PassPolicy, Policy, Withheld, clear
from .limits import Limits
from .reasons import FAILED, OK, PASSING, Reason

__all__ = [
    "FAILED",
    "OK",
    "PASSING",
    "Cleared",
    "Limits",
    "PassPolicy",
    "Policy",
    "Reason",
    "Withheld",
    "clear",
]
