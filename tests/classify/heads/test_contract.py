"""Every head passes the same contract."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov
import pytest
from sklearn.datasets import load_digits, load_wine

from pixelmine.classify.heads import HEADS, Fitted, HeadOptions, fit_head
from pixelmine.core.errors import UsageError

TOLERANCE = 1e-4
"""Between logits, in units of the largest where that is above 1: float32 keeps seven digits, and
nearest and the kernel take small distances from the difference of large numbers."""


class Case(NamedTuple):
    kind: str
    options: Mapping[str, Any]
    accuracy: float


CASES = {
    "linear": Case("linear", {}, 0.93),
    "svm": Case("svm", {}, 0.92),
    "svm-rbf": Case("svm", {"kernel": "rbf", "landmarks": 300}, 0.96),
    "nearest": Case("nearest", {"k": 5}, 0.95),
    "nearest-euclidean": Case("nearest", {"metric": "euclidean"}, 0.96),
    "boosted": Case("boosted", {"rounds": 10, "leaves": 8}, 0.88),
}
ROWS = 600


def options(case: Case, **more: Any) -> HeadOptions:
    return HEADS.get(case.kind).options.from_dict({**case.options, **more})


def fit(case: Case, x: np.ndarray, y: np.ndarray, **settings: Any) -> Fitted:
    return fit_head(case.kind, x, y, options=options(case), **settings)


def on_onnx_runtime(head: Fitted, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = ort.InferenceSession(head.to_onnx(), providers=["CPUExecutionProvider"])
    logits, embedding = session.run(["logits", "embedding"], {"features": x})
    return logits, embedding


def on_openvino(head: Fitted, x: np.ndarray) -> np.ndarray:
    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(head.to_onnx()), "CPU", settings)
    return np.array(model.create_infer_request().infer({"features": x})["logits"])


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == expected.dtype == np.float32
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)


def assert_runtimes_agree(case: Case, head: Fitted, x: np.ndarray) -> None:
    expected = head.logits(x)
    assert np.isfinite(expected).all()
    assert_same(on_onnx_runtime(head, x)[0], expected)
    if case.kind != "boosted":  # OpenVINO has no trees
        assert_same(on_openvino(head, x), expected)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits in a random order: float32 (1797, 64) of 0 to 16, int64 (1797,)."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(x))
    return x[order].astype(np.float32), y[order].astype(np.int64)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def head(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> Fitted:
    x, y = digits
    return fit(case, x[:ROWS], y[:ROWS], classes=10)


@pytest.fixture(scope="module")
def held_out(digits: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return digits[0][ROWS:], digits[1][ROWS:]


def test_every_registered_head_has_a_case() -> None:
    assert {case.kind for case in CASES.values()} == set(HEADS.names())


def test_it_learns(case: Case, head: Fitted, held_out: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = held_out
    assert (head.logits(x).argmax(axis=1) == y).mean() > case.accuracy


def test_shapes_and_names(case: Case, head: Fitted) -> None:
    assert (head.kind, head.classes, head.dimensions) == (case.kind, 10, 64)
    model = onnx.load_model_from_string(head.to_onnx())
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    domains = {entry.domain: entry.version for entry in model.opset_import}
    trees = {"ai.onnx.ml": 3} if case.kind == "boosted" else {}
    assert domains == {"": 17, **trees}
    logits, embedding = on_onnx_runtime(head, np.ones((3, 64), np.float32))
    assert (logits.shape, embedding.shape) == ((3, 10), (3, 64))
    assert head.logits(np.ones((0, 64), np.float32)).shape == (0, 10)


def test_the_runtimes_answer_as_the_trainer(
    case: Case, head: Fitted, held_out: tuple[np.ndarray, np.ndarray]
) -> None:
    assert_runtimes_agree(case, head, held_out[0])


def test_the_embedding_is_the_standardised_features(
    head: Fitted, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    x = digits[0][:ROWS]
    spread = x.std(axis=0, dtype=np.float64)
    expected = (x - x.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, np.inf)
    np.testing.assert_allclose(on_onnx_runtime(head, x)[1], expected, atol=1e-4)


def test_batches_do_not_matter_nor_does_their_order(
    head: Fitted, held_out: tuple[np.ndarray, np.ndarray]
) -> None:
    x = held_out[0][:40]
    session = ort.InferenceSession(head.to_onnx(), providers=["CPUExecutionProvider"])
    for ask in (head.logits, lambda part: session.run(["logits"], {"features": part})[0]):
        whole = ask(x)
        assert_same(np.concatenate([ask(x[:1]), ask(x[1:18]), ask(x[18:])]), whole)
        assert_same(ask(x[::-1])[::-1], whole)


def test_the_same_seed_gives_the_same_bytes(
    case: Case, head: Fitted, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    again = fit(case, digits[0][:ROWS], digits[1][:ROWS], classes=10)
    assert again.to_onnx() == head.to_onnx() == head.to_onnx()


def test_the_order_of_rows_does_not_change_what_is_learnt(
    case: Case, head: Fitted, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = digits[0][:ROWS][::-1], digits[1][:ROWS][::-1]
    again, probe = fit(case, x, y, classes=10), digits[0][ROWS : ROWS + 400]
    same = again.logits(probe).argmax(axis=1) == head.logits(probe).argmax(axis=1)
    assert same.mean() > 0.97  # landmarks are others, and trees see ties in another order


def test_two_classes(case: Case) -> None:
    x, y = load_wine(return_X_y=True)
    x, y = x[y < 2].astype(np.float32), y[y < 2]
    head = fit(case, x[::2], y[::2], classes=2)
    assert (head.logits(x[1::2]).argmax(axis=1) == y[1::2]).mean() > 0.85
    assert_runtimes_agree(case, head, x)


def test_a_class_without_an_example_is_never_the_answer(
    case: Case, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = digits[0][:200], digits[1][:200]
    kept = (y != 0) & (y != 4)
    head = fit(case, x[kept], y[kept], classes=10)
    logits = head.logits(x)
    best = logits.max(axis=1)
    fall = np.log(kept.sum() + 10)
    for missing in (0, 4):
        np.testing.assert_allclose(best - logits[:, missing], fall, atol=1e-4)
    assert (logits[kept].argmax(axis=1) == y[kept]).mean() > 0.8
    assert_runtimes_agree(case, head, x)


@pytest.mark.parametrize("rows", [1, 4])
def test_fewer_rows_than_classes(
    case: Case, rows: int, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = digits
    head = fit(case, x[:rows], y[:rows], classes=10)
    assert set(head.logits(x[:50]).argmax(axis=1)) <= set(y[:rows])
    assert_runtimes_agree(case, head, x[:50])


def test_all_of_one_class(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> None:
    x = digits[0][:30]
    head = fit(case, x, np.full(30, 7), classes=10)
    assert (head.logits(x).argmax(axis=1) == 7).all()
    assert_runtimes_agree(case, head, x)


def test_features_of_any_scale(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits[0][:300].copy(), digits[1][:300]
    plain = fit(case, x, y, classes=10)
    scale = np.float32(10.0) ** np.random.default_rng(3).integers(-20, 21, 64).astype(np.float32)
    scaled = fit(case, x * scale, y, classes=10)
    same = plain.logits(x).argmax(axis=1) == scaled.logits(x * scale).argmax(axis=1)
    assert same.mean() > 0.98
    assert_runtimes_agree(case, scaled, x * scale)


def test_a_constant_feature_says_nothing(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits[0][:200].copy(), digits[1][:200]
    x[:, 20] = 1e6
    head = fit(case, x, y, classes=10)
    other = x.copy()
    other[:, 20] = -1e9
    assert_same(head.logits(other), head.logits(x))
    assert_runtimes_agree(case, head, other)


def test_several_labels_a_picture(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    truth = np.stack([y % 2 == 0, y >= 5, y == 3, y >= 0, y < 0], axis=1)
    head = fit(case, x[:ROWS], truth[:ROWS], classes=5, multi=True)
    logits = head.logits(x[ROWS:])
    right = ((logits > 0) == truth[ROWS:]).mean(axis=0)
    assert right.min() > 0.83
    assert right[3] == right[4] == 1  # all have it; none has
    assert np.isfinite(logits).all()
    assert_runtimes_agree(case, head, x[ROWS:])


@pytest.mark.parametrize("multi", [False, True])
def test_balanced_finds_more_of_a_rare_class(case: Case, multi: bool) -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1600, 4)).astype(np.float32)
    rare = (rng.random(1600) < 0.08).astype(np.int64)
    x[:, 0] += 1.5 * rare
    y = rare[:, None] == [[1, 0]] if multi else rare
    y = np.concatenate([y, y[:, :1]], axis=1)[:, [1, 0]] if multi else y
    recall = []
    for balanced in (False, True):
        chosen = options(case, balanced=balanced)
        head = fit_head(case.kind, x[:800], y[:800], classes=2, multi=multi, options=chosen)
        logits = head.logits(x[800:][rare[800:] == 1])
        recall.append((logits[:, 1] > (0 if multi else logits[:, 0])).mean())
    assert recall[1] > recall[0] + 0.15


def test_weights_count_as_rows(case: Case, digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits[0][:100], digits[1][:100].copy()
    doubled = np.concatenate([x, x]), np.concatenate([y, (y + 1) % 10])
    for favoured in (0, 1):
        weights = np.where(np.arange(200) // 100 == favoured, 20.0, 1.0)
        head = fit(case, *doubled, classes=10, sample_weight=weights)
        assert (head.logits(x).argmax(axis=1) == (y + favoured) % 10).mean() > 0.7


BAD = {
    "NaN": ({"x": np.full((4, 3), np.nan, np.float32)}, "must be finite"),
    "infinity": ({"x": np.full((4, 3), np.inf, np.float32)}, "must be finite"),
    "too large": ({"x": np.full((4, 3), 1e300)}, "must be finite"),
    "one dimension": ({"x": np.ones(4, np.float32)}, r"must be numbers \(N, D\)"),
    "no dimensions": ({"x": np.ones((4, 0), np.float32)}, r"must be numbers \(N, D\)"),
    "no rows": ({"x": np.ones((0, 3), np.float32), "y": np.ones(0, np.int64)}, "at least one row"),
    "texts": ({"x": np.full((4, 3), "a")}, r"must be numbers \(N, D\)"),
    "another number of labels": ({"y": np.zeros(3, np.int64)}, "whole numbers"),
    "fractions as labels": ({"y": np.zeros(4)}, "whole numbers"),
    "label too large": ({"y": np.array([0, 1, 2, 0])}, "0 to 1"),
    "label below 0": ({"y": np.array([0, 1, -1, 0])}, "0 to 1"),
    "one class": ({"classes": 1, "y": np.zeros(4, np.int64)}, "at least 2"),
    "multi without a matrix": ({"multi": True}, "must be bool"),
    "weight 0": ({"sample_weight": np.zeros(4)}, "sample_weight"),
    "weights of another length": ({"sample_weight": np.ones(3)}, "sample_weight"),
    "options of another head": ({"options": HeadOptions()}, "options of"),
    "size too large": ({"x": np.array([[3e38], [0], [1], [2]], np.float32)}, "at most 1e"),
    "spread too small": (
        {"x": np.array([[1e-44], [0], [0], [0]], np.float32)},
        "standard deviation",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(case: Case, name: str) -> None:
    changes, message = BAD[name]
    good = {"x": np.eye(4, 3, dtype=np.float32), "y": np.array([0, 1, 0, 1]), "classes": 2}
    with pytest.raises(UsageError, match=message):
        fit_head(case.kind, **{**good, **changes})


def test_a_fitted_head_refuses_what_it_cannot_answer(head: Fitted) -> None:
    with pytest.raises(UsageError, match="64 dimensions"):
        head.logits(np.ones((2, 63), np.float32))
    with pytest.raises(UsageError, match="in row 1"):
        head.logits(np.array([[0.0] * 64, [np.nan] * 64], np.float32))


def test_unknown_options_are_refused(case: Case) -> None:
    with pytest.raises(UsageError, match="Got colour instead"):
        HEADS.get(case.kind).options.from_dict({"colour": 1})


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(UsageError, match="no head named 'oracle'"):
        fit_head("oracle", np.ones((2, 2)), np.array([0, 1]), classes=2)
