"""Pixels to vectors."""

from .embedding import extract

__all__ = ["extract"]
