"""What each epoch came to, and which was the best."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

__all__ = ["Epoch", "History"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch's figures.

    Losses are means of the cross-entropy in nats; accuracies are from 0 to 1. `seconds`: of
    training and of looking at the held-back pictures together.
    """

    loss: float
    accuracy: float
    held_back_loss: float
    held_back_accuracy: float
    seconds: float

    @property
    def rank(self) -> tuple[float, float]:
        """Higher is better: held-back accuracy, and of equal ones the lower held-back loss."""
        return (self.held_back_accuracy, -self.held_back_loss)


@dataclass(frozen=True)
class History:
    """The epochs so far, in order."""

    epochs: tuple[Epoch, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.epochs)

    def plus(self, epoch: Epoch) -> Self:
        """With one more epoch."""
        return type(self)((*self.epochs, epoch))

    @property
    def best(self) -> int:
        """Index of the best epoch, from 0; of equal ones the first."""
        return max(range(len(self.epochs)), key=lambda index: self.epochs[index].rank)

    @property
    def seconds(self) -> float:
        """Of all epochs together."""
        return sum(epoch.seconds for epoch in self.epochs)

    def for_card(self) -> dict[str, list[float]]:
        """As `card.training.history`, under Keras's names."""
        return {
            "loss": [round(epoch.loss, 6) for epoch in self.epochs],
            "accuracy": [round(epoch.accuracy, 6) for epoch in self.epochs],
            "val_loss": [round(epoch.held_back_loss, 6) for epoch in self.epochs],
            "val_accuracy": [round(epoch.held_back_accuracy, 6) for epoch in self.epochs],
        }

    def is_over(self, epochs: int, patience: int | None, minutes: float | None) -> bool:
        """Whether to stop here.

        After `epochs`; after `patience` epochs without a better one; or where one more epoch as
        long as the mean of those before would end after `minutes`.
        """
        done = len(self.epochs)
        if done == 0:
            return False
        if done >= epochs or (patience is not None and done - 1 - self.best >= patience):
            return True
        return minutes is not None and self.seconds * (done + 1) / done > 60 * minutes

    def columns(self) -> dict[str, list[float]]:
        """One list for each field of an epoch."""
        names = Epoch.__dataclass_fields__
        return {name: [float(asdict(e)[name]) for e in self.epochs] for name in names}

    @classmethod
    def from_columns(cls, columns: Mapping[str, list[float]]) -> Self:
        """Inverse of `columns`."""
        rows = zip(*columns.values(), strict=True)
        return cls(tuple(Epoch(**dict(zip(columns, row, strict=True))) for row in rows))
