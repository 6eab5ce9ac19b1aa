"""Neighbours: arrays in, pairs out."""

from .groups import components, spanning_forest
from .hamming import distinct, near_pair_blocks, near_pairs

__all__ = ["components", "distinct", "near_pair_blocks", "near_pairs", "spanning_forest"]
