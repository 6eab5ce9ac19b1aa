"""The job `train`: pictures to a bundle."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine.evaluate.interval import wilson
from pixelmine.models import Bundle
from pixelmine.models.card import Metric, Training

from .backend import check_backend
from .checkpoint import forget
from .data import Examples
from .events import Events
from .export import About, export, make_bundle, weights_file
from .history import History
from .loop import LoopOptions, fit
from .networks import NETWORKS
from .peel import peel
from .plan import Plan
from .recipe import Recipe

__all__ = ["train"]

_BATCH = 256


def train(plan: Plan, events: Events) -> None:
    """Train, export and write the bundle; the last event is `done`."""
    start = time.monotonic()
    check_backend()
    height, width, channels = plan.examples.x.shape[1:]
    builder, classes = NETWORKS.get(plan.recipe.builder), len(plan.examples.labels)
    network, history = fit(
        partial(builder, height, width, channels, classes),
        plan.kept,
        plan.held_back,
        _options(plan),
        events,
    )
    events.start("export")
    bundle = _bundle(plan, network, history)
    bundle.save(Path(plan.job.out))
    forget(plan.job.state_folder)
    events.finish()
    _done(plan, bundle, history, time.monotonic() - start, events)


def _options(plan: Plan) -> LoopOptions:
    return LoopOptions(
        job=plan.digest,
        state=plan.job.state_folder,
        checkpoint=plan.checkpoint,
        normalise=plan.recipe.normalise,
        seed=plan.job.seed,
        optimizer=plan.recipe.optimizer,
        loss=plan.recipe.loss,
        batch_size=plan.recipe.batch_size,
        epochs=plan.recipe.epochs,
        augment=plan.recipe.augmentations,
        patience=plan.recipe.patience,
        minutes=plan.job.minutes,
    )


def _bundle(plan: Plan, network: Any, history: History) -> Bundle:
    examples, held_back, recipe = plan.examples, plan.held_back, plan.recipe
    peeled = peel(network)
    exported = export(peeled, examples.preprocessing, _batches(held_back, recipe))
    hits = int((exported.answers.logits.argmax(axis=1) == held_back.y).sum())
    about = About(
        name=plan.job.name or Path(plan.job.out).stem,
        description=_description(plan, history),
        licence="as the training pictures'",
        source=f"trained with Pixelmine's recipe {recipe.name}",
        labels=examples.labels,
        preprocessing=examples.preprocessing,
        metrics={"accuracy": _accuracy(plan, hits)},
        training=_training(plan, history),
        builder=recipe.builder,
        files={
            "seen.bin": Bundle.seen(examples.picture_ids),
            "weights.safetensors": weights_file(network),
        },
    )
    return make_bundle(peeled, exported, about)


def _batches(examples: Examples, recipe: Recipe) -> Iterator[np.ndarray]:
    for at in range(0, len(examples), _BATCH):
        yield recipe.normalise(examples.x[at : at + _BATCH])


def _accuracy(plan: Plan, hits: int) -> Metric:
    pictures = len(plan.held_back)
    low, high = wilson(hits, pictures)
    return Metric(
        value=hits / pictures,
        low=low,
        high=high,
        pictures=pictures,
        data=f"{plan.source_name}: training pictures held back to choose the epoch",
    )


def _training(plan: Plan, history: History) -> Training:
    return Training(
        recipe=plan.recipe.name,
        seed=plan.job.seed,
        epochs=len(history),
        best_epoch=history.best + 1,
        pictures=len(plan.kept),
        held_back=len(plan.held_back),
        data_digest=plan.examples.data_digest,
        split_id=plan.examples.split_id,
        history=history.for_card(),
        seconds=round(history.seconds, 1),
    )


def _description(plan: Plan, history: History) -> str:
    changed = ", ".join(part["step"] for part in plan.recipe.augment)
    return (
        f"{len(plan.examples.labels)} classes, learnt from {len(plan.kept)} pictures of "
        f"{plan.source_name}{f', changed by {changed}' if changed else ''}; "
        f"epoch {history.best + 1} of {len(history)} is kept."
    )


def _done(plan: Plan, bundle: Bundle, history: History, seconds: float, events: Events) -> None:
    accuracy = bundle.card.metrics["accuracy"]
    events.send(
        "done",
        bundle=str(Path(plan.job.out).absolute()),
        digest=bundle.card.digest,
        epochs=len(history),
        best_epoch=history.best + 1,
        pictures=len(plan.kept),
        held_back=len(plan.held_back),
        labels=plan.examples.labels,
        held_back_accuracy=accuracy.value,
        held_back_accuracy_low=accuracy.low,
        held_back_accuracy_high=accuracy.high,
        train_seconds=round(history.seconds, 1),
        seconds=round(seconds, 1),
        images_per_s=round(len(plan.kept) * len(history) / history.seconds, 1),
    )
