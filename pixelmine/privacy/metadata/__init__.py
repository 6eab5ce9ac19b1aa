"""A picture with nothing in its file but what is needed to show it."""

from .strip import strip
from .stripped import Allowed, Stripped

__all__ = ["Allowed", "Stripped", "strip"]
