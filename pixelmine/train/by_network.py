"""Training a network of Keras."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine.models.card import Input
from pixelmine.preprocess.augment import RandomFlip, to_card

from .backend import check_backend
from .data import Examples
from .events import Events
from .export import export, weights_file
from .history import History
from .loop import LoopOptions, epoch_seconds, fit
from .networks import NETWORKS, for_task, mean_over_mirror
from .peel import peel
from .pixels import bounded_batch
from .plan import Plan
from .recipe_network import MIRRORED, NetworkRecipe
from .trained import Judged, Trained
from .warm import Begin, carry_over

__all__ = ["begin", "exported", "loop_options", "train_network"]

_BATCH = 256


def train_network(plan: Plan, events: Events) -> Trained:
    """Run the loop; the network of the best epoch."""
    check_backend()
    plan, guess_s, spent_s = _given_time(plan, events)
    build, options = partial(_build, plan), loop_options(plan, spent_s)
    network, history = fit(build, plan.kept, plan.held_back, options, events, guess_s)
    return exported(plan, network, history, options, events)


def _given_time(plan: Plan, events: Events) -> tuple[Plan, float | None, float]:
    """With the recipe's longer training, where there is time for it.

    Also the seconds of an epoch, where they were measured for this plan, and those that it took to
    find out. What was begun goes on with the network it has.
    """
    recipe: NetworkRecipe = plan.recipe
    longer = recipe.given_time
    if longer is None:
        return plan, None, 0.0
    other = plan.with_recipe(longer.recipe)
    if plan.earlier:
        same = (plan.earlier.card.builder or "").removesuffix(MIRRORED) == longer.recipe.builder
        return (other if same else plan), None, 0.0
    if plan.checkpoint:
        begun = [value.shape for value in plan.checkpoint.network]
        shapes = [tuple(variable.shape) for variable in _build(other).variables]
        return (other if begun == shapes else plan), None, 0.0
    if not plan.job.minutes or plan.job.epochs:
        return plan, None, 0.0
    start, kept, held_back = time.monotonic(), plan.kept, plan.held_back
    epoch_s = epoch_seconds(partial(_build, plan), kept, held_back, loop_options(plan), events)
    spent_s = time.monotonic() - start
    if not longer.fits(plan.job.minutes, epoch_s):
        return plan, epoch_s, spent_s
    events.note(f"There is time for the larger network, {longer.recipe.builder}.")
    return plan.with_recipe(longer.recipe), None, spent_s


def exported(
    plan: Plan, network: Any, history: History, options: LoopOptions, events: Events
) -> Trained:
    """A trained network, which takes (N, H, W, C) float32, as a bundle has it."""
    recipe: NetworkRecipe = plan.recipe
    held_back = plan.held_back
    events.start("export")
    builder, says = recipe.builder, _says(options, history)
    if recipe.mirror_mean and any(isinstance(step, RandomFlip) for step in options.augment):
        network, builder = mean_over_mirror(network), builder + MIRRORED
        says += "; the answer is the mean of those to a picture and its mirror image"
    peeled = peel(network, several=plan.examples.multi)
    found = export(peeled, plan.examples.preprocessing, _batches(held_back, recipe))
    height, width, channels = network.input_shape[1:]
    return Trained(
        onnx=found.onnx,
        golden=found.golden,
        input=Input(dtype="float32", height=height, width=width, channels=channels),
        judged=Judged(
            logits=found.answers.logits,
            embedding=found.answers.embedding,
            y=held_back.y,
            groups=held_back.groups,
            how="training pictures held back to choose the epoch",
        ),
        learnt=len(plan.kept),
        says=says,
        history=history,
        builder=builder,
        files={"weights.safetensors": weights_file(network)},
    )


def begin(plan: Plan) -> Begin | None:
    """What gives a network its first weights, where it goes on from a bundle."""
    if plan.earlier is None:
        return None
    return partial(carry_over, bundle=plan.earlier, labels=plan.examples.labels)


def _build(plan: Plan) -> Any:
    height, width, channels = plan.examples.x.shape[1:]
    classes, task = len(plan.examples.labels), plan.examples.task
    network = NETWORKS.get(plan.recipe.builder)(height, width, channels, classes)
    network = for_task(network, task)
    if (first := begin(plan)) is not None:
        first(network)
    return network


def loop_options(plan: Plan, spent_s: float = 0.0) -> LoopOptions:
    """What the recipe says, and the job instead of it. `spent_s`: seconds of its minutes."""
    recipe: NetworkRecipe = plan.recipe
    augment, epochs = recipe.augmentations, plan.job.epochs
    if not epochs and not (recipe.schedule == "one_cycle" and plan.job.minutes):
        begun = plan.checkpoint.history if plan.checkpoint else History()
        epochs = begun.whole or recipe.epochs_for(len(plan.kept))
    if recipe.mirror == "auto" and plan.mirrors:
        augment = (*augment, RandomFlip())
    return LoopOptions(
        job=plan.digest,
        state=plan.job.state_folder,
        checkpoint=plan.checkpoint,
        normalise=recipe.normalise,
        seed=plan.job.seed,
        optimizer=recipe.optimizer,
        learning_rate=recipe.learning_rate,
        schedule=recipe.schedule,
        warm_up=recipe.warm_up,
        weight_decay=recipe.weight_decay,
        average=recipe.average,
        loss=recipe.loss,
        label_smoothing=recipe.label_smoothing,
        precision=recipe.precision,
        batch_size=recipe.batch_size,
        epochs=epochs,
        augment=augment,
        patience=recipe.patience,
        balanced=recipe.balanced,
        minutes=max(plan.job.minutes - spent_s / 60, 0.0) if plan.job.minutes else None,
        tensorboard=Path(plan.job.tensorboard) if plan.job.tensorboard else None,
    )


def _batches(examples: Examples, recipe: NetworkRecipe) -> Iterator[np.ndarray]:
    batch = bounded_batch(examples.x, _BATCH)
    for at in range(0, len(examples), batch):
        yield recipe.normalise(examples.x[at : at + batch])


def _says(options: LoopOptions, history: History) -> str:
    changed = ", ".join(part["step"] for part in to_card(options.augment))
    by = f", changed by {changed}" if changed else ""
    return f"{by}; epoch {history.best + 1} of {len(history)} is kept"
