"""The learning rate of a training, in one cycle over the whole of it (Smith 2018)."""

from typing import Any

import keras

__all__ = ["FINAL", "OneCycle"]

FINAL = 1e-3
"""The lowest rate, at both ends, in units of the highest."""


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """A rate that rises evenly to `peak` in the first `warm_up` of the cycle, and falls from there.

    How much of the cycle one step is may change from epoch to epoch (`cover`), so that the cycle
    ends when the time does. What it is set to is no variable of the optimizer, and is in no
    checkpoint: it follows from the history.
    """

    def __init__(self, peak: float, warm_up: float) -> None:
        self.peak, self.warm_up = peak, warm_up
        self._first = keras.Variable(0, dtype="int64", trainable=False, name="first")
        self._start = keras.Variable(0.0, trainable=False, name="start")
        self._slope = keras.Variable(0.0, trainable=False, name="slope")

    def cover(self, first: int, steps: int, start: float, end: float) -> None:
        """From step `first` on, let `steps` steps go from `start` to `end` of the cycle, 0 to 1."""
        self._first.assign(first)
        self._start.assign(start)
        self._slope.assign((end - start) / steps)

    def __call__(self, step: Any) -> Any:
        """The rate of a step, a scalar float32."""
        ops = keras.ops
        since = ops.cast(ops.cast(step, "int64") - self._first, "float32")
        done = self._start + since * self._slope
        rise, fall = done / self.warm_up, (1 - done) / (1 - self.warm_up)
        return self.peak * ops.maximum(ops.minimum(rise, fall), FINAL)

    def get_config(self) -> dict[str, Any]:
        """As Keras wants it."""
        return {"peak": self.peak, "warm_up": self.warm_up}
