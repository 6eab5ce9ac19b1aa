"""Pixels to vectors."""

from typing import TYPE_CHECKING, Any

from .feature import FEATURES, Feature, feature_fields
from .vector import (
    VECTOR_FEATURES,
    VectorFeature,
    describe,
    describe_many,
    to_card,
    vector_features_from_card,
)

if TYPE_CHECKING:
    from .embedding import extract

__all__ = [
    "FEATURES",
    "VECTOR_FEATURES",
    "Feature",
    "VectorFeature",
    "describe",
    "describe_many",
    "extract",
    "feature_fields",
    "to_card",
    "vector_features_from_card",
]


def __getattr__(name: str) -> Any:
    """Import `extract` when it is first used: decoding processes need no runtime."""
    if name != "extract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .embedding import extract

    return extract
