"""Fine-tuning EfficientNet-Lite: the pretrained network learns on, its first blocks stay.

Three things make it affordable on a CPU:

- The first blocks keep their weights, so that their output is computed once for each view of a
  picture and kept (`views.py`); only the blocks behind them are trained, by the one loop.
- Phases: on small pictures first, then on larger ones (progressive resizing, Howard 2018, and
  Touvron et al., "Fixing the train-test resolution discrepancy", 2019, arXiv:1906.06423).
- The learning rate falls from the last layer towards the first (discriminative rates, Howard and
  Ruder, "Universal Language Model Fine-tuning", ACL 2018, arXiv:1801.06146).
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import keras

from .checkpoint import load
from .data import Examples
from .events import Events
from .history import History
from .loop import chooses_by_loss, fit
from .loop_options import LoopOptions
from .networks import for_task
from .networks_lite import build_lite, depth, load_weights
from .tuning import Phase, Tuning
from .views import View, resized, seen_through
from .warm import Begin

__all__ = ["finetune", "set_rates", "split_at"]

_FILES = ("train.npy", "held_back.npy", "train_views.npy", "held_back_views.npy")
"""In the folder of a phase, while it is trained."""


def finetune(
    train: Examples,
    held_back: Examples,
    tuning: Tuning,
    options: LoopOptions,
    events: Events,
    *,
    begin: Begin | None = None,
    overwrite: bool = False,
) -> tuple[Any, History]:
    """Train on pictures of any one size: the whole network, and the last phase's history.

    The network takes (N, S, S, C), S the side of the last phase.

    `options.normalise` is the pixels'; its `epochs` are those of each phase, its `minutes` those of
    all phases and their views together, and its `checkpoint` is not used: each phase has its own,
    in a folder of `options.state`, so that a training that was stopped goes on with the phase and
    epoch it had reached. Everything is a function of the seed. The best epoch of each phase is
    kept, by the held-back pictures at that phase's size.

    `begin`: gives the network its first weights, instead of those of ImageNet.

    Raises RunError where a phase has the checkpoint of another training; `overwrite` begins anew.
    """
    network, history, spent_s = None, History(), 0.0
    for number, phase in enumerate(tuning.phases):
        start = time.monotonic()
        events.note(f"Phase {number + 1} of {len(tuning.phases)}: {phase.side} pixels.")
        before = network.get_weights() if network else None
        keras.utils.set_random_seed(options.seed + number)
        network = for_task(_network(train, tuning, phase), train.task)
        if before is not None:
            network.set_weights(before)
        elif begin is not None:
            begin(network)
        else:
            load_weights(network, tuning.variant)
        state = options.state / f"phase{number + 1}"
        at_phase = replace(
            options,
            state=state,
            minutes=_minutes(options.minutes, spent_s, tuning.phases[number:]),
            learning_rate=options.learning_rate * phase.rate,
            checkpoint=load(state, options.job, overwrite),
        )
        history = _run(network, train, held_back, tuning, at_phase, events)
        spent_s += max(history.seconds, time.monotonic() - start)
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


def _minutes(minutes: float | None, spent_s: float, left: Sequence[Phase]) -> float | None:
    """The share of the first of the phases that are `left`, by the pixels of each."""
    if minutes is None:
        return None
    return max(0.0, minutes - spent_s / 60) * left[0].side ** 2 / sum(p.side**2 for p in left)


def _network(train: Examples, tuning: Tuning, phase: Phase) -> Any:
    network = build_lite(
        tuning.variant,
        phase.side,
        phase.side,
        train.x.shape[-1],
        len(train.labels),
        dropout=tuning.dropout,
        drop_connect=tuning.drop_connect,
    )
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
    start = time.monotonic()
    front, back = split_at(network, tuning.frozen) if tuning.frozen else (None, network)
    found = options.checkpoint
    done = replace(found.history, by_loss=chooses_by_loss(train, options)) if found else History()
    if found and done.is_over(options.epochs, options.patience, options.minutes):
        for variable, value in zip(back.variables, found.best, strict=True):
            variable.assign(value)
        return done
    side = network.input_shape[1]
    paths = [options.state / name for name in _FILES]
    train, held_back = resized(train, side, paths[0]), resized(held_back, side, paths[1])
    if front is not None:
        view = View(front, options.normalise, options.seed)
        normalise = view.measure(train)
        through = partial(seen_through, view, normalise=normalise, events=events)
        count = tuning.views_of(len(train))
        train = through(train, steps=options.augment, count=count, path=paths[2])
        held_back = through(held_back, steps=(), count=1, path=paths[3])
        options = replace(options, normalise=normalise, augment=())
    if options.minutes is not None:
        options = replace(options, minutes=options.minutes - (time.monotonic() - start) / 60)
    history = fit(lambda: back, train, held_back, options, events)[1]
    for path in paths:
        path.unlink(missing_ok=True)
    return history
