"""Correlation with templates: the same in NumPy, OpenCV, ONNX Runtime and OpenVINO."""

import cv2
import numpy as np
import onnxruntime as ort
import openvino as ov
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from pixelmine.classify.template import FittedTemplates, TemplateOptions, fit_templates
from pixelmine.core.errors import UsageError

CORRELATION = 1e-4
"""Largest difference of a correlation between any two of them."""


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """600 handwritten digits, uint8 (N, 12, 10, 1), and their classes."""
    found = load_digits()
    drawn = np.random.default_rng(0).permutation(len(found.images))[:600]
    large = [cv2.resize(one.astype(np.uint8) * 15, (10, 12)) for one in found.images[drawn]]
    return np.stack(large)[..., None], found.target[drawn].astype(np.int64)


@pytest.fixture(scope="module", params=[1, 3])
def fitted(
    request: pytest.FixtureRequest, digits: tuple[np.ndarray, np.ndarray]
) -> FittedTemplates:
    options = TemplateOptions(templates=3, shift=2, scales=(0.8, 1.0, 1.3))
    return fit_templates(_colour(digits[0], request.param), digits[1], classes=10, options=options)


def _colour(x: np.ndarray, channels: int) -> np.ndarray:
    """Grey as it is; or three channels that are not alike."""
    return x if channels == 1 else np.concatenate([x, 255 - x // 2, x // 3 + 20], axis=3)


def _pictures(fitted: FittedTemplates, count: int = 12) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (count, *fitted.shape), np.uint8)


def _opencv(fitted: FittedTemplates, picture: np.ndarray) -> np.ndarray:
    """(T,): OpenCV's TM_CCOEFF_NORMED at every place that is searched, the best of each."""
    far = 32
    around = cv2.copyMakeBorder(picture, far, far, far, far, cv2.BORDER_REPLICATE)
    around = around.reshape(*around.shape[:2], -1).astype(np.float32)
    best = np.full(len(fitted.owner), -1.0)
    for window in fitted.windows:
        height, width = window.size
        top, left = window.top + far, window.left + far
        more = window.places - 1
        part = around[top : top + height + more, left : left + width + more]
        for index, template in enumerate(window.templates):
            map_ = cv2.matchTemplate(part, template, cv2.TM_CCOEFF_NORMED)
            assert map_.shape == (window.places, window.places)
            best[index] = max(best[index], map_.max())
    return best


def _onnx(fitted: FittedTemplates, x: np.ndarray) -> list[np.ndarray]:
    session = ort.InferenceSession(fitted.to_onnx())
    return list(session.run(["logits", "embedding"], {"pixels": x}))


def test_correlations_are_those_of_opencv(fitted: FittedTemplates) -> None:
    x = _pictures(fitted)
    expected = np.stack([_opencv(fitted, picture) for picture in x])
    np.testing.assert_allclose(fitted.correlations(x), expected, atol=CORRELATION)


def test_the_network_gives_the_same_on_both_runtimes(fitted: FittedTemplates) -> None:
    blank = np.zeros((1, *fitted.shape), np.uint8)
    x = np.concatenate([_pictures(fitted), blank, blank + 200])
    core = ov.Core()
    model = core.compile_model(
        core.read_model(fitted.to_onnx()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    found = model([x])
    for logits, embedding in (_onnx(fitted, x), (found["logits"], found["embedding"])):
        np.testing.assert_allclose(embedding, fitted.correlations(x), atol=CORRELATION)
        allowed = CORRELATION * fitted.sharpness
        np.testing.assert_allclose(logits, fitted.logits(x), atol=allowed)


def test_the_network_uses_plain_operators_that_older_runtimes_know(
    fitted: FittedTemplates,
) -> None:
    import onnx

    model = onnx.load_model_from_string(fitted.to_onnx())
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_picture_of_one_colour_has_no_correlation(fitted: FittedTemplates, level: int) -> None:
    x = np.full((1, *fitted.shape), level, np.uint8)
    for logits in (fitted.logits(x), _onnx(fitted, x)[0]):
        np.testing.assert_allclose(logits, 0, atol=1e-3)


def test_an_answer_depends_on_no_other_picture(fitted: FittedTemplates) -> None:
    x = _pictures(fitted)
    whole = fitted.logits(x)
    alone = np.concatenate([fitted.logits(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(alone, whole, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(fitted.logits(x[::-1])[::-1], whole, rtol=1e-5, atol=1e-4)
    assert fitted.logits(x[:0]).shape == (0, 10)


@given(gain=st.sampled_from([1, 2, 3]), offset=st.integers(0, 60))
@settings(max_examples=20, deadline=None)
def test_brightness_and_contrast_change_nothing(gain: int, offset: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 60, (4, 9, 9, 1)).astype(np.uint8)
    fitted = fit_templates(
        x, np.arange(4) % 2, classes=2, options=TemplateOptions(templates=2, shift=1)
    )
    changed = (x * gain + offset).astype(np.uint8)
    np.testing.assert_allclose(fitted.correlations(changed), fitted.correlations(x), atol=1e-5)


def _cross(top: int, left: int, side: int = 16, arm: int = 7) -> np.ndarray:
    picture = np.zeros((side, side, 1), np.uint8)
    picture[top + arm // 2, left : left + arm] = 255
    picture[top : top + arm, left + arm // 2] = 255
    return picture


def _given(**options: object) -> FittedTemplates:
    """A cross, and a filled square, of 7x7 pixels, searched for in 16x16."""
    templates = {0: _cross(0, 0, 7)[None], 1: np.zeros((1, 7, 7, 1), np.uint8)}
    templates[1][0, 1:6, 1:6] = 255
    x = np.stack([_cross(5, 5), np.pad(templates[1][0], ((4, 5), (4, 5), (0, 0)))])
    values = TemplateOptions(**options)  # type: ignore[arg-type]  # checked when made
    return fit_templates(x, np.array([0, 1]), classes=2, options=values, given=templates)


def test_a_given_template_is_found_as_far_away_as_is_searched() -> None:
    moved = _cross(2, 6)[None]
    assert _given(shift=0).correlations(moved)[0, 0] < 0.5
    np.testing.assert_allclose(_given(shift=4).correlations(moved)[0, 0], 1, atol=1e-5)
    assert _given(shift=4).logits(moved).argmax() == 0


def test_a_given_template_is_found_in_another_size() -> None:
    large = cv2.resize(_cross(0, 0, 7), (14, 14), interpolation=cv2.INTER_LINEAR)
    picture = np.pad(large, 1)[None, :, :, None]
    one = _given(shift=1).correlations(picture)[0, 0]
    several = _given(shift=1, scales=(1.0, 2.0)).correlations(picture)[0, 0]
    assert one < 0.6
    np.testing.assert_allclose(several, 1, atol=1e-4)


def test_learned_templates_tell_digits_apart(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    options = TemplateOptions(templates=8)
    fitted = fit_templates(x[:400], y[:400], classes=10, options=options)
    logits = fitted.logits(x[400:])
    assert (logits.argmax(axis=1) == y[400:]).mean() > 0.9
    assert logits.dtype == np.float32
    assert (np.bincount(fitted.owner) == 8).all()


def test_the_sharpness_is_near_the_likeliest_on_other_pictures(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    fitted = fit_templates(x[:400], y[:400], classes=10, options=TemplateOptions(templates=8))
    logits = fitted.logits(x[400:]).astype(np.float64)

    def loss(factor: float) -> float:
        sharp = logits * factor
        rows = np.arange(len(sharp))
        return float((np.log(np.exp(sharp).sum(axis=1)) - sharp[rows, y[400:]]).mean())

    assert loss(1) < min(loss(0.25), loss(4))


def test_the_same_pictures_give_the_same_bytes(digits: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = digits
    made = [
        fit_templates(x, y, classes=10, options=TemplateOptions(templates=4, seed=seed, sample=300))
        for seed in (1, 1, 2)
    ]
    assert made[0].to_onnx() == made[1].to_onnx() != made[2].to_onnx()


def test_a_class_has_no_more_templates_than_different_pictures() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (12, 6, 6, 1), np.uint8)
    x[:6] = x[0]
    y = np.array([0] * 6 + [1] * 6)
    fitted = fit_templates(x, y, classes=2, options=TemplateOptions(templates=5, shift=0))
    assert np.bincount(fitted.owner).tolist() == [1, 5]
    assert np.isfinite(fitted.logits(x)).all()


def test_the_sample_is_even(digits: tuple[np.ndarray, np.ndarray]) -> None:
    from pixelmine.classify.template_learn import sample_rows

    y = np.array([0] * 90 + [1] * 6 + [2] * 40)
    rows = sample_rows(y, 3, 50, seed=1)
    assert np.bincount(y[rows]).tolist() == [22, 6, 22]
    assert (np.diff(rows) > 0).all()
    assert np.bincount(y[sample_rows(y, 3, 1000, seed=1)]).tolist() == [90, 6, 40]
    assert np.bincount(y[sample_rows(y, 3, 1, seed=1)]).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"templates": 0}, "templates must be above 0"),
        ({"shift": -1}, "shift must be from 0"),
        ({"scales": ()}, "scales must be from 0.25"),
        ({"scales": (0.1,)}, "scales must be from 0.25"),
        ({"sample": 0}, "sample must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TemplateOptions(**options)  # type: ignore[arg-type]  # wrong on purpose


def test_what_cannot_be_learned_is_refused() -> None:
    x = np.zeros((4, 6, 6, 1), np.uint8)
    y = np.array([0, 0, 2, 2])
    with pytest.raises(UsageError, match="None has class 1"):
        fit_templates(x, y, classes=3)
    with pytest.raises(UsageError, match="at least 3 pixels"):
        fit_templates(x, y // 2, classes=2, options=TemplateOptions(scales=(0.25,)))
    with pytest.raises(UsageError, match="template for each of the 2 classes"):
        fit_templates(x, y // 2, classes=2, given={0: x})
    with pytest.raises(UsageError, match="of one size"):
        fit_templates(x, y // 2, classes=2, given={0: x, 1: x[:, :4]})
    fitted = fit_templates(x, y // 2, classes=2)
    with pytest.raises(UsageError, match="must be uint8"):
        fitted.logits(x[:, :5])
    with pytest.raises(UsageError, match="must be uint8"):
        fitted.logits(x.astype(np.float32))
