"""Vectors to answers."""

from .answer import Head, softmax

__all__ = ["Head", "softmax"]
