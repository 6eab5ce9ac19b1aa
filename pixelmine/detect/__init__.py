"""Find what may show who someone is, in pixels: faces, text and plates. Arrays in, boxes out."""

from .box import Box, Found, Verdict
from .faces import FaceDetector

__all__ = ["Box", "FaceDetector", "Found", "Verdict"]
