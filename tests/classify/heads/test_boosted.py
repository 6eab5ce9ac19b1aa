"""Boosted trees: bins, and the exported thresholds."""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier

from pixelmine.classify.heads import fit_head
from pixelmine.classify.heads.boosted import BoostedOptions, in_bins
from pixelmine.core.errors import UsageError

VALUES = st.floats(-(2.0**100), 2.0**100, width=32)


@given(arrays(np.float32, st.tuples(st.integers(1, 400), st.just(1)), elements=VALUES))
def test_a_value_moves_to_the_nearest_that_was_chosen(x: np.ndarray) -> None:
    moved = in_bins(x)
    chosen = np.unique(moved)
    assert len(chosen) <= 255
    assert np.isin(chosen, x).all()
    gaps = np.abs(x.astype(np.float64) - chosen.astype(np.float64))
    np.testing.assert_array_equal(np.abs(x.astype(np.float64) - moved)[:, 0], gaps.min(axis=1))


def test_few_values_stay_as_they_are() -> None:
    x = np.arange(2000, dtype=np.float32)[:, None] % 17
    x[5] = 40
    np.testing.assert_array_equal(in_bins(x), x)


def test_it_is_scikit_learns_own_model() -> None:
    x, y = load_digits(return_X_y=True)
    options = BoostedOptions(rounds=5)
    head = fit_head("boosted", x[:400], y[:400], classes=10, options=options)
    peer = HistGradientBoostingClassifier(max_iter=5).fit(x[:400], y[:400])
    np.testing.assert_allclose(head.logits(x), peer.decision_function(x), atol=1e-5)


def test_values_at_a_threshold_go_the_same_way_in_the_graph() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(3000, 2)).astype(np.float32)
    y = ((x * 3).round().sum(axis=1) % 2).astype(np.int64)
    head = fit_head("boosted", x, y, classes=2, options=BoostedOptions(rounds=5, smallest_leaf=5))
    nodes = [tree.nodes for trees in head.scorer.models[0]._predictors for tree in trees]
    edges = np.concatenate([n["num_threshold"][n["is_leaf"] == 0] for n in nodes])
    at = edges.astype(np.float32)
    sides = [np.nextafter(at, np.float32(-9)), at, np.nextafter(at, np.float32(9))]
    probe = np.stack([np.concatenate(sides)] * 2, axis=1)
    session = ort.InferenceSession(head.to_onnx(), providers=["CPUExecutionProvider"])
    found = session.run(["logits"], {"features": probe})[0]
    np.testing.assert_allclose(found, head.logits(probe), atol=1e-5)


@pytest.mark.parametrize("name", ["rounds", "leaves", "smallest_leaf"])
@pytest.mark.parametrize("value", [0, 2.5, True])
def test_counts_are_whole_numbers(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a whole number"):
        BoostedOptions(**{name: value})
