"""What each epoch came to, and which was the best."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Self

__all__ = ["Epoch", "History"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch's figures.

    Losses are means of the cross-entropy in nats; accuracies are from 0 to 1, of several labels a
    picture the share of pictures all of whose labels are right. `seconds`: of training and of
    looking at the held-back pictures together. `progress`: how much of the cycle of the learning
    rate was done at its end, from 0 to 1; 0 where the rate stays.
    """

    loss: float
    accuracy: float
    held_back_loss: float
    held_back_accuracy: float
    seconds: float
    progress: float = 0.0


@dataclass(frozen=True)
class History:
    """The epochs so far, in order. `by_loss`: the best is that of the lowest held-back loss."""

    epochs: tuple[Epoch, ...] = field(default=())
    by_loss: bool = False

    def __len__(self) -> int:
        return len(self.epochs)

    def plus(self, epoch: Epoch) -> Self:
        """With one more epoch."""
        return replace(self, epochs=(*self.epochs, epoch))

    @property
    def best(self) -> int:
        """Index of the best epoch, from 0; of equal ones the first."""
        return max(range(len(self.epochs)), key=lambda index: self._rank(self.epochs[index]))

    def _rank(self, epoch: Epoch) -> tuple[float, ...]:
        """Higher is better: held-back accuracy, and of equal ones the lower held-back loss."""
        loss = -epoch.held_back_loss
        return (loss,) if self.by_loss else (epoch.held_back_accuracy, loss)

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

    @property
    def progress(self) -> float:
        """How much of the cycle of the learning rate is done."""
        return self.epochs[-1].progress if self.epochs else 0.0

    @property
    def whole(self) -> int | None:
        """How many epochs the cycle has that was begun; None where the rate stays."""
        return round(len(self) / self.progress) if self.progress else None

    def is_over(self, epochs: int | None, patience: int | None, minutes: float | None) -> bool:
        """Whether to stop here.

        After `epochs`, or the whole cycle; after `patience` epochs without a better one; or where
        one more epoch as long as the mean of those before would end after `minutes`.
        """
        done = len(self.epochs)
        if done == 0:
            return False
        if self.progress >= 1 or (epochs is not None and done >= epochs):
            return True
        if patience is not None and done - 1 - self.best >= patience:
            return True
        return minutes is not None and self.seconds * (done + 1) / done > 60 * minutes

    def left(self, epochs: int | None, minutes: float | None, guess_s: float | None) -> int:
        """How many epochs there are still to be, at least 1, before `epochs` and `minutes` are up.

        One of the two must be given. `guess_s`: seconds of an epoch, as long as none is done.
        """
        done = len(self.epochs)
        limits = [] if epochs is None else [epochs - done]
        each = self.seconds / done if done else guess_s
        if minutes is not None and each:
            limits.append(int((60 * minutes - self.seconds) / each))
        return max(1, min(limits))

    def reach(self, left: int) -> float:
        """How much of the cycle is to be done after the next of `left` epochs."""
        return 1.0 if left == 1 else self.progress + (1 - self.progress) / left

    def columns(self) -> dict[str, list[float]]:
        """One list for each field of an epoch."""
        names = Epoch.__dataclass_fields__
        return {name: [float(asdict(e)[name]) for e in self.epochs] for name in names}

    @classmethod
    def from_columns(cls, columns: Mapping[str, list[float]]) -> Self:
        """Inverse of `columns`."""
        rows = zip(*columns.values(), strict=True)
        return cls(tuple(Epoch(**dict(zip(columns, row, strict=True))) for row in rows))
