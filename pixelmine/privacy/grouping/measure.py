"""What a table keeps to: k-anonymity, l-diversity and t-closeness, measured as it is released.

k: rows of the smallest class, a class being the rows that agree in all quasi-identifiers (L.
Sweeney, "k-anonymity", 2002). l: different sensitive values in the poorest class (distinct
l-diversity: A. Machanavajjhala et al., 2007). t: the largest earth mover's distance between a
class's sensitive values and the whole released table's (N. Li et al., "t-closeness", ICDE 2007),
with equal distances between categories and, for numbers and times, the distance of their ranks.
Null is a value of its own. Of several sensitive columns the worst counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .values import Values, read_values

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Measured", "measure"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a table keeps to, and how many `classes` it has; all are 0 without rows.

    `l`, `t`: None without a sensitive column. `discernibility`: the sum of the squares of the
    classes' sizes (R. Bayardo, R. Agrawal, "Data privacy through optimal k-anonymization", 2005).
    """

    k: int
    l: int | None  # noqa: E741  # the field's name for it
    t: float | None
    classes: int
    discernibility: int

    def keeps(self, k: int, l: int | None, t: float | None) -> bool:  # noqa: E741  # as above
        """Whether it is at least as strict; t up to 1e-9, which sums of floats may be off by."""
        diverse = l is None or (self.l is not None and self.l >= l)
        return (
            self.k >= k and diverse and (t is None or (self.t is not None and self.t <= t + 1e-9))
        )


def measure(table: "pa.Table", quasi: Sequence[str], sensitive: Sequence[str] = ()) -> Measured:
    """Measure a table by its quasi-identifiers and sensitive columns; time grows as N log N."""
    if not table.num_rows:
        none = None if not sensitive else 0
        return Measured(k=0, l=none, t=none, classes=0, discernibility=0)
    classes = np.zeros(table.num_rows, np.int64)
    for name in quasi:
        values = read_values(table[name], name)
        _, classes = np.unique(classes * values.size + values.codes, return_inverse=True)
    sizes = np.bincount(classes)
    found = [_sensitive(classes, sizes, read_values(table[name], name)) for name in sensitive]
    return Measured(
        k=int(sizes.min()),
        l=min((diverse for diverse, _ in found), default=None),
        t=max((distance for _, distance in found), default=None),
        classes=len(sizes),
        discernibility=int((sizes.astype(np.int64) ** 2).sum()),
    )


def _sensitive(classes: np.ndarray, sizes: np.ndarray, values: Values) -> tuple[int, float]:
    """The least number of different values in a class, and the largest distance."""
    pairs, counts = np.unique(classes * values.size + values.codes, return_counts=True)
    where, value = np.divmod(pairs, values.size)
    diverse = int(np.bincount(where, minlength=len(sizes)).min())
    share = np.bincount(values.codes, minlength=values.size) / len(classes)
    distance = _ranks if values.ordered else _equal
    return diverse, float(distance(where, value, counts / sizes[where], share, len(sizes)).max())


def _equal(
    where: np.ndarray, value: np.ndarray, held: np.ndarray, share: np.ndarray, classes: int
) -> np.ndarray:
    """Half the sum of what the shares differ by; values a class lacks differ by all they have."""
    present = np.bincount(where, np.abs(held - share[value]), minlength=classes)
    lacking = 1 - np.bincount(where, share[value], minlength=classes)
    return (present + lacking) / 2


def _ranks(
    where: np.ndarray, value: np.ndarray, held: np.ndarray, share: np.ndarray, classes: int
) -> np.ndarray:
    """The mean difference of the two cumulated shares over all M values but the last.

    A class's cumulated share is level between the values it has, and the table's rises: each level
    stretch is summed from the table's prefix sums, below and above where the two cross.
    """
    size = len(share)
    if size == 1:
        return np.zeros(classes)
    cumulated = np.cumsum(share)
    prefix = np.concatenate(([0.0], np.cumsum(cumulated)))
    first = np.concatenate(([True], where[1:] != where[:-1]))
    last = np.append(first[1:], True)
    running = np.cumsum(held)
    level = running - (running - held)[first][np.cumsum(first) - 1]
    until = np.where(last, size, np.append(value[1:], size))
    cross = np.clip(np.searchsorted(cumulated, level, side="right"), value, until)
    stretch = level * (2 * cross - value - until)
    stretch += prefix[value] + prefix[until] - 2 * prefix[cross]
    before = np.where(first, prefix[value], 0)
    return np.bincount(where, stretch + before, minlength=classes) / (size - 1)
