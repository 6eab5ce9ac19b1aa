"""Fit a head of any kind: checks, the scale, and the classes that the data lack."""

from typing import Any

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry

from .examples import Examples, check_features, check_labels, check_weights
from .fitted import FittedHead
from .head import HeadKind, HeadOptions
from .scale import Scale
from .start import Start

__all__ = ["HEADS", "fit_head"]

HEADS: Registry[HeadKind] = Registry(
    "head",
    {
        "linear": "pixelmine.classify.heads.linear:LINEAR",
        "svm": "pixelmine.classify.heads.svm:SVM",
        "nearest": "pixelmine.classify.heads.nearest:NEAREST",
        "boosted": "pixelmine.classify.heads.boosted:BOOSTED",
    },
)


def fit_head(
    kind: str,
    x: np.ndarray,
    y: np.ndarray,
    *,
    classes: int,
    multi: bool = False,
    options: HeadOptions | None = None,
    seed: int = 1,
    sample_weight: np.ndarray | None = None,
    start: Start | None = None,
) -> FittedHead:
    """Fit the head of that kind. The same arguments give the same head.

    `x`: float32 (N, D), N >= 1, finite, of any scale. `y`: int64 (N,), 0 to K - 1, or, with
    `multi`, bool (N, K). `classes`: K; the data may lack some. `options`: of the kind's own class;
    None: its defaults. `sample_weight`: (N,), above 0; an example of weight 2 counts as two.
    `start`: a linear head's weights to go on from, `aligned` to the K labels.

    A class without an example gets 1 / (N + K) of what the best class gets, and so is never the
    answer. A label that none or all of the pictures have is answered as they are, never with
    certainty. Raises UsageError for arguments that are not as said.
    """
    made: HeadKind = HEADS.get(kind)
    options = made.options() if options is None else options
    if not isinstance(options, made.options):
        wanted, got = made.options.__name__, type(options).__name__
        raise UsageError(f"The options of {kind} must be {wanted}. Got {got} instead.")
    x = check_features(np.asarray(x))
    targets = check_labels(np.asarray(y), len(x), classes, multi)
    _check_start(start, made, kind, classes, x.shape[1])
    scale = start.scale if start else Scale.fit(x)
    seen = np.arange(classes) if multi else np.flatnonzero(_seen(targets, start))
    examples = Examples(
        x=x,
        z=scale(x),
        scale=scale,
        targets=targets[:, seen],
        multi=multi,
        weights=check_weights(sample_weight, len(x)),
        seed=seed,
        start=start.rows(seen) if start else None,
    )
    scorer = made.fit(examples, options)
    return FittedHead(kind, classes, scale, scorer, seen, float(np.log(len(x) + classes)))


def _seen(targets: np.ndarray, start: Start | None) -> Any:
    found = targets.any(axis=0)
    return found | start.known if start else found


def _check_start(
    start: Start | None, made: HeadKind, kind: str, classes: int, dimensions: int
) -> None:
    if start is None:
        return
    if not made.continues:
        raise UsageError(f"Only a linear head can go on from an earlier one. Got {kind} instead.")
    if start.weight.shape != (classes, dimensions):
        raise UsageError(
            f"A start for {classes} classes and {dimensions} dimensions must have weights "
            f"{(classes, dimensions)}. Got {start.weight.shape} instead."
        )
