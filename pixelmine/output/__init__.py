"""Answers to somewhere: start, write, flush, finish."""

from .caller import CallerSink
from .file import FileSink
from .folder import PartsFolderSink
from .formats import FORMATS, json_rows
from .partitioned import PARTITIONS, PartitionedSink
from .place import SINKS, canonical_out, is_url, open_sink
from .results import recognised_schema, result_rows
from .sink import Delivered, Reasons, Sink

__all__ = [
    "FORMATS",
    "PARTITIONS",
    "SINKS",
    "CallerSink",
    "Delivered",
    "FileSink",
    "PartitionedSink",
    "PartsFolderSink",
    "Reasons",
    "Sink",
    "canonical_out",
    "is_url",
    "json_rows",
    "open_sink",
    "places",
    "recognised_schema",
    "result_rows",
]
