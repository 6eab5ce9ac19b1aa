"""The collection: tables about pictures, in versions, safe against a killed or a second process."""

from .bytes import ByteStore
from .collection import Collection, is_collection
from .known import KnownPictures
from .query import find_split, good_images, labelled_pictures, split_parts, split_pictures
from .table import Table

__all__ = [
    "ByteStore",
    "Collection",
    "KnownPictures",
    "Table",
    "find_split",
    "good_images",
    "is_collection",
    "labelled_pictures",
    "split_parts",
    "split_pictures",
]
