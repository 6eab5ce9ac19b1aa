"""How a share is written for people."""

__all__ = ["percent"]


def percent(share: float) -> str:
    """A share, 0 to 1, with one decimal; never rounded up to all or down to nothing."""
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"
