"""Vectors to answers."""

from .answer import Head
from .calibration import softmax
from .learn import Asked, Learned, learn

__all__ = ["Asked", "Head", "Learned", "learn", "softmax"]
