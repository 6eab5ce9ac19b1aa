"""Gradient boosting of decision trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

from .examples import Examples
from .graph import Graph
from .head import HeadKind, HeadOptions, check_count
from .trees import emit_trees

__all__ = ["BOOSTED", "BoostedOptions", "in_bins"]

_BINS = 255
"""As many as scikit-learn has."""

_HALVES = np.array([-0.5, 0.5], np.float32)


@dataclass(frozen=True, kw_only=True)
class BoostedOptions(HeadOptions):
    """How many trees, and how large.

    `rounds`, `rate`, `leaves`, `smallest_leaf`: scikit-learn's `max_iter`, `learning_rate`,
    `max_leaf_nodes` and `min_samples_leaf`, with its defaults: good without tuning on some thousand
    rows. Time grows with rounds, classes, rows and dimensions. `balanced`: classes cost the same
    however rare they are; off, since it takes the frequencies out of the probabilities.
    """

    rounds: int = 100
    rate: float = 0.1
    leaves: int = 31
    smallest_leaf: int = 20
    balanced: bool = False

    def __post_init__(self) -> None:
        check_positive("rate", self.rate)
        for name in ("rounds", "leaves", "smallest_leaf"):
            check_count(name, getattr(self, name))
        if self.leaves < 2:
            raise UsageError("leaves must be at least 2. Got 1 instead.")


@dataclass(frozen=True)
class Forests:
    """One model of all S classes, or, with `multi`ple labels a picture, one a label.

    Where there is nothing to tell apart, a constant stands for the model. The graph uses
    `ai.onnx.ml`, which ONNX Runtime alone runs.
    """

    models: tuple[Any, ...]
    multi: bool

    def scores(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:  # noqa: ARG002  one of two is used
        """Float32 (N, D) to float32 (N, S); of two classes, half the log-odds against and for."""
        found = np.concatenate([_scores(model, x) for model in self.models], axis=1)
        return found if self._whole(found.shape[1]) else found * _HALVES

    def emit(self, graph: Graph, x: str, z: str) -> str:  # noqa: ARG002  one of two is used
        """The same as nodes of a graph."""
        names = [_emit(graph, x, model, f"boosted/{at}") for at, model in enumerate(self.models)]
        found = graph.node("Concat", names, "boosted/scores", axis=1)
        if self._whole(_columns(self.models[0])):
            return found
        halves = graph.constant("boosted/halves", _HALVES)
        return graph.node("Mul", [found, halves], "boosted/pair")

    def _whole(self, columns: int) -> bool:
        return self.multi or columns > 1 or isinstance(self.models[0], float)


def _scores(model: Any, x: np.ndarray) -> np.ndarray:
    if isinstance(model, float):
        return np.full((len(x), 1), model, np.float32)
    return np.asarray(model.decision_function(x), np.float32).reshape(len(x), -1)


def _columns(model: Any) -> int:
    return 1 if isinstance(model, float) else int(model.n_trees_per_iteration_)


def _emit(graph: Graph, x: str, model: Any, name: str) -> str:
    if not isinstance(model, float):
        return emit_trees(graph, x, model, name)
    nothing = graph.constant(f"{name}/nothing", np.zeros((graph.dimensions, 1)))
    odds = graph.constant(f"{name}/odds", [model])
    return graph.node("Gemm", [x, nothing, odds], name)


def fit_boosted(examples: Examples, options: BoostedOptions) -> Forests:
    """Fit on the features as they come: trees ask only for their order."""
    costs = examples.costs(options.balanced)
    x = in_bins(examples.x)
    if not examples.multi:
        if len(examples.present) == 1:
            return Forests((0.0,), multi=False)
        y = examples.targets.argmax(axis=1)
        return Forests((_fit(x, y, costs[:, 0], options, examples.seed),), multi=False)
    odds = float(np.log(len(x) + 1))
    labels = zip(examples.targets.T, costs.T, examples.present, strict=True)
    models = [
        _fit(x, y, cost, options, examples.seed) if varies else odds if y[0] else -odds
        for y, cost, varies in labels
    ]
    return Forests(tuple(models), multi=True)


def in_bins(x: np.ndarray) -> np.ndarray:
    """Float32 (N, D) with each value moved to the nearest of 255 of its column, one in each bin.

    scikit-learn bins too, but, where examples have weights, by a percentile at a time in Python: a
    quarter of a second a dimension. Values so few it takes as they are. Its thresholds are halfway
    between two, where the nearest changes: a tree answers the same to a value and to where it was
    moved.
    """
    shares = (np.arange(_BINS) + 0.5) / _BINS
    moved = np.empty_like(x)
    for at in range(x.shape[1]):
        chosen = np.unique(x[:, at])
        if len(chosen) > _BINS:
            chosen = np.unique(np.quantile(x[:, at], shares, method="inverted_cdf"))
        exact = chosen.astype(np.float64)
        halfway = (exact[1:] + exact[:-1]) / 2
        moved[:, at] = chosen[np.searchsorted(halfway, x[:, at])]
    return moved


def _fit(
    x: np.ndarray, y: np.ndarray, costs: np.ndarray, options: BoostedOptions, seed: int
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=options.rounds,
        learning_rate=options.rate,
        max_leaf_nodes=options.leaves,
        min_samples_leaf=options.smallest_leaf,
        max_bins=_BINS,
        early_stopping=False,  # needs two examples of each class
        random_state=seed,
    )
    return model.fit(x, y, costs)


BOOSTED = HeadKind(BoostedOptions, fit_boosted)
