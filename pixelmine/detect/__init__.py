"""Find what may show who someone is, in pixels: faces, text and plates. Arrays in, boxes out."""

from .box import Box, Found, Verdict

__all__ = ["Box", "Found", "Verdict"]
