"""How to train."""

from dataclasses import dataclass
from pathlib import Path

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError
from pixelmine.preprocess import Normalise
from pixelmine.preprocess.augment import Augmentation, Mixing, mixes

from .checkpoint import Checkpoint
from .optimizer import Changes
from .precision import settle

__all__ = ["LoopOptions"]

_PICTURES_AT_A_TIME = 1024
"""That TensorFlow takes without coming back to Python. 32 batches of 32 pictures of 28x28 are .25 s
and give 5,000 pictures a second, where 1 batch gives 3,000 (two CPU cores, 2026-11-23); more bring
nothing. The weights do not depend on it."""


@dataclass(frozen=True, kw_only=True)
class LoopOptions(Changes):
    """How to train; of the optimizer and its learning rate, what `Changes` has.

    `job`: digest of everything that the weights depend on. `state`: the folder of the checkpoint
    that is written after each epoch; `checkpoint`: the one to go on from. `normalise`: what the
    network takes its pixels through. `augment`: what changes each training picture, and never a
    held-back one. `label_smoothing`: the share of a training label that goes evenly to all classes.
    `precision`: what the network computes in, of PRECISIONS. `epochs`, `patience`, `minutes`: as
    `History.is_over` has them. With one cycle, `epochs` may be None: as many as fit into `minutes`
    by the speed that is measured; the cycle ends with the time in any case. `steps_per_execution`:
    batches at a time, None as many as are 1,024 pictures. `tensorboard`: folder for event files.
    `balanced`: every class counts the same in the loss, however rare it is.
    """

    job: str
    state: Path
    checkpoint: Checkpoint | None
    normalise: Normalise
    seed: int
    loss: str
    batch_size: int
    epochs: int | None
    augment: tuple[Augmentation | Mixing, ...] = ()
    label_smoothing: float = 0.0
    precision: str = "float32"
    patience: int | None = None
    minutes: float | None = None
    steps_per_execution: int | None = None
    tensorboard: Path | None = None
    balanced: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_size", "epochs", "steps_per_execution"):
            if (value := getattr(self, name)) is not None:
                check_positive(name, value)
        if self.epochs is None and not self.follows_clock:
            raise UsageError("Without epochs, the schedule must be one_cycle, and minutes given.")
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(
                f"label_smoothing must be from 0 to below 1. Got {self.label_smoothing} instead."
            )
        object.__setattr__(self, "precision", settle(self.precision))

    @property
    def follows_clock(self) -> bool:
        """Whether the learning rate depends on how fast the training is."""
        return self.schedule == "one_cycle" and self.minutes is not None

    @property
    def soft(self) -> bool:
        """Whether training labels are shares of the classes, float32 (N, K)."""
        return self.label_smoothing > 0 or mixes(self.augment)

    @property
    def batches_at_a_time(self) -> int:
        """That TensorFlow takes without coming back to Python."""
        return self.steps_per_execution or max(1, _PICTURES_AT_A_TIME // self.batch_size)
