"""Training a network of Keras."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from pixelmine.models.card import Input

from .backend import check_backend
from .data import Examples
from .events import Events
from .export import export, weights_file
from .history import History
from .loop import LoopOptions, fit
from .networks import NETWORKS
from .peel import peel
from .plan import Plan
from .recipe_network import NetworkRecipe
from .trained import Judged, Trained

__all__ = ["train_network"]

_BATCH = 256


def train_network(plan: Plan, events: Events) -> Trained:
    """Run the loop; the network of the best epoch."""
    check_backend()
    recipe: NetworkRecipe = plan.recipe
    kept, held_back = plan.kept, plan.held_back
    height, width, channels = kept.x.shape[1:]
    builder, classes = NETWORKS.get(recipe.builder), len(plan.examples.labels)
    build = partial(builder, height, width, channels, classes)
    network, history = fit(build, kept, held_back, _options(plan, recipe), events)
    events.start("export")
    exported = export(peel(network), plan.examples.preprocessing, _batches(held_back, recipe))
    return Trained(
        onnx=exported.onnx,
        golden=exported.golden,
        input=Input(dtype="float32", height=height, width=width, channels=channels),
        judged=Judged(
            logits=exported.answers.logits,
            embedding=exported.answers.embedding,
            y=held_back.y,
            groups=held_back.groups,
            how="training pictures held back to choose the epoch",
        ),
        learnt=len(kept),
        says=_says(recipe, history),
        history=history,
        builder=recipe.builder,
        files={"weights.safetensors": weights_file(network)},
    )


def _options(plan: Plan, recipe: NetworkRecipe) -> LoopOptions:
    return LoopOptions(
        job=plan.digest,
        state=plan.job.state_folder,
        checkpoint=plan.checkpoint,
        normalise=recipe.normalise,
        seed=plan.job.seed,
        optimizer=recipe.optimizer,
        loss=recipe.loss,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        augment=recipe.augmentations,
        patience=recipe.patience,
        minutes=plan.job.minutes,
    )


def _batches(examples: Examples, recipe: NetworkRecipe) -> Iterator[np.ndarray]:
    for at in range(0, len(examples), _BATCH):
        yield recipe.normalise(examples.x[at : at + _BATCH])


def _says(recipe: NetworkRecipe, history: History) -> str:
    changed = ", ".join(part["step"] for part in recipe.augment)
    by = f", changed by {changed}" if changed else ""
    return f"{by}; epoch {history.best + 1} of {len(history)} is kept"
