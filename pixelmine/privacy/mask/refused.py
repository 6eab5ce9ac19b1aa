"""Why a JPEG cannot be masked in its coefficients."""

__all__ = ["RefusedError"]


class RefusedError(Exception):
    """The file is broken, or of a kind that is not taken apart here; the text says which."""
