"""A pretrained network learns on: what stays, what moves, and going on where it stopped."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pixelmine import features
from pixelmine.core.errors import RunError, UsageError
from pixelmine.input import read_part
from pixelmine.models import Bundle
from pixelmine.pipeline import load_model
from pixelmine.preprocess import CenterCrop, Normalise, Preprocessing, Resize
from pixelmine.preprocess.augment import Mixup, RandomFlip
from pixelmine.train import plan
from pixelmine.train.data import Examples
from pixelmine.train.events import Events
from pixelmine.train.history import Epoch, History
from pixelmine.train.jobs import TrainJob
from pixelmine.train.recipe import load_recipe
from pixelmine.train.tuning import Phase, Tuning

HISTORY = History(
    (Epoch(loss=1, accuracy=1, held_back_loss=1, held_back_accuracy=1, seconds=60.0),)
)
VARIANT, FROZEN = "efficientnet-lite0", 15


@pytest.fixture
def options(keras: ModuleType, tmp_path: Path) -> Any:
    from pixelmine.train.loop_options import LoopOptions

    yield LoopOptions(
        job="a",
        state=tmp_path / "run",
        checkpoint=None,
        normalise=Normalise(mean=127.0, std=128.0),
        seed=4,
        optimizer="adam",
        learning_rate=0.003,
        loss="sparse_categorical_crossentropy",
        batch_size=16,
        epochs=2,
        augment=(RandomFlip(),),
    )
    keras.backend.clear_session()


def tuning(**changes: Any) -> Tuning:
    phases = (Phase(side=32), Phase(side=48, rate=0.5))
    return replace(Tuning(variant=VARIANT, phases=phases, frozen=FROZEN, views=2), **changes)


def examples(count: int, seed: int) -> Examples:
    """Red or blue noise of 40x40 pixels."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, count)
    x = random.integers(0, 100, (count, 40, 40, 3)).astype(np.uint8)
    x[np.arange(count), :, :, 2 * y] += 120
    return Examples(
        x=x,
        y=y.astype(np.int64),
        labels=["red", "blue"],
        picture_ids=[f"{seed}-{i}" for i in range(count)],
        groups=[None] * count,
        part=["train"] * count,
        preprocessing=Preprocessing(),
    )


def test_only_what_is_not_frozen_moves_and_a_phase_that_is_done_is_not_trained_again(
    options: Any, events: Events
) -> None:
    from pixelmine.train.finetune import finetune
    from pixelmine.train.networks_lite import builder, depth

    train, held, how = examples(32, 1), examples(16, 2), tuning()
    small, before = finetune(train, held, replace(how, phases=how.phases[:1]), options, events)
    first = options.state / "phase1" / "checkpoint.safetensors"
    written = first.stat().st_mtime_ns
    network, history = finetune(train, held, how, options, events)
    assert first.stat().st_mtime_ns == written
    assert (small.input_shape, network.input_shape) == ((None, 32, 32, 3), (None, 48, 48, 3))
    assert (len(before), len(history)) == (2, 2)
    assert history.epochs[history.best].held_back_accuracy == 1
    for layer, fresh in zip(network.layers, builder(VARIANT)(48, 48, 3, 2).layers, strict=True):
        stays = depth(layer.name, 16) <= FROZEN if layer.weights else True
        for ours, theirs in zip(layer.weights, fresh.weights, strict=True):
            same = np.array_equal(ours.numpy(), theirs.numpy())
            assert same == (stays or "norm" in layer.name), layer.name


def test_a_phase_of_another_training_is_gone_on_from_by_nobody(
    options: Any, events: Events
) -> None:
    from pixelmine.train.finetune import finetune

    train, held, how = examples(32, 1), examples(16, 2), tuning(phases=(Phase(side=32),))
    one_epoch = replace(options, epochs=1)
    finetune(train, held, how, one_epoch, events)
    other = replace(one_epoch, job="b")
    with pytest.raises(RunError, match="other pictures or options"):
        finetune(train, held, how, other, events)
    finetune(train, held, how, other, events, overwrite=True)
    finetune(train, held, how, other, events)  # its own by now


def test_the_minutes_are_those_of_all_phases_together(
    options: Any, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine.train import finetune as module

    given = []

    def run(*arguments: Any) -> History:
        given.append(arguments[-2].minutes)
        return HISTORY  # a phase that took a minute

    monkeypatch.setattr(module, "_run", run)
    how = tuning(phases=(Phase(side=32), Phase(side=64), Phase(side=32)))
    module.finetune(examples(4, 1), examples(4, 2), how, replace(options, minutes=12.0), events)
    np.testing.assert_allclose(given, [12 / 6, 11 * 4 / 5, 10], rtol=0.02)


def test_where_there_are_few_pictures_each_has_more_views() -> None:
    how = tuning(views=2, at_least=1000)
    assert [how.views_of(count) for count in (1, 400, 500, 501, 10_000)] == [1000, 3, 2, 2, 2]


def test_the_kept_values_are_those_of_the_first_blocks(
    options: Any, events: Events, tmp_path: Path
) -> None:
    from pixelmine.train.finetune import split_at
    from pixelmine.train.networks_lite import builder
    from pixelmine.train.views import View, seen_through

    network = builder(VARIANT)(40, 40, 3, 2)
    front, back = split_at(network, FROZEN)
    view = View(front, options.normalise, 0)
    pictures = examples(8, 3)
    normalise = view.measure(pictures)
    steps = (RandomFlip(horizontal=1.0), Mixup())
    seen = seen_through(
        view,
        pictures,
        normalise=normalise,
        steps=steps,
        count=2,
        path=tmp_path / "views.npy",
        events=events,
    )
    assert (len(seen), seen.x.dtype, type(seen.x)) == (16, np.uint8, np.memmap)
    assert seen.y.tolist() == pictures.y.tolist() * 2
    whole = network(options.normalise(pictures.x), training=False)
    parts = back(normalise(seen.x[:8]), training=False)
    np.testing.assert_allclose(parts, whole, atol=0.05)
    flipped = network(options.normalise(pictures.x[:, :, ::-1]), training=False)
    np.testing.assert_allclose(back(normalise(seen.x[8:]), training=False), flipped, atol=0.05)


def test_rates_fall_towards_the_pixels(keras: ModuleType) -> None:
    from pixelmine.train.finetune import set_rates
    from pixelmine.train.networks_lite import build_lite

    network = build_lite(VARIANT, 32, 32, 3, 2)
    set_rates(network, tuning(frozen=0, decay=0.5, tune_norms=True))
    assert network.get_layer("classes").kernel.rate == 1
    assert network.get_layer("head_norm").gamma.rate == 0.5
    assert network.get_layer("block15_project_conv").kernel.rate == 0.25
    assert network.get_layer("stem_conv").kernel.rate == 0.5**18
    set_rates(network, tuning(frozen=3, tune_norms=False))
    trained = {layer.name for layer in network.layers if layer.trainable_variables}
    assert not any(name.startswith(("stem", "block2")) or "norm" in name for name in trained)
    assert "block3_expand_conv" in trained
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"variant": "cnn-strong"}, "builder"),
        ({"frozen": 16}, "0 to 15"),
        ({"phases": ()}, "phases"),
        ({"decay": 1.5}, "decay"),
        ({"views": 0}, "views"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        tuning(**changes)


def test_a_recipe_gives_a_bundle_that_is_right_and_leaves_nothing_behind(
    keras: ModuleType, idx_folder: Path, tmp_path: Path, events: Events, monkeypatch: Any
) -> None:
    from pixelmine.train.training import train

    recipe = load_recipe("finetune")
    recipe = replace(
        recipe,
        builder="efficientnet-lite0",
        tuning={**recipe.tuning, "phases": ({"side": 32}, {"side": 64}), "frozen": 14},
        learning_rate=0.003,
        batch_size=16,
        augment=(),
    )
    monkeypatch.setattr(plan, "load_recipe", lambda _: recipe)
    job = TrainJob(source=str(idx_folder), out=str(tmp_path / "digits.bundle"), recipe="finetune")
    train(plan.make_plan(job, events), events)
    assert {path.name for path in tmp_path.iterdir()} == {"digits.bundle", "events"}
    bundle = Bundle.load(tmp_path / "digits.bundle")
    assert (bundle.card.builder, bundle.card.input.height) == ("efficientnet-lite0", 64)
    assert bundle.card.metrics["accuracy"].value > 0.35  # of 10 classes
    resize, crop, _ = Preprocessing.from_card(bundle.card.preprocessing).steps
    assert (resize, crop) == (Resize(short_side=73), CenterCrop(height=64, width=64))
    test = read_part(idx_folder, "test")
    answers = []
    for runtime in ("onnxruntime", "openvino"):
        model = load_model(bundle, runtime, "f32")
        found = features.extract(map(model.take_array, test.pixels), model.network, np.asarray)
        assert found is not None
        answers.append(found.logits)
    assert (answers[0].argmax(axis=1) == test.labels).mean() > 0.35  # as little as it has learnt
    assert np.abs(answers[0] - answers[1]).max() < 1e-3 * np.abs(answers[0]).max()
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"builder": "cnn-strong"}, "builder"),
        ({"tuning": {}}, "phases"),
        ({"tuning": {"phases": ({"side": 64, "epochs": 3},)}}, "epochs"),
        ({"tuning": {"phases": ({"side": -1},)}}, "side"),
        ({"middle": 1.2}, "middle"),
        ({"longer": {"times": 2, "least_epochs": 3}}, "has no longer"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        replace(load_recipe("finetune"), **changes)
