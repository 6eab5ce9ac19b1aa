"""Linear heads against scikit-learn, and going on from an earlier fit."""

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pixelmine.classify.heads import HEADS, Start, convex, fit_head, start_of
from pixelmine.core.errors import ModelError, TrainError, UsageError

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
    start = start_of(head, NAMES)
    scores = x @ start.coefficients.T + start.intercept
    np.testing.assert_allclose(scores[:, kept[:10]], head.logits(x)[:, kept[:10]], atol=1e-3)
    assert start.known.tolist() == [number != 3 for number in range(10)]


def test_a_start_survives_its_file(digits: tuple[np.ndarray, np.ndarray]) -> None:
    start = start_of(fit_head("linear", *digits, classes=10), NAMES)
    again = Start.from_weights(load(save(start.weights())))
    assert again.labels == start.labels
    np.testing.assert_array_equal(again.coefficients, start.coefficients)
    np.testing.assert_array_equal(again.intercept, start.intercept)


def test_a_new_class_is_added_without_starting_again(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits
    old = y < 9
    start = start_of(fit_head("linear", x[old], y[old], classes=9), NAMES[:9]).aligned(NAMES)
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
    np.testing.assert_allclose(warm.logits(x), cold.logits(x), atol=0.05)


def test_going_on_from_the_end_takes_no_steps(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = fit_head("linear", *digits, classes=10)
    monkeypatch.setattr(convex, "_ITERATIONS", 3)
    again = fit_head("linear", *digits, classes=10, start=start_of(head, NAMES))
    np.testing.assert_allclose(again.logits(digits[0]), head.logits(digits[0]), atol=0.02)


def test_a_class_the_data_lack_keeps_its_coefficients(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    start = start_of(fit_head("linear", x, y, classes=10), NAMES)
    kept = y != 3
    again = start_of(fit_head("linear", x[kept], y[kept], classes=10, start=start), NAMES)
    np.testing.assert_allclose(again.coefficients[3], start.coefficients[3], atol=1e-5)
    assert np.abs(again.coefficients[4] - start.coefficients[4]).max() > 1e-5


def test_labels_are_aligned_by_name() -> None:
    start = Start(("a", "b"), np.array([[1.0], [2.0]]), np.array([3.0, 4.0]))
    found = start.aligned(["c", "b"])
    assert found.labels == ("c", "b")
    assert found.coefficients.tolist() == [[0.0], [2.0]]
    assert found.intercept.tolist() == [0.0, 4.0]


def test_only_linear_heads_go_on(digits: tuple[np.ndarray, np.ndarray]) -> None:
    svm = fit_head("svm", *digits, classes=10)
    with pytest.raises(UsageError, match="Got svm instead"):
        start_of(svm, NAMES)
    start = start_of(fit_head("linear", *digits, classes=10), NAMES)
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
        ("coefficients", np.ones((3, 1))),
        ("coefficients", np.full((2, 1), np.nan)),
        ("intercept", np.ones((2, 1))),
        ("intercept", None),
    ],
)
def test_other_weights_are_refused(name: str, value: np.ndarray | None) -> None:
    weights = Start(("a", "b"), np.ones((2, 1)), np.ones(2)).weights()
    if value is None:
        del weights[name]
    else:
        weights[name] = value
    with pytest.raises(ModelError, match="not those of a linear head"):
        Start.from_weights(weights)
