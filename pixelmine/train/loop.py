"""The one training loop. N pictures of (H, W, C) uint8, K classes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from pixelmine.core.errors import TrainError

from .augmented import AugmentedBatches
from .checkpoint import Checkpoint, save
from .data import Examples
from .events import Events
from .history import Epoch, History
from .loop_options import LoopOptions
from .one_cycle import OneCycle
from .optimizer import averaged, make_optimizer, make_rate
from .pixels import bounded_batch
from .precision import build_in
from .tensorboard import write_epoch

__all__ = ["LoopOptions", "chooses_by_loss", "epoch_order", "epoch_seconds", "fit"]

_EVALUATION_BATCH = 512
_PROBE_CALLS = 4


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What stays the same from epoch to epoch. `network`: what is trained, inside of `trainer`.

    `rate`: of the optimizer; None where it stays.
    """

    network: Any
    trainer: Any
    rate: OneCycle | None
    train: Examples
    held_back: Examples
    options: LoopOptions
    events: Events
    weights: np.ndarray | None


def fit(
    build: Callable[[], Any],
    train: Examples,
    held_back: Examples,
    options: LoopOptions,
    events: Events,
    guess_s: float | None = None,
) -> tuple[Any, History]:
    """Train what `build` makes; the network with the weights of its best epoch, and the history.

    `guess_s`: seconds that an epoch takes, where that is known and the rate follows the clock.

    The best epoch is that of the highest held-back accuracy, of equal ones that of the lowest
    held-back loss; where pictures may have several labels, or classes are balanced, that of the
    lowest loss. The weights are the averaged ones where there are. The order of pictures in an
    epoch, and how they are augmented, depends on the seed and the epoch's number alone, and all
    else is in the checkpoint: a training that was stopped between two epochs ends with the same
    weights, to the bit, as one that was not (float32, the same machine and threads, and no
    `minutes`, by which the rate follows the clock). Where labels are mixed or smoothed, the loss is
    the categorical cross-entropy, and the accuracy of an epoch counts the label of the largest
    share. With several labels it is the mean binary cross-entropy, and counts the pictures all of
    whose labels are right. Raises TrainError where the loss is not finite.
    """
    run = _begin(build, train, held_back, options, events)
    network = run.network
    history, best = _restore(run)
    history = replace(history, by_loss=chooses_by_loss(train, options))
    if guess_s is None and options.follows_clock and not history:
        guess_s = _probe(run)
    events.start("train", options.epochs * len(train) if options.epochs else None)
    events.reach(len(history) * len(train))
    while not history.is_over(options.epochs, options.patience, options.minutes):
        epoch, values = _run_epoch(run, history, guess_s)
        history = history.plus(epoch)
        if history.best == len(history) - 1:
            best = values
        _save(run, best, history)
        _tell(run, history)
    events.finish()
    if options.precision != "float32":
        network = build()
    _assign(network.variables, best)
    return network, history


def epoch_seconds(
    build: Callable[[], Any],
    train: Examples,
    held_back: Examples,
    options: LoopOptions,
    events: Events,
) -> float:
    """About how many seconds an epoch of what `build` makes takes, from a few batches."""
    return _probe(_begin(build, train, held_back, options, events))


def _begin(
    build: Callable[[], Any],
    train: Examples,
    held_back: Examples,
    options: LoopOptions,
    events: Events,
) -> _Run:
    keras.utils.set_random_seed(options.seed)
    network = build_in(options.precision, build)
    rate = make_rate(options)
    return _Run(
        network=network,
        trainer=_trainer(network, rate, options, train.multi),
        rate=rate if isinstance(rate, OneCycle) else None,
        train=train,
        held_back=held_back,
        options=options,
        events=events,
        weights=_even(train) if options.balanced else None,
    )


def _even(train: Examples) -> np.ndarray:
    """What a picture of each class counts, float32 (K,), so that all classes count the same.

    A picture of the training counts 1 on average.
    """
    there = np.maximum(train.counts, 1)
    return np.asarray(len(train) / ((train.counts > 0).sum() * there), np.float32)


def chooses_by_loss(train: Examples, options: LoopOptions) -> bool:
    """Whether the best epoch is that of the lowest loss, and not of the highest accuracy."""
    return train.multi or options.balanced


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """A permutation of `count` pictures, int64 (N,), another one for each epoch, from 0."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def _trainer(network: Any, rate: float | OneCycle, options: LoopOptions, multi: bool) -> Any:
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
    loss = "categorical_crossentropy" if options.soft else options.loss
    trainer.compile(
        optimizer=make_optimizer(options, rate),
        loss="binary_crossentropy" if multi else loss,
        metrics=[keras.metrics.MeanMetricWrapper(_all_right, "accuracy") if multi else "accuracy"],
        steps_per_execution=options.batches_at_a_time,
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _all_right(y: Any, probabilities: Any) -> Any:
    """(N, K) both: 1 where each label is on its right side of .5, float32 (N,)."""
    ops = keras.ops
    return ops.cast(ops.all(ops.equal(y >= 0.5, probabilities >= 0.5), axis=-1), "float32")


def _restore(run: _Run) -> tuple[History, list[np.ndarray]]:
    found = run.options.checkpoint
    if found is None:
        return History(), []
    _assign(run.network.variables, found.network)
    _assign(run.trainer.optimizer.variables, found.optimizer)
    run.events.note(
        f"Goes on after epoch {len(found.history)} from the checkpoint in {run.options.state}."
    )
    return found.history, found.best


def _probe(run: _Run) -> float:
    """Seconds of an epoch, by a few batches; the weights stay as they are."""
    variables = [*run.network.variables, *run.trainer.optimizer.variables]
    before = _values(variables)
    pictures = min(
        len(run.train), _PROBE_CALLS * run.options.batches_at_a_time * run.options.batch_size
    )
    for _ in range(2):  # the first time, TensorFlow gets ready
        start = time.monotonic()
        _train(run, np.arange(pictures), 0, [])
    seconds = time.monotonic() - start
    _assign(variables, before)
    # a held-back picture goes forward alone, a third of the work
    return seconds / pictures * (len(run.train) + len(run.held_back) / 3)


def _run_epoch(
    run: _Run, history: History, guess_s: float | None
) -> tuple[Epoch, list[np.ndarray]]:
    """One epoch's figures, and the network's variables that they were measured with."""
    start = time.monotonic()
    number, options, progress = len(history), run.options, 0.0
    if run.rate:
        progress = history.reach(history.left(options.epochs, options.minutes, guess_s))
        _schedule(run, run.rate, history.progress, progress)
    order = epoch_order(options.seed, number, len(run.train))
    loss, accuracy = _train(run, order, number, [_progress(run, number * len(order))])
    with averaged(run.trainer):
        held_back_loss, held_back_accuracy = _evaluate(run)
        values = _values(run.network.variables)
    if not np.isfinite([loss, held_back_loss]).all():
        raise TrainError(
            f"The loss is no longer finite in epoch {number + 1}: training diverged. Look for "
            "pictures with wrong labels, or give another --seed with --overwrite."
        )
    epoch = Epoch(
        loss=loss,
        accuracy=accuracy,
        held_back_loss=held_back_loss,
        held_back_accuracy=held_back_accuracy,
        seconds=time.monotonic() - start,
        progress=progress,
    )
    return epoch, values


def _schedule(run: _Run, rate: OneCycle, start: float, end: float) -> None:
    """Let the learning rate cover from `start` to `end` of its cycle in the next epoch."""
    first = int(run.trainer.optimizer.iterations.numpy())
    rate.cover(first, -(-len(run.train) // run.options.batch_size), start, end)


def _progress(run: _Run, before: int) -> Any:
    """A callback that says how many pictures are done, `before` of them in earlier epochs."""
    batch, pictures = run.options.batch_size, len(run.train)
    return keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, **_: run.events.reach(
            before + min((step + 1) * batch, pictures)
        )
    )


def _train(run: _Run, order: np.ndarray, number: int, callbacks: list[Any]) -> tuple[float, float]:
    """Loss and accuracy of epoch `number` over the pictures in this order."""
    options = run.options
    batches = AugmentedBatches(
        run.train,
        order,
        options.batch_size,
        options.augment,
        options.seed,
        number,
        options.label_smoothing if options.soft else None,
        run.weights,
    )
    told = run.trainer.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=callbacks).history
    return told["loss"][0], told["accuracy"][0]


def _evaluate(run: _Run) -> tuple[float, float]:
    """Loss and accuracy on the held-back pictures, as they are, with their labels as they are."""
    held, smoothing = run.held_back, 0.0 if run.options.soft else None
    batch, order = bounded_batch(held.x, _EVALUATION_BATCH), np.arange(len(held))
    batches = AugmentedBatches(held, order, batch, (), 0, 0, smoothing, run.weights)
    loss, accuracy = run.trainer.evaluate(batches, verbose=0)
    return loss, accuracy


def _save(run: _Run, best: list[np.ndarray], history: History) -> None:
    checkpoint = Checkpoint(
        job=run.options.job,
        history=history,
        network=_values(run.network.variables),
        optimizer=_values(run.trainer.optimizer.variables),
        best=best,
    )
    save(run.options.state, checkpoint)


def _tell(run: _Run, history: History) -> None:
    epoch, options = history.epochs[-1], run.options
    if options.tensorboard:
        write_epoch(options.tensorboard, len(history) - 1, epoch)
    left = history.left(options.epochs, options.minutes, None)
    run.events.send(
        "epoch",
        epoch=len(history),
        epochs=options.epochs or len(history) + (0 if epoch.progress >= 1 else left),
        loss=round(epoch.loss, 6),
        accuracy=round(epoch.accuracy, 6),
        held_back_loss=round(epoch.held_back_loss, 6),
        held_back_accuracy=round(epoch.held_back_accuracy, 6),
        best_epoch=history.best + 1,
        seconds=round(epoch.seconds, 2),
        images_per_s=round(len(run.train) / epoch.seconds, 1),
    )


def _values(variables: list[Any]) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]


def _assign(variables: list[Any], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
