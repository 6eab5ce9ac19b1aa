"""What changes the weights, by which rate, and what is made of them in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import UsageError

from .one_cycle import OneCycle

__all__ = ["OPTIMIZERS", "SCHEDULES", "Changes", "averaged", "make_optimizer", "make_rate"]

OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "one_cycle")
_NOT_DECAYED = ["bias", "gamma", "beta"]
_BETA_2 = 0.99
"""Of AdamW: a memory of 100 steps for a gradient's size. Keras's .999 is for 100,000 steps."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How weights change.

    `optimizer`: `adam`, or `adamw`, which takes `weight_decay` times the learning rate off kernels,
    never off biases and norms (Loshchilov 2019). `learning_rate`: the highest. `schedule`: the rate
    stays, or goes through one cycle, in the first `warm_up` of which it rises. `average`: what a
    running average of the weights keeps of itself at each step (None: there is none). The average
    is what is measured on held-back pictures and given in the end.
    """

    optimizer: str
    learning_rate: float = 0.001
    schedule: str = "constant"
    warm_up: float = 0.25
    weight_decay: float = 0.0
    average: float | None = None

    def __post_init__(self) -> None:
        check_one_of("optimizer", self.optimizer, OPTIMIZERS)
        check_one_of("schedule", self.schedule, SCHEDULES)
        check_positive("learning_rate", self.learning_rate)
        if not 0 < self.warm_up < 1:
            raise UsageError(f"warm_up must be above 0 and below 1. Got {self.warm_up} instead.")
        if self.weight_decay < 0 or (self.weight_decay and self.optimizer != "adamw"):
            raise UsageError(
                "weight_decay must be 0, or more with the optimizer adamw. "
                f"Got {self.weight_decay} with {self.optimizer} instead."
            )
        if self.average is not None and not 0 < self.average < 1:
            raise UsageError(f"average must be above 0 and below 1. Got {self.average} instead.")


class _Own:
    """What Keras's optimizers do differently here.

    A variable's attribute `rate`, where it has one, is its share of the learning rate. The end of
    `fit` leaves the weights as they are and does not put their average in: the loop calls it once
    an epoch, and each goes on from the weights of the one before.
    """

    def build(self, variables: list[Any]) -> None:
        """Get ready for these variables."""
        self._rates = [getattr(variable, "rate", 1.0) for variable in variables]
        super().build(variables)  # type: ignore[misc]  # of what it is mixed into

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable, given as TensorFlow's own."""
        rate = self._rates[self._get_variable_index(variable)]  # type: ignore[attr-defined]  # likewise
        super().update_step(gradient, variable, learning_rate * rate)  # type: ignore[misc]  # likewise

    def finalize_variable_values(self, var_list: list[Any]) -> None:
        """Change nothing."""

    def give_average(self, variables: list[Any]) -> None:
        """Put the average into the trainable variables."""
        super().finalize_variable_values(variables)  # type: ignore[misc]  # likewise


class Adam(_Own, keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
    """Adam (Kingma 2015)."""


class AdamW(_Own, keras.optimizers.AdamW):  # type: ignore[misc]  # Keras has no types
    """Adam with decoupled weight decay."""


def make_rate(changes: Changes) -> float | OneCycle:
    """The learning rate: a number where it stays."""
    if changes.schedule == "one_cycle":
        return OneCycle(changes.learning_rate, changes.warm_up)
    return changes.learning_rate


def make_optimizer(changes: Changes, rate: float | OneCycle) -> Any:
    """A Keras optimizer, not yet built."""
    average = {"use_ema": changes.average is not None, "ema_momentum": changes.average or 0.0}
    if changes.optimizer == "adam":
        return Adam(rate, **average)
    made = AdamW(rate, weight_decay=changes.weight_decay, beta_2=_BETA_2, **average)
    made.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    return made


@contextmanager
def averaged(trainer: Any) -> Iterator[None]:
    """With the average in place of the weights, where there is one; afterwards as they were."""
    optimizer = trainer.optimizer
    if not optimizer.use_ema:
        yield
        return
    variables = trainer.trainable_variables
    own = [np.array(variable.numpy()) for variable in variables]
    optimizer.give_average(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)
