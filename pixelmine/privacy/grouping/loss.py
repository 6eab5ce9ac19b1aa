"""What a quasi-identifier says less than before."""

from dataclasses import dataclass

import numpy as np

from .axes import ANYTHING, Axis

__all__ = ["ColumnLoss", "Released", "release"]


@dataclass(frozen=True, kw_only=True)
class ColumnLoss:
    """Of one quasi-identifier, over the rows that are kept.

    `values`: different ones that are released; `before`: that there were. `lost`: the mean part of
    the column's range that a released value stands for (normalised certainty penalty), 0 (exact) to
    1 (says nothing). `exact`: the share of rows whose value is what it was.
    """

    name: str
    values: int
    before: int
    lost: float
    exact: float

    @property
    def one_value(self) -> bool:
        """Whether the column says the same of every row, and did not before."""
        return self.values == 1 and self.before > 1


@dataclass(frozen=True, kw_only=True)
class Released:
    """`names`: what is released of each group, (G,), as places in `texts`; None is null."""

    names: np.ndarray
    texts: list[str | None]
    loss: ColumnLoss


def release(name: str, axis: Axis, order: np.ndarray, starts: np.ndarray) -> Released:
    """Name the stretch that each group covers.

    `order`: places of the kept rows, group by group; `starts`: (G,), where each group begins in it.
    """
    codes = axis.codes[order]
    low, high = np.minimum.reduceat(codes, starts), np.maximum.reduceat(codes, starts)
    sizes = np.diff(np.append(starts, len(order)))
    stretches, which = np.unique(low.astype(np.int64) * len(axis.first) + high, return_inverse=True)
    ends = [divmod(int(stretch), len(axis.first)) for stretch in stretches]
    texts = [axis.name(*pair) for pair in ends]
    lost = np.array([axis.share(*pair) for pair in ends])[which]
    exact = np.array([axis.exact(*pair) for pair in ends])[which]
    loss = ColumnLoss(
        name=name,
        values=len(set(texts)),
        before=axis.different,
        lost=float(np.average(lost, weights=sizes)),
        exact=float(np.average(exact, weights=sizes)),
    )
    if set(texts) == {ANYTHING}:
        loss = ColumnLoss(**{**vars(loss), "lost": 1.0})
    return Released(names=which, texts=texts, loss=loss)
