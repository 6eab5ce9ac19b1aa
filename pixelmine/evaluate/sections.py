"""What a report can hold, one dataclass a section.

`metrics.Evaluation` is one more. Pictures and rows of results come through the release gate alone
(`core.gate`); plain text fields are what the caller has cleared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pixelmine.core.errors import UsageError
from pixelmine.core.gate import Cleared
from pixelmine.core.reasons import Reason

from .interval import Rate

__all__ = [
    "Gallery",
    "Headline",
    "History",
    "Mistakes",
    "Pile",
    "Provenance",
]


@dataclass(frozen=True, kw_only=True)
class Pile:
    """How many pictures there were, and how many failed for which reason."""

    pictures: int
    failed: Mapping[Reason, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.total_failed > self.pictures:
            raise UsageError(
                f"{self.total_failed} pictures failed of {self.pictures}: counts must reconcile."
            )

    @property
    def total_failed(self) -> int:
        """All reasons together."""
        return sum(self.failed.values())


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What to know first.

    `accuracy`: None where the truth is not known; of `several` labels a picture the share of
    pictures all of whose labels are right.
    """

    model: str
    pile: Pile
    accuracy: Rate | None = None
    several: bool = False


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Recognised pictures.

    `rows`: `core.schema.RESULTS`, of which `uri`, `member`, `top` and `decision` are read.
    `thumbnails`: one a row, uint8 (H, W, 3) RGB, any size.
    """

    rows: Cleared[pa.RecordBatch]
    thumbnails: tuple[Cleared[np.ndarray], ...]

    def __post_init__(self) -> None:
        _check_cleared(self.rows, self.thumbnails)


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """Wrong answers, the most confident first.

    `rows`: `uri`, `truth`, `answer` (strings) and `probability` (float, of the answer).
    `thumbnails`: one a row, uint8 (H, W, 3) RGB, any size.
    """

    rows: Cleared[pa.RecordBatch]
    thumbnails: tuple[Cleared[np.ndarray], ...]

    def __post_init__(self) -> None:
        _check_cleared(self.rows, self.thumbnails)


@dataclass(frozen=True, kw_only=True)
class History:
    """One value an epoch, as `models.card.Training.history` holds them.

    `series`: any of `accuracy`, `loss` (trained on) and `val_accuracy`, `val_loss` (held back);
    others are not drawn. `best_epoch`: the one kept, counted from 1.
    """

    series: Mapping[str, list[float]]
    best_epoch: int

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.series.values()}
        if len(lengths) != 1:
            raise UsageError(f"every series must have a value an epoch. Got lengths {lengths}.")
        if not 1 <= self.best_epoch <= self.epochs:
            raise UsageError(
                f"best_epoch must be 1 to {self.epochs}. Got {self.best_epoch} instead."
            )

    @property
    def epochs(self) -> int:
        """How many there were."""
        return len(next(iter(self.series.values())))


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How the report came about: enough to make it again. What is None or empty is left out.

    `date`: ISO 8601. `versions`: of the software, by name. `commands`: as typed.
    """

    date: str
    model_digest: str | None = None
    data_digest: str | None = None
    split_id: str | None = None
    recipe: str | None = None
    seed: int | None = None
    licence: str | None = None
    machine: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()


def _check_cleared(
    rows: Cleared[pa.RecordBatch], thumbnails: tuple[Cleared[np.ndarray], ...]
) -> None:
    if not all(isinstance(item, Cleared) for item in (rows, *thumbnails)):
        raise TypeError("A report takes only what core.clear(item, policy) let through.")
    if rows.item.num_rows != len(thumbnails):
        raise UsageError(
            f"each row needs its thumbnail. Got {rows.item.num_rows} rows and "
            f"{len(thumbnails)} thumbnails."
        )
