"""A picture with nothing in its file but what is needed to show it."""

from .strip import strip
from .stripped import Allowed, Stripped
from .uids import keyed_uids

__all__ = ["Allowed", "Stripped", "keyed_uids", "strip"]
