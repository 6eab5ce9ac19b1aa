"""How a share is written for people."""

__all__ = ["percent", "points"]


def percent(share: float) -> str:
    """A share, 0 to 1, with one decimal; never rounded up to all or down to nothing."""
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"


def points(difference: float) -> str:
    """A difference of two shares, -1 to 1, in points of a hundred: `1.2`."""
    return f"{100 * difference:.1f}".replace("-0.0", "0.0")
