"""The one training loop. N pictures of (H, W, C) uint8, K classes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import TrainError
from pixelmine.preprocess import Normalise
from pixelmine.preprocess.augment import Augmentation, Mixing, mixes

from .augmented import AugmentedBatches, one_hot
from .checkpoint import Checkpoint, save
from .data import Examples
from .events import Events
from .history import Epoch, History

__all__ = ["LoopOptions", "epoch_order", "fit"]

_EVALUATION_BATCH = 512


@dataclass(frozen=True, kw_only=True)
class LoopOptions:
    """How to train.

    `job`: digest of everything that the weights depend on. `state`: the folder of the checkpoint
    that is written after each epoch; `checkpoint`: the one to go on from. `normalise`: what the
    network takes its pixels through. `augment`: what changes each training picture, and never a
    held-back one. `patience`, `minutes`: as `History.is_over` has them.
    `steps_per_execution`: batches that TensorFlow runs without coming back to Python. 32 batches
    of 32 are .25 s, and give 5,000 pictures of 28x28 a second where 1 gives 3,000 (two CPU cores,
    2026-11-23); more bring nothing. The weights do not depend on it.
    """

    job: str
    state: Path
    checkpoint: Checkpoint | None
    normalise: Normalise
    seed: int
    optimizer: str
    loss: str
    batch_size: int
    epochs: int
    augment: tuple[Augmentation | Mixing, ...] = ()
    patience: int | None = None
    minutes: float | None = None
    steps_per_execution: int = 32

    def __post_init__(self) -> None:
        for name in ("batch_size", "epochs", "steps_per_execution"):
            check_positive(name, getattr(self, name))


def fit(
    build: Callable[[], Any],
    train: Examples,
    held_back: Examples,
    options: LoopOptions,
    events: Events,
) -> tuple[Any, History]:
    """Train what `build` makes; the network with the weights of its best epoch, and the history.

    The best epoch is that of the highest held-back accuracy, of equal ones that of the lowest
    held-back loss. The order of pictures in an epoch, and how they are augmented, depends on the
    seed and the epoch's number alone, and all else is in the checkpoint: a training that was
    stopped between two epochs ends with the same weights, to the bit, as one that was not (float32,
    the same machine and threads). Where an augmentation mixes labels, the loss is the categorical
    cross-entropy, and the accuracy of an epoch counts the label of the larger share.
    Raises TrainError where the loss is not finite.
    """
    keras.utils.set_random_seed(options.seed)
    network = build()
    trainer = _trainer(network, options)
    history, best = _restore(network, trainer, options, events)
    events.start("train", options.epochs * len(train))
    events.reach(len(history) * len(train))
    while not history.is_over(options.epochs, options.patience, options.minutes):
        epoch = _run_epoch(trainer, train, held_back, len(history), options, events)
        history = history.plus(epoch)
        if history.best == len(history) - 1:
            best = _values(network.variables)
        _save(network, trainer, best, history, options)
        _tell(history, len(train), options, events)
    events.finish()
    _assign(network.variables, best)
    return network, history


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """A permutation of `count` pictures, int64 (N,), another one for each epoch, from 0."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def _trainer(network: Any, options: LoopOptions) -> Any:
    """The network behind its normalisation, so that pixels stay uint8 until they are used."""
    normalise = options.normalise
    mean, std = (np.asarray(v, np.float32) for v in (normalise.mean, normalise.std))
    axis = -1 if mean.ndim or std.ndim else None
    trainer = keras.Sequential(
        [
            keras.Input(network.input_shape[1:], dtype="uint8"),
            keras.layers.Normalization(axis=axis, mean=mean, variance=std**2),
            network,
        ]
    )
    trainer.compile(
        optimizer=options.optimizer,
        loss="categorical_crossentropy" if mixes(options.augment) else options.loss,
        metrics=["accuracy"],
        steps_per_execution=options.steps_per_execution,
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _restore(
    network: Any, trainer: Any, options: LoopOptions, events: Events
) -> tuple[History, list[np.ndarray]]:
    found = options.checkpoint
    if found is None:
        return History(), []
    _assign(network.variables, found.network)
    _assign(trainer.optimizer.variables, found.optimizer)
    events.note(f"Goes on after epoch {len(found.history)} from the checkpoint in {options.state}.")
    return found.history, found.best


def _run_epoch(
    trainer: Any,
    train: Examples,
    held_back: Examples,
    number: int,
    options: LoopOptions,
    events: Events,
) -> Epoch:
    start = time.monotonic()
    order = epoch_order(options.seed, number, len(train))
    before = number * len(train)
    batch = options.batch_size
    progress = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, **_: events.reach(
            before + min((step + 1) * batch, len(train))
        )
    )
    how: dict[str, Any] = {"epochs": 1, "shuffle": False, "verbose": 0, "callbacks": [progress]}
    if options.augment:
        told = trainer.fit(
            AugmentedBatches(train, order, batch, options.augment, options.seed, number), **how
        ).history
    else:
        told = trainer.fit(train.x[order], train.y[order], batch_size=batch, **how).history
    y = one_hot(held_back.y, len(held_back.labels)) if mixes(options.augment) else held_back.y
    loss, accuracy = trainer.evaluate(held_back.x, y, batch_size=_EVALUATION_BATCH, verbose=0)
    if not np.isfinite([told["loss"][0], loss]).all():
        raise TrainError(
            f"The loss is no longer finite in epoch {number + 1}: training diverged. Look for "
            "pictures with wrong labels, or give another --seed with --overwrite."
        )
    return Epoch(
        loss=told["loss"][0],
        accuracy=told["accuracy"][0],
        held_back_loss=loss,
        held_back_accuracy=accuracy,
        seconds=time.monotonic() - start,
    )


def _save(
    network: Any, trainer: Any, best: list[np.ndarray], history: History, options: LoopOptions
) -> None:
    checkpoint = Checkpoint(
        job=options.job,
        history=history,
        network=_values(network.variables),
        optimizer=_values(trainer.optimizer.variables),
        best=best,
    )
    save(options.state, checkpoint)


def _tell(history: History, pictures: int, options: LoopOptions, events: Events) -> None:
    epoch = history.epochs[-1]
    events.send(
        "epoch",
        epoch=len(history),
        epochs=options.epochs,
        loss=round(epoch.loss, 6),
        accuracy=round(epoch.accuracy, 6),
        held_back_loss=round(epoch.held_back_loss, 6),
        held_back_accuracy=round(epoch.held_back_accuracy, 6),
        best_epoch=history.best + 1,
        seconds=round(epoch.seconds, 2),
        images_per_s=round(pictures / epoch.seconds, 1),
    )


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
