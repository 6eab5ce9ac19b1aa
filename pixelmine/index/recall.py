"""How much of the nearest an index finds, measured against comparing with every vector."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import lance

__all__ = ["Recall", "measure"]

Setting = TypeVar("Setting")

_K = 10
_EQUAL = 1e-6
"""Of cosines: what is as near as the last of the exact ones counts as found."""


@dataclass(frozen=True, kw_only=True)
class Recall:
    """`value`: mean share of the exact `k` nearest that were found; `low`: of its 95 % interval.

    `queries`: how many vectors of the table were asked for, each left out of its own answer.
    """

    value: float
    low: float
    k: int
    queries: int


def measure(
    newest: "lance.LanceDataset",
    search: Callable[[np.ndarray, int, Setting], pa.Table],
    settings: Sequence[Setting],
    *,
    wanted: float,
    queries: int,
    seed: int,
) -> tuple[Setting, Recall]:
    """The first of `settings` whose recall is `wanted` at least by its low end, else the last.

    `search` gives `picture_id` and `_distance` (1 less the cosine) of the k nearest of a vector.
    """
    rows = newest.count_rows()
    places = np.random.default_rng(seed).choice(rows, min(queries, rows), replace=False)
    asked = newest.take(np.sort(places).tolist(), columns=["picture_id", "values"])
    names = asked["picture_id"].to_pylist()
    vectors = asked["values"].combine_chunks().flatten().to_numpy().reshape(len(names), -1)
    least = _exact(newest, _unit(vectors))
    for setting in settings:
        shares = [
            _share(search(vector, _K + 1, setting), name, bar)
            for vector, name, bar in zip(vectors, names, least, strict=True)
        ]
        mean, spread = float(np.mean(shares)), float(np.std(shares, ddof=1))
        low = max(0.0, mean - 1.96 * spread / len(shares) ** 0.5)
        recall = Recall(value=round(mean, 5), low=round(low, 5), k=_K, queries=len(shares))
        if low >= wanted:
            break
    return setting, recall


def _share(found: pa.Table, name: str, bar: float) -> float:
    cosines = [
        1 - distance
        for other, distance in zip(*(found[c].to_pylist() for c in found.schema.names), strict=True)
        if other != name
    ]
    near = sum(1 for cosine in cosines[:_K] if cosine >= bar - _EQUAL)
    return near / _K


def _exact(newest: "lance.LanceDataset", vectors: np.ndarray) -> np.ndarray:
    """The cosine of the k-th nearest of each of (Q, D) vectors in the table, itself left out."""
    best = np.full((len(vectors), _K + 1), -np.inf, np.float32)
    for batch in newest.to_batches(columns=["values"]):
        values = batch["values"].flatten().to_numpy().reshape(batch.num_rows, -1)
        both = np.concatenate([best, vectors @ _unit(values).T], axis=1)
        best = -np.partition(-both, _K, axis=1)[:, : _K + 1]
    best.sort(axis=1)
    return best[:, 0]  # the (k+1)-th of all, itself being the first of them


def _unit(vectors: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(size, 1e-30), np.float32)
