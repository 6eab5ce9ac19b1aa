"""P-values of several tests at once.

Holm's step-down method keeps the chance of any false finding at the level chosen: S. Holm, "A
simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979),
65-70.
"""

from collections.abc import Sequence

__all__ = ["LEVEL", "holm"]

LEVEL = 0.05
"""A corrected p-value below it is called a difference."""


def holm(p_values: Sequence[float]) -> list[float]:
    """The corrected p-values, in the order given: to be compared with the level as they are."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
