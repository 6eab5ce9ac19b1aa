"""Answers to somewhere: start, write, finish."""

from .caller import CallerSink
from .file import FileSink, Reasons, Sink
from .formats import FORMATS, json_rows
from .results import recognised_schema, result_rows

__all__ = [
    "FORMATS",
    "CallerSink",
    "FileSink",
    "Reasons",
    "Sink",
    "json_rows",
    "recognised_schema",
    "result_rows",
]
