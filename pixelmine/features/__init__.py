"""Pixels to vectors."""

from typing import TYPE_CHECKING, Any

from .feature import FEATURES, Feature, feature_fields

if TYPE_CHECKING:
    from .embedding import extract

__all__ = ["FEATURES", "Feature", "extract", "feature_fields"]


def __getattr__(name: str) -> Any:
    """Import `extract` when it is first used: decoding processes need no runtime."""
    if name != "extract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .embedding import extract

    return extract
