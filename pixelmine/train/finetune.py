"""Fine-tuning EfficientNet-Lite: the pretrained network learns on, its first blocks stay.

Three things make it affordable on a CPU:

- The first blocks keep their weights, so that their output is computed once for each view of a
  picture and kept (`views.py`); only the blocks behind them are trained, by the one loop.
- Phases: on small pictures first, then on larger ones (progressive resizing, Howard 2018, and
  Touvron et al., "Fixing the train-test resolution discrepancy", 2019, arXiv:1906.06423).
- The learning rate falls from the last layer towards the first (discriminative rates, Howard and
  Ruder, "Universal Language Model Fine-tuning", ACL 2018, arXiv:1801.06146).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError
from pixelmine.models.lite import LITES

from .checkpoint import load
from .data import Examples
from .events import Events
from .history import History
from .loop import fit
from .loop_options import LoopOptions
from .networks_lite import build_lite, depth, load_weights
from .views import View, resized, seen_through

__all__ = ["Phase", "Tuning", "finetune", "set_rates", "split_at"]

_VIEWS = ("train.npy", "held_back.npy")
"""In the folder of a phase, while it is trained."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Pictures of `side` x `side` pixels, for `epochs` over all their views.

    `rate`: the highest learning rate, in units of the options'.
    """

    side: int
    epochs: int
    rate: float = 1.0

    def __post_init__(self) -> None:
        for name in ("side", "epochs", "rate"):
            check_positive(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What of a pretrained network is trained, and on what.

    `variant`: one of `models.lite.LITES`. `phases`: in order, each beginning with the weights of
    the one before. `frozen`: so many blocks from the pixels on, and the stem, keep their weights; 0
    trains everything. `views`: of each training picture behind the frozen blocks, the first as it
    is, the others augmented; without frozen blocks pictures are augmented anew in each epoch, and
    it says nothing. `decay`: what a block's learning rate is to that of the next one (1: all the
    same). `tune_norms`: whether the batch normalisations of the trained blocks learn too, or keep
    their statistics, factors and biases. `dropout`, `drop_connect`: as `build_lite` has them.
    """

    variant: str
    phases: Sequence[Phase]
    frozen: int = 0
    views: int = 1
    decay: float = 1.0
    tune_norms: bool = False
    dropout: float = 0.2
    drop_connect: float = 0.0

    def __post_init__(self) -> None:
        check_positive("views", self.views)
        check_positive("decay", self.decay, at_most=1)
        if not self.phases:
            raise UsageError("phases must be at least one.")
        blocks = len(LITES[self.variant].blocks)
        if not 0 <= self.frozen < blocks:
            raise UsageError(
                f"frozen must be 0 to {blocks - 1}: {self.variant} has {blocks} blocks. "
                f"Got {self.frozen} instead."
            )

    @property
    def blocks(self) -> int:
        """Of the network."""
        return len(LITES[self.variant].blocks)


def finetune(
    train: Examples, held_back: Examples, tuning: Tuning, options: LoopOptions, events: Events
) -> tuple[Any, History]:
    """Train on pictures of any one size: the whole network, and the last phase's history.

    The network takes (N, S, S, C), S the side of the last phase.

    `options.normalise` is the pixels'; its `epochs` and `checkpoint` are not used: each phase has
    its own, in a folder of `options.state`, so that a training that was stopped goes on with the
    phase and epoch it had reached. Everything is a function of the seed. The best epoch of each
    phase is kept, by the held-back pictures at that phase's size.
    """
    network, history = None, History()
    for number, phase in enumerate(tuning.phases):
        events.note(f"Phase {number + 1} of {len(tuning.phases)}: {phase.side} pixels.")
        before = network.get_weights() if network else None
        keras.utils.set_random_seed(options.seed + number)
        network = _network(train, tuning, phase, before)
        state = options.state / f"phase{number + 1}"
        at_phase = replace(
            options,
            state=state,
            epochs=phase.epochs,
            learning_rate=options.learning_rate * phase.rate,
            checkpoint=load(state, options.job, overwrite=True),
        )
        history = _run(network, train, held_back, tuning, at_phase, events)
    return network, history


def split_at(network: Any, blocks: int) -> tuple[Any, Any]:
    """The stem and the first blocks, at least one, and all behind them: two models, one's weights.

    Both share their layers with `network`.
    """
    names = [layer.name for layer in network.layers]
    last = max(i for i, name in enumerate(names) if name.startswith(f"block{blocks - 1}_"))
    middle = network.layers[last].output
    return keras.Model(network.inputs, middle), keras.Model(middle, network.outputs[0])


def set_rates(network: Any, tuning: Tuning) -> None:
    """Say for each variable what share of the learning rate it gets, as its `rate`.

    1 for the last layer, `decay` for the head, and so on towards the pixels. Normalisations that
    are not tuned, and frozen blocks, become untrainable.
    """
    for layer in network.layers:
        if not layer.weights:
            continue
        place = depth(layer.name, tuning.blocks)
        frozen = place <= tuning.frozen if tuning.frozen else False
        kept = isinstance(layer, keras.layers.BatchNormalization) and not tuning.tune_norms
        layer.trainable = not frozen and not kept
        for variable in layer.trainable_variables:
            variable.rate = tuning.decay ** (tuning.blocks + 2 - place)


def _network(train: Examples, tuning: Tuning, phase: Phase, before: list[np.ndarray] | None) -> Any:
    network = build_lite(
        tuning.variant,
        phase.side,
        phase.side,
        train.x.shape[-1],
        len(train.labels),
        dropout=tuning.dropout,
        drop_connect=tuning.drop_connect,
    )
    if before is None:
        load_weights(network, tuning.variant)
    else:
        network.set_weights(before)
    set_rates(network, tuning)
    return network


def _run(
    network: Any,
    train: Examples,
    held_back: Examples,
    tuning: Tuning,
    options: LoopOptions,
    events: Events,
) -> History:
    """Train `network` in place."""
    front, back = split_at(network, tuning.frozen) if tuning.frozen else (None, network)
    found = options.checkpoint
    if found and found.history.is_over(options.epochs, options.patience, options.minutes):
        for variable, value in zip(back.variables, found.best, strict=True):
            variable.assign(value)
        return found.history
    side = network.input_shape[1]
    train, held_back = resized(train, side), resized(held_back, side)
    if front is not None:
        view = View(front, options.normalise, options.seed)
        normalise = view.measure(train)
        through = partial(seen_through, view, normalise=normalise, events=events)
        steps, paths = options.augment, [options.state / name for name in _VIEWS]
        options.state.mkdir(parents=True, exist_ok=True)
        train = through(train, steps=steps, count=tuning.views, path=paths[0])
        held_back = through(held_back, steps=(), count=1, path=paths[1])
        options = replace(options, normalise=normalise, augment=())
    history = fit(lambda: back, train, held_back, options, events)[1]
    for name in _VIEWS:
        (options.state / name).unlink(missing_ok=True)
    return history
