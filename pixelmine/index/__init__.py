"""Neighbours: arrays in, pairs out."""

from .groups import components, spanning_forest
from .hamming import distinct, near_pair_blocks, near_pairs
from .neighbours import Nearest, nearest

__all__ = [
    "Nearest",
    "components",
    "distinct",
    "near_pair_blocks",
    "near_pairs",
    "nearest",
    "spanning_forest",
]
