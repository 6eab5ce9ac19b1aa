"""Going on from a bundle: its weights where labels are the same, new rows for new labels.

A linear head is held to the weights that it had, as firmly as else to zero, and a class of which
there are fewer pictures than it learnt from counts as much as it did then (of one label a picture).
So a class can be added with its own pictures and a few of the others'. A network learns on with all
its weights. Both forget a class that they are no longer shown: some pictures of each are needed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

from pixelmine.classify.heads import FittedHead, Start, start_of
from pixelmine.core.errors import UsageError
from pixelmine.models import Bundle, load_bundle

from .data import Examples
from .recipe_network import MIRRORED

__all__ = ["Begin", "carry_over", "earlier_bundle", "head_start", "head_weights"]

WEIGHTS = "weights.safetensors"
_DESCRIBES = "describes"

Begin = Callable[[Any], None]
"""Gives a network that was just built its first weights."""


def earlier_bundle(name: str, recipe: Any, examples: Examples) -> Bundle:
    """The bundle to go on from. Raises UsageError where this recipe cannot; ModelError."""
    bundle = load_bundle(name)
    card = bundle.card
    if WEIGHTS not in bundle.files or (card.builder is not None) != recipe.keras:
        raise UsageError(
            f"{recipe.name} cannot go on from {card.name}, which has no weights for it: a bundle "
            "of the same recipe can be gone on from, where that trains a network or a linear head."
        )
    if card.task != examples.task:
        several, one = "any number of labels a picture", "one label a picture"
        gives, asks = (several, one) if card.task == "multi" else (one, several)
        raise UsageError(
            f"{card.name} gives {gives}; asked for is {asks}. Train it anew, or "
            f"{'give' if card.task == 'multi' else 'leave out'} --multi-label."
        )
    if recipe.keras and (card.builder or "").removesuffix(MIRRORED) not in recipe.builders:
        trains = " or a ".join(recipe.builders)
        raise UsageError(f"{recipe.name} trains a {trains}; {card.name} is a {card.builder}.")
    if card.preprocessing != examples.preprocessing.to_card():
        raise UsageError(
            f"{card.name} prepares pictures otherwise than {recipe.name} does here: what it has "
            "learnt does not fit them. Train it anew."
        )
    if lacking := sorted(set(card.labels) - set(examples.labels)):
        raise UsageError(
            f"No training picture has the label {', '.join(lacking)} of {card.name}: what is no "
            "longer shown is forgotten. Add some pictures of each label; a linear head needs few."
        )
    return bundle


def carry_over(network: Any, bundle: Bundle, labels: Sequence[str]) -> None:
    """Give a network the weights of the bundle's; a new label's last weights stay as they are.

    Raises UsageError for a network of another shape.
    """
    stored = from_safetensors(bundle.files[WEIGHTS])
    earlier = [stored[name] for name in sorted(stored)]
    values = network.get_weights()
    kernel, bias = (_position(network, v) for v in network.layers[-1].weights)
    known = [at for at, label in enumerate(labels) if label in bundle.card.labels]
    rows = [bundle.card.labels.index(labels[at]) for at in known]
    try:
        for at, value in enumerate(earlier):
            if at in (kernel, bias):
                values[at][..., known] = value[..., rows]
            else:
                values[at] = value
        network.set_weights(values)
    except (ValueError, IndexError) as error:
        raise UsageError(
            f"The weights of {bundle.card.name} do not fit this network: {error}."
        ) from error


def head_weights(
    fitted: FittedHead, examples: Examples, describes: str, earlier: Bundle | None
) -> dict[str, bytes]:
    """The bundle's file of a linear head, to go on from; of another head none.

    `describes`: names what the head's features are computed by.
    """
    if fitted.kind != "linear":
        return {}
    labels, counts = examples.labels, examples.counts
    if earlier:
        counts = np.maximum(counts, head_start(earlier, labels, describes).counts)
    name = np.frombuffer(describes.encode(), np.uint8).copy()
    return {
        WEIGHTS: to_safetensors({**start_of(fitted, labels, counts).weights(), _DESCRIBES: name})
    }


def head_start(bundle: Bundle, labels: Sequence[str], describes: str) -> Start:
    """What a linear head goes on from. Raises UsageError for one on other features."""
    stored = from_safetensors(bundle.files[WEIGHTS])
    if stored.get(_DESCRIBES, np.array([], np.uint8)).tobytes() != describes.encode():
        raise UsageError(
            f"The head of {bundle.card.name} is on other features than this recipe's. "
            "Go on with the recipe that it was trained by."
        )
    return Start.from_weights(stored).aligned(labels)


def _position(network: Any, variable: Any) -> int:
    return next(at for at, other in enumerate(network.weights) if other is variable)
