"""scikit-learn's histogram gradient boosting as one `TreeEnsembleRegressor` of `ai.onnx.ml`."""

from typing import Any

import numpy as np

from .graph import Graph

__all__ = ["emit_trees"]


def emit_trees(graph: Graph, x: str, model: Any, name: str) -> str:
    """Add a fitted HistGradientBoostingClassifier: float32 (N, D) to its decision values.

    They are float32 (N, S), or (N, 1) for two classes. scikit-learn keeps the trees in attributes
    that are not public (`_predictors`, `_baseline_prediction`); the contract test compares answers.
    """
    forest = [
        (target, tree.nodes) for trees in model._predictors for target, tree in enumerate(trees)
    ]
    nodes = np.concatenate([found for _, found in forest])
    sizes = [len(found) for _, found in forest]
    trees = np.repeat(np.arange(len(forest)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    leaf = nodes["is_leaf"].astype(bool)
    base = np.ravel(model._baseline_prediction)
    return graph.node(
        "TreeEnsembleRegressor",
        [x],
        name,
        domain="ai.onnx.ml",
        n_targets=len(base),
        base_values=base.tolist(),
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=trees.tolist(),
        nodes_nodeids=places.tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_featureids=np.where(leaf, 0, nodes["feature_idx"]).tolist(),
        nodes_values=np.where(leaf, 0, _rounded_down(nodes["num_threshold"])).tolist(),
        nodes_truenodeids=np.where(leaf, 0, nodes["left"]).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, nodes["right"]).tolist(),
        target_treeids=trees[leaf].tolist(),
        target_nodeids=places[leaf].tolist(),
        target_ids=np.repeat([target for target, _ in forest], sizes)[leaf].tolist(),
        target_weights=nodes["value"][leaf].tolist(),
    )


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above: x <= threshold then holds for the same float32 x."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)
