"""The loop with everything that cnn-strong asks of it, and with pictures that are not in memory."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.train.checkpoint import load
from pixelmine.train.data import Examples
from pixelmine.train.events import Events
from tests.train.test_loop import AUGMENT, COUNT, examples, network, options, trained

__all__ = ["options"]


@pytest.fixture
def strong(options: Any) -> Any:
    return replace(
        options,
        optimizer="adamw",
        schedule="one_cycle",
        learning_rate=0.01,
        weight_decay=0.05,
        average=0.9,
        label_smoothing=0.1,
        augment=AUGMENT,
    )


class Rows:
    """Pictures that can be had by rows, and never as a whole."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = pixels
        self.shape = pixels.shape
        self.most = 0

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        self.most = max(self.most, len(rows))
        return np.asarray(self._pixels[rows])


def assert_same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_killed_between_epochs_it_ends_the_same_to_the_bit(
    keras: ModuleType,
    strong: Any,
    events: Events,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, history = trained(keras, strong, events)
    assert [epoch.progress for epoch in history.epochs] == pytest.approx([1 / 3, 2 / 3, 1])

    def killed(kind: str, **_: Any) -> None:
        if kind == "epoch":
            raise KeyboardInterrupt

    other = replace(strong, state=tmp_path / "other")
    with monkeypatch.context() as patch:
        patch.setattr(events, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            trained(keras, other, events)
    checkpoint = load(other.state, "a", overwrite=False)
    assert checkpoint is not None
    assert len(checkpoint.history) == 1
    again, resumed = trained(keras, replace(other, checkpoint=checkpoint), events)
    assert_same(whole, again)
    for ours, theirs in zip(history.epochs, resumed.epochs, strict=True):
        assert replace(ours, seconds=0) == replace(theirs, seconds=0)


def test_the_averaged_weights_are_measured_and_given_and_the_others_trained(
    keras: ModuleType, strong: Any, events: Events
) -> None:
    from pixelmine.train.loop import fit

    held = examples(40, 2)
    found, history = fit(lambda: network(keras), examples(COUNT, 1), held, strong, events)
    pixels = held.x.astype(np.float32) / 255
    answers = np.asarray(found(pixels, training=False))
    best = history.epochs[history.best]
    assert np.mean(answers.argmax(axis=1) == held.y) == pytest.approx(best.held_back_accuracy)
    # the labels of held-back pictures are not smoothed
    loss = -np.log(answers[np.arange(len(held)), held.y]).mean()
    assert loss == pytest.approx(best.held_back_loss, rel=1e-4)
    checkpoint = load(strong.state, "a", overwrite=False)
    assert checkpoint is not None
    last = history.best == len(history) - 1
    assert last, "the last epoch has to be the best one for what follows"
    kernels = [(n, b) for n, b in zip(checkpoint.network, checkpoint.best, strict=True)]
    assert not np.array_equal(*kernels[0])


def test_with_minutes_the_cycle_takes_the_epochs_that_fit(
    keras: ModuleType,
    strong: Any,
    events: Events,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also: measuring the speed leaves no trace in the weights."""
    ticks = iter(range(1_000_000))
    clock = SimpleNamespace(monotonic=lambda: next(ticks))  # an epoch takes one second
    monkeypatch.setattr("pixelmine.train.loop.time", clock)
    timed = replace(strong, epochs=None, minutes=4.5 / 60)
    found, history = trained(keras, timed, events)
    assert [epoch.progress for epoch in history.epochs] == pytest.approx([0.25, 0.5, 0.75, 1])
    counted, _ = trained(keras, replace(strong, epochs=4, state=tmp_path / "counted"), events)
    assert_same(found, counted)


def test_pictures_are_never_read_as_a_whole(
    keras: ModuleType, strong: Any, events: Events, tmp_path: Path
) -> None:
    from pixelmine.train.loop import fit

    def outcome(wrap: Any, options: Any) -> tuple[list[np.ndarray], Any]:
        train, held = (replace(e, x=wrap(e.x)) for e in (examples(COUNT, 1), examples(600, 2)))
        found, history = fit(lambda: network(keras), train, held, options, events)
        assert max(getattr(e.x, "most", 0) for e in (train, held)) <= 512
        assert getattr(train.x, "most", 0) <= options.batch_size
        return found.get_weights(), history

    held, there = outcome(np.asarray, strong)
    by_rows, history = outcome(Rows, replace(strong, state=tmp_path / "rows"))
    assert_same(held, by_rows)
    for ours, theirs in zip(there.epochs, history.epochs, strict=True):
        assert ours.held_back_accuracy == theirs.held_back_accuracy
        assert ours.held_back_loss == pytest.approx(theirs.held_back_loss, rel=1e-5)


def test_a_mapped_file_trains_as_an_array_does(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path
) -> None:
    from pixelmine.train.loop import fit

    train = examples(COUNT, 1)
    np.save(tmp_path / "x.npy", train.x)
    mapped: Examples = replace(train, x=np.load(tmp_path / "x.npy", mmap_mode="r"))
    found, _ = fit(lambda: network(keras), mapped, examples(20, 2), options, events)
    plain, _ = trained(keras, replace(options, state=tmp_path / "plain"), events)
    for ours, theirs in zip(found.get_weights(), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_in_bfloat16_a_float32_network_comes_out(
    keras: ModuleType, strong: Any, events: Events
) -> None:
    from pixelmine.train.loop import fit

    mixed = replace(strong, precision="bfloat16", epochs=1)
    found, _ = fit(lambda: network(keras), examples(COUNT, 1), examples(20, 2), mixed, events)
    assert {layer.compute_dtype for layer in found.layers} == {"float32"}
    checkpoint = load(mixed.state, "a", overwrite=False)
    assert checkpoint is not None
    assert_same([variable.numpy() for variable in found.variables], checkpoint.best)


def test_every_epoch_is_in_tensorboard_s_files(
    keras: ModuleType, options: Any, events: Events, tmp_path: Path
) -> None:
    trained(keras, replace(options, epochs=2, tensorboard=tmp_path / "logs"), events)
    for part in ("train", "validation"):
        assert len(list((tmp_path / "logs" / part).glob("*tfevents*"))) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": None}, "Without epochs"),
        ({"epochs": None, "minutes": 1, "schedule": "constant"}, "Without epochs"),
        ({"label_smoothing": 1.0}, "label_smoothing must be from 0 to below 1"),
        ({"precision": "half"}, "precision must be one of"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_what_cannot_be_is_refused(strong: Any, changes: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(strong, **changes)
