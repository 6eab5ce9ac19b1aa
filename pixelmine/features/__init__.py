"""Pixels to vectors."""

from .embedding import extract
from .feature import FEATURES, Feature, feature_fields

__all__ = ["FEATURES", "Feature", "extract", "feature_fields"]
