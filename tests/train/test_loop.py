"""The loop in this process, with networks small enough to train in a second."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pixelmine.core.errors import TrainError
from pixelmine.preprocess import Normalise, Preprocessing
from pixelmine.preprocess.augment import CutMix, Mixup, RandomAffine, RandomFlip
from pixelmine.train.checkpoint import load
from pixelmine.train.data import Examples
from pixelmine.train.events import Events

COUNT, BATCH = 75, 32


@pytest.fixture
def options(keras: ModuleType, tmp_path: Path) -> Any:
    from pixelmine.train.loop import LoopOptions

    return LoopOptions(
        job="a",
        state=tmp_path / "run",
        checkpoint=None,
        normalise=Normalise(mean=0.0, std=255.0),
        seed=4,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        batch_size=BATCH,
        epochs=3,
    )


def examples(count: int, seed: int) -> Examples:
    """Pictures whose left or right half is bright."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, count)
    x = random.integers(0, 100, (count, 6, 6, 1)).astype(np.uint8)
    for picture, label in zip(x, y, strict=True):
        picture[:, 3 * label : 3 * label + 3] += 100
    return Examples(
        x=x,
        y=y.astype(np.int64),
        labels=["left", "right"],
        picture_ids=[f"{seed}-{i}" for i in range(count)],
        groups=[None] * count,
        part=["train"] * count,
        preprocessing=Preprocessing(),
    )


def network(keras: ModuleType) -> Any:
    """With dropout, whose random state must be kept too, and batch normalisation."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )


def trained(keras: ModuleType, options: Any, events: Events) -> tuple[list[np.ndarray], Any]:
    from pixelmine.train.loop import fit

    found, history = fit(
        lambda: network(keras), examples(COUNT, 1), examples(20, 2), options, events
    )
    return found.get_weights(), history


def test_the_last_partial_batch_is_trained_on_whatever_the_steps(
    keras: ModuleType, options: Any, events: Events
) -> None:
    one, _ = trained(keras, replace(options, steps_per_execution=1), events)
    many, _ = trained(keras, options, events)
    for ours, theirs in zip(one, many, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    found = load(options.state, "a", overwrite=False)
    assert found is not None
    assert int(found.optimizer[0]) == 3 * 3  # three batches an epoch: 32 + 32 + 11


def test_stopped_between_epochs_it_ends_the_same_to_the_bit(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path
) -> None:
    whole, history = trained(keras, options, events)
    other = replace(options, state=tmp_path / "other")
    trained(keras, replace(other, epochs=1), events)
    checkpoint = load(other.state, "a", overwrite=False)
    again, resumed = trained(keras, replace(other, checkpoint=checkpoint), events)
    for ours, theirs in zip(whole, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(history.epochs, resumed.epochs, strict=True):
        assert replace(ours, seconds=0) == replace(theirs, seconds=0)


def test_every_epoch_has_an_order_of_its_own(keras: ModuleType) -> None:
    from pixelmine.train.loop import epoch_order

    orders = [epoch_order(1, 0, 50), epoch_order(1, 1, 50), epoch_order(2, 0, 50)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert (epoch_order(1, 1, 50) == orders[1]).all()


def test_patience_stops_early_and_the_best_epoch_s_weights_are_kept(
    keras: ModuleType, options: Any, events: Events
) -> None:
    from pixelmine.train.loop import fit

    held = examples(40, 2)
    wrong = replace(held, y=1 - held.y)  # the better it learns, the worse it does here
    chosen = replace(options, epochs=50, patience=2)
    found, history = fit(lambda: network(keras), examples(COUNT, 1), wrong, chosen, events)
    assert history.best + 3 == len(history) < 50
    answers = np.asarray(found(held.x.astype(np.float32) / 255, training=False))
    accuracy = np.mean(answers.argmax(axis=1) == wrong.y)
    assert accuracy == pytest.approx(history.epochs[history.best].held_back_accuracy)
    assert accuracy > history.epochs[-1].held_back_accuracy


def test_time_stops_it(keras: ModuleType, options: Any, events: Events) -> None:
    _, history = trained(keras, replace(options, minutes=1e-6), events)
    assert len(history) == 1


def test_a_loss_that_is_not_finite_is_an_error(
    keras: ModuleType, options: Any, events: Events
) -> None:
    from pixelmine.train.loop import fit

    def build() -> Any:
        found = network(keras)
        found.set_weights([np.full_like(w, 3e38) for w in found.get_weights()])
        return found

    with pytest.raises(TrainError, match="no longer finite in epoch 1"):
        fit(build, examples(COUNT, 1), examples(20, 2), options, events)
    assert not options.state.exists()


AUGMENT = (RandomFlip(horizontal=0.0, vertical=0.5), RandomAffine(translate_y=(-0.2, 0.2)))
MIXING = (*AUGMENT, Mixup(alpha=1.0), CutMix(probability=0.5))


@pytest.mark.parametrize("augment", [AUGMENT, MIXING])
def test_augmented_and_stopped_between_epochs_it_ends_the_same_to_the_bit(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path, augment: Any
) -> None:
    options = replace(options, augment=augment)
    whole, history = trained(keras, options, events)
    other = replace(options, state=tmp_path / "other")
    trained(keras, replace(other, epochs=1), events)
    checkpoint = load(other.state, "a", overwrite=False)
    again, resumed = trained(keras, replace(other, checkpoint=checkpoint), events)
    for ours, theirs in zip(whole, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(history.epochs, resumed.epochs, strict=True):
        assert replace(ours, seconds=0) == replace(theirs, seconds=0)
    plain, _ = trained(keras, replace(options, augment=(), state=tmp_path / "plain"), events)
    assert any(not np.array_equal(a, b) for a, b in zip(whole, plain, strict=True))


@pytest.mark.parametrize("augment", [(RandomFlip(horizontal=0.0),), (Mixup(probability=0.0),)])
def test_what_changes_nothing_gives_what_there_is_without(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path, augment: Any
) -> None:
    """Also: the order, the last batch and the labels of each picture are the same."""
    plain, history = trained(keras, options, events)
    other = replace(options, augment=augment, state=tmp_path / "other")
    found, augmented = trained(keras, other, events)
    for ours, theirs in zip(plain, found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
    for ours, theirs in zip(history.epochs, augmented.epochs, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-3)
        assert ours.held_back_loss == pytest.approx(theirs.held_back_loss, rel=1e-3)
    checkpoint = load(other.state, "a", overwrite=False)
    assert checkpoint is not None
    assert int(checkpoint.optimizer[0]) == 3 * 3


def test_held_back_pictures_are_never_augmented(
    keras: ModuleType, options: Any, events: Events
) -> None:
    """Left and right change sides, so that what is learnt is wrong where nothing is mirrored."""
    from pixelmine.train.loop import fit

    chosen = replace(options, epochs=12, augment=(RandomFlip(horizontal=1.0),))
    _, history = fit(lambda: network(keras), examples(300, 1), examples(100, 2), chosen, events)
    assert history.epochs[-1].accuracy > 0.7
    assert history.epochs[-1].held_back_accuracy < 0.3
