import json

import numpy as np
import onnxruntime
import pytest

from pixelmine.core.errors import ModelError
from pixelmine.models.weights import dlib_face
from pixelmine.models.weights.dlib_face import convert, read_quantised


def layers() -> dict[str, tuple[int, ...]]:
    """Shapes of all weights, in TensorFlow's order."""
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, *shape: int) -> None:
        shapes[f"{name}/conv/filters"] = shape
        for part in ("conv/bias", "scale/weights", "scale/biases"):
            shapes[f"{name}/{part}"] = shape[-1:]

    convolution("conv32_down", 7, 7, 3, 32)
    inputs = 32
    for blocks in dlib_face._BLOCKS:
        for name in blocks:
            outputs = int(name[4:].split("_")[0])
            convolution(f"{name}/conv1", 3, 3, inputs, outputs)
            convolution(f"{name}/conv2", 3, 3, outputs, outputs)
            inputs = outputs
    shapes["fc"] = (256, 128)
    return shapes


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        name: rng.normal(0, 0.5 / np.sqrt(np.prod(shape[:-1])), shape).astype(np.float32)
        + (1 if name.endswith("scale/weights") else 0)
        for name, shape in layers().items()
    }


def files(weights: dict[str, np.ndarray]) -> dict[str, bytes]:
    entries = [
        {"name": name, "shape": list(weight.shape), "dtype": "float32"}
        for name, weight in weights.items()
    ]
    data = b"".join(weight.astype("<f4").tobytes() for weight in weights.values())
    return {"m.json": json.dumps([{"weights": entries}]).encode(), "w.bin": data}


def reference(weights: dict[str, np.ndarray], pixels: np.ndarray) -> np.ndarray:
    """The network in NumPy, one picture (150, 150, 3), channels last as face-api.js has it."""

    def convolution(x: np.ndarray, name: str, stride: int) -> np.ndarray:
        kernel = weights[f"{name}/conv/filters"].astype(np.float64)
        size = kernel.shape[0]
        if stride == 1:
            x = np.pad(x, ((size // 2,) * 2, (size // 2,) * 2, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))
        y = np.einsum("hwcij,ijco->hwo", windows[::stride, ::stride], kernel, optimize=True)
        y += weights[f"{name}/conv/bias"]
        y = y * weights[f"{name}/scale/weights"] + weights[f"{name}/scale/biases"]
        return np.asarray(y)

    def pool(x: np.ndarray, size: int) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))[::2, ::2]

    x = (pixels - np.array([122.782, 117.001, 104.298])) / 255
    x = pool(np.maximum(convolution(x, "conv32_down", 2), 0), 3).max((-2, -1))
    for blocks in dlib_face._BLOCKS:
        for name in blocks:
            stride = 2 if "down" in name else 1
            y = np.maximum(convolution(x, f"{name}/conv1", stride), 0)
            y = convolution(y, f"{name}/conv2", 1)
            if stride == 2:
                x = pool(x, 2).mean((-2, -1))
                x = np.pad(x, ((0, 0), (0, 0), (0, y.shape[2] - x.shape[2])))
                y = np.pad(y, ((0, x.shape[0] - y.shape[0]), (0, x.shape[1] - y.shape[1]), (0, 0)))
            x = np.maximum(x + y, 0)
    return np.asarray(x.mean((0, 1)) @ weights["fc"])


def test_the_graph_is_the_network_as_it_is_written_slowly(weights: dict[str, np.ndarray]) -> None:
    session = onnxruntime.InferenceSession(convert(files(weights)))
    pixels = np.random.default_rng(4).integers(0, 256, (2, 150, 150, 3), np.uint8)
    (found,) = session.run(["embedding"], {"pixels": pixels})
    assert found.shape == (2, 128)
    for row, picture in zip(found, pixels, strict=True):
        np.testing.assert_allclose(
            row, reference(weights, picture.astype(float)), rtol=1e-3, atol=1e-4
        )


def test_bytes_stand_for_levels() -> None:
    levels = {"dtype": "uint8", "scale": 0.5, "min": -1.0}
    entries = [
        {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": levels},
        {"name": "b", "shape": [], "dtype": "float32"},
    ]
    data = bytes([0, 1, 2, 255]) + np.float32(7).tobytes()
    found = read_quantised(json.dumps([{"weights": entries}]).encode(), data)
    np.testing.assert_array_equal(found["a"], [[-1, -0.5], [0, 126.5]])
    assert found["b"] == 7


def test_files_that_do_not_fit_are_refused(weights: dict[str, np.ndarray]) -> None:
    whole = files(weights)
    for data in (whole["w.bin"][:-4], whole["w.bin"] + b"1234"):
        with pytest.raises(ModelError, match=r"manifest"):
            convert({**whole, "w.bin": data})
    with pytest.raises(ModelError, match=r"lacks its weight 'fc'"):
        convert(files({name: w for name, w in weights.items() if name != "fc"}))
    with pytest.raises(ModelError, match=r"no place for the weights \['more'\]"):
        convert(files({**weights, "more": np.zeros(3, np.float32)}))
