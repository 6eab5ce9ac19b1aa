"""Where pictures come from: every source yields rows to read, and `read` gives their bytes."""

from .folder import list_folder
from .idx import is_idx_folder, read_part
from .labelled import Labelled, many
from .open import SOURCES, STREAMS, open_source
from .read import must_keep, read, read_file
from .source import Feed, Source, SourceOptions

__all__ = [
    "SOURCES",
    "STREAMS",
    "Feed",
    "Labelled",
    "Source",
    "SourceOptions",
    "is_idx_folder",
    "list_folder",
    "many",
    "must_keep",
    "open_source",
    "read",
    "read_file",
    "read_part",
]
