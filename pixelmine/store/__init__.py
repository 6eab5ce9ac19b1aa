"""The collection: tables about pictures, in versions, safe against a killed or a second process."""

from .bytes import ByteStore
from .collection import Collection, is_collection
from .query import find_split, labelled_pictures, split_parts
from .table import Table

__all__ = [
    "ByteStore",
    "Collection",
    "Table",
    "find_split",
    "is_collection",
    "labelled_pictures",
    "split_parts",
]
