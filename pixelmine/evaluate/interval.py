"""A share of pictures, with how far it can be trusted.

The interval is Wilson's: E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", Journal of the American Statistical Association 22 (1927), 209-212. It stays inside 0
and 1 and holds its 95 % for few pictures and for shares near 0 and 1, where the usual one does not:
L. D. Brown, T. T. Cai, A. DasGupta, Statistical Science 16 (2001), 101-133.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from pixelmine.core.errors import UsageError

__all__ = ["Estimate", "Rate", "share", "wilson"]

Z_95 = 1.959963984540054
"""The normal quantile that leaves 2.5 % on either side."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`hits` of `pictures`, at least one picture."""

    hits: int
    pictures: int

    def __post_init__(self) -> None:
        if not (self.pictures > 0 and 0 <= self.hits <= self.pictures):
            raise UsageError(
                "a rate needs at least one picture, and 0 to that many hits. "
                f"Got {self.hits} of {self.pictures} instead."
            )

    @property
    def value(self) -> float:
        """The share itself, 0 to 1."""
        return self.hits / self.pictures

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return wilson(self.hits, self.pictures)[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return wilson(self.hits, self.pictures)[1]

    def to_dict(self) -> dict[str, float]:
        """JSON-able: value, low, high, hits, pictures."""
        low, high = wilson(self.hits, self.pictures)
        return {
            "value": self.value,
            "low": low,
            "high": high,
            "hits": self.hits,
            "pictures": self.pictures,
        }


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure that is no share, with its 95 % interval; None where that was not computed."""

    value: float
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """JSON-able: value, low, high."""
        return {"value": self.value, "low": self.low, "high": self.high}


def share(true: np.ndarray) -> Rate:
    """How many of (N,) bool are true, N >= 1."""
    return Rate(hits=int(true.sum()), pictures=len(true))


def wilson(hits: int, pictures: int) -> tuple[float, float]:
    """The ends of the 95 % interval of `hits` of `pictures`, both 0 to 1."""
    share = hits / pictures
    spread = Z_95**2 / pictures
    middle = share + spread / 2
    half = sqrt(spread * (share * (1 - share) + spread / 4))
    low = 0.0 if hits == 0 else (middle - half) / (1 + spread)
    high = 1.0 if hits == pictures else (middle + half) / (1 + spread)
    return low, high
