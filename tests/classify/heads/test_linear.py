"""Linear heads against scikit-learn, and going on from an earlier fit."""

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pixelmine.classify.heads import HEADS, Start, convex, fit_head, start_of
from pixelmine.classify.heads.scale import Scale
from pixelmine.core.errors import ModelError, TrainError, UsageError

SCALE = Scale(np.zeros(1, np.float32), np.ones(1, np.float32))
COUNTS = np.zeros(10)
NAMES = [f"digit {number}" for number in range(10)]


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return x.astype(np.float32)[:800], y.astype(np.int64)[:800]


def options(kind: str, **values: object) -> object:
    return HEADS.get(kind).options(**values)


@pytest.mark.parametrize("balanced", [False, True])
def test_it_is_multinomial_logistic_regression(
    digits: tuple[np.ndarray, np.ndarray], balanced: bool
) -> None:
    x, y = digits[0], np.minimum(digits[1], 6)
    found = fit_head("linear", x, y, classes=7, options=options("linear", balanced=balanced))
    z = StandardScaler().fit_transform(x)
    weight = "balanced" if balanced else None
    peer = LogisticRegression(C=0.01, tol=1e-6, max_iter=1000, class_weight=weight).fit(z, y)
    np.testing.assert_allclose(found.logits(x), peer.decision_function(z), atol=0.02)


def test_several_labels_are_as_many_logistic_regressions(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    truth = np.stack([y % 2 == 0, y > 6], axis=1)
    found = fit_head("linear", x, truth, classes=2, multi=True).logits(x)
    z = StandardScaler().fit_transform(x)
    for label in range(2):
        peer = LogisticRegression(C=0.01, tol=1e-6).fit(z, truth[:, label])
        np.testing.assert_allclose(found[:, label], peer.decision_function(z), atol=0.02)


def test_svm_is_a_linear_svc_with_a_free_intercept(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    found = fit_head("svm", x, y, classes=10)
    z = StandardScaler().fit_transform(x)
    peer = LinearSVC(C=0.001, dual=False, intercept_scaling=300, tol=1e-6).fit(z, y)
    np.testing.assert_allclose(found.logits(x), peer.decision_function(z), atol=0.02)


@pytest.mark.parametrize("loss", [convex.softmax, convex.sigmoid, convex.hinge])
def test_gradients_are_the_slopes_of_the_losses(loss: convex.Loss) -> None:
    rng = np.random.default_rng(2)
    scores, targets = rng.normal(size=(6, 4)) * 3, np.eye(4, dtype=bool)[[0, 1, 2, 3, 0, 1]]
    expected = np.empty_like(scores)
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-6
        rise = loss(scores + step, targets)[0].sum() - loss(scores - step, targets)[0].sum()
        expected[place] = rise / 2e-6
    np.testing.assert_allclose(loss(scores, targets)[1], expected, atol=1e-5)


@pytest.mark.parametrize("loss", [convex.softmax, convex.sigmoid, convex.hinge])
def test_losses_of_large_scores_are_finite(loss: convex.Loss) -> None:
    scores = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    for part in loss(scores, np.array([[True, False], [True, False]])):
        assert np.isfinite(part).all()


def test_what_does_not_settle_is_said(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convex, "_ITERATIONS", 3)
    with pytest.raises(TrainError, match="Use a smaller C"):
        fit_head("linear", *digits, classes=10)


def test_a_start_gives_the_scores_of_the_head(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    kept = y != 3
    head = fit_head("linear", x[kept], y[kept], classes=10)
    start = start_of(head, NAMES, COUNTS)
    scores = start.scale(x) @ start.weight.T + start.bias
    np.testing.assert_allclose(scores[:, kept[:10]], head.logits(x)[:, kept[:10]], atol=1e-3)
    assert start.known.tolist() == [number != 3 for number in range(10)]


def test_a_start_survives_its_file(digits: tuple[np.ndarray, np.ndarray]) -> None:
    start = start_of(fit_head("linear", *digits, classes=10), NAMES, COUNTS)
    again = Start.from_weights(load(save(start.weights())))
    assert again.labels == start.labels
    np.testing.assert_array_equal(again.weight, start.weight)
    np.testing.assert_array_equal(again.bias, start.bias)


def test_a_new_class_is_added_without_starting_again(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits
    old = y < 9
    start = start_of(fit_head("linear", x[old], y[old], classes=9), NAMES[:9], COUNTS[:9]).aligned(
        NAMES
    )
    assert start.known.tolist() == [True] * 9 + [False]
    steps: list[int] = []
    minimize = convex.minimize

    def counted(*args: object, **settings: object) -> object:
        found = minimize(*args, **settings)
        steps.append(found.nit)
        return found

    monkeypatch.setattr(convex, "minimize", counted)
    cold = fit_head("linear", x, y, classes=10)
    warm = fit_head("linear", x, y, classes=10, start=start)
    assert steps[1] < steps[0]
    agree = warm.logits(x).argmax(axis=1) == cold.logits(x).argmax(axis=1)
    assert agree.mean() > 0.97


def test_few_pictures_move_what_was_known_little_and_many_as_far_as_they_want(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    kept = np.arange(len(y)) % 2 == 0
    start = start_of(fit_head("linear", x[kept], y[kept], classes=10), NAMES, COUNTS)
    few, other = np.flatnonzero(kept)[:20], ~kept
    moved = start_of(fit_head("linear", x[few], y[few], classes=10, start=start), NAMES, COUNTS)
    cold = fit_head("linear", x[few], y[few], classes=10)
    knows = moved.scale(x[other]) @ moved.weight.T + moved.bias
    right = (knows.argmax(axis=1) == y[other]).mean()
    assert right > (cold.logits(x[other]).argmax(axis=1) == y[other]).mean() + 0.1
    wrong = (y + 1) % 10  # now everything is called otherwise
    many = fit_head("linear", x, wrong, classes=10, start=start)
    assert (many.logits(x).argmax(axis=1) == wrong).mean() > 0.9


def test_a_class_the_data_lack_keeps_its_weights(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    start = start_of(fit_head("linear", x, y, classes=10), NAMES, COUNTS)
    kept = y != 3
    again = start_of(fit_head("linear", x[kept], y[kept], classes=10, start=start), NAMES, COUNTS)
    np.testing.assert_allclose(again.weight[3], start.weight[3], atol=1e-5)
    assert np.abs(again.weight[4] - start.weight[4]).max() > 1e-5


def test_labels_are_aligned_by_name() -> None:
    start = Start(("a", "b"), np.array([[1.0], [2.0]]), np.array([3.0, 4.0]), SCALE, np.ones(2))
    found = start.aligned(["c", "b"])
    assert found.labels == ("c", "b")
    assert found.weight.tolist() == [[0.0], [2.0]]
    assert found.bias.tolist() == [0.0, 4.0]


def test_only_linear_heads_go_on(digits: tuple[np.ndarray, np.ndarray]) -> None:
    svm = fit_head("svm", *digits, classes=10)
    with pytest.raises(UsageError, match="Got svm instead"):
        start_of(svm, NAMES, COUNTS)
    start = start_of(fit_head("linear", *digits, classes=10), NAMES, COUNTS)
    with pytest.raises(UsageError, match="Got svm instead"):
        fit_head("svm", *digits, classes=10, start=start)
    with pytest.raises(UsageError, match=r"\(11, 64\)"):
        fit_head("linear", *digits, classes=11, start=start)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", np.frombuffer(b"[1, 2]", np.uint8)),
        ("labels", np.frombuffer(b'["a", "a"]', np.uint8)),
        ("labels", np.frombuffer(b"not json", np.uint8)),
        ("labels", np.frombuffer(b"\xff", np.uint8)),
        ("weight", np.ones((3, 1))),
        ("weight", np.full((2, 1), np.nan)),
        ("bias", np.ones((2, 1))),
        ("bias", None),
        ("counts", np.ones(3)),
        ("mean", np.ones(2)),
        ("factor", np.full(1, np.inf)),
    ],
)
def test_other_weights_are_refused(name: str, value: np.ndarray | None) -> None:
    weights = Start(("a", "b"), np.ones((2, 1)), np.ones(2), SCALE, np.ones(2)).weights()
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    with pytest.raises(ModelError, match="not those of a linear head"):
        Start.from_weights(weights)


def test_a_class_that_few_pictures_are_left_of_counts_as_much_as_it_did(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    old, test = y[:400] < 8, (y < 8) & (np.arange(len(y)) >= 400)
    learnt = np.flatnonzero(old)
    few = np.concatenate([np.flatnonzero(y[:400] == digit)[:2] for digit in range(8)])
    rows = np.concatenate([few, np.flatnonzero(~old)])
    head = fit_head("linear", x[learnt], y[learnt], classes=8)
    right = {}
    for name, counts in (("forgets", np.zeros(8)), ("remembers", np.bincount(y[learnt]))):
        start = start_of(head, NAMES[:8], counts).aligned(NAMES)
        both = fit_head("linear", x[rows], y[rows], classes=10, start=start)
        right[name] = (both.logits(x[test]).argmax(axis=1) == y[test]).mean()
    assert right["remembers"] > right["forgets"] + 0.05
