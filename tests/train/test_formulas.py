"""The article's three formulas, in plain slow NumPy, are what the layers compute."""

from types import ModuleType

import numpy as np
import pytest

TOLERANCE = 1e-5
RANDOM = np.random.default_rng(7)


def convolution(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """y(i, j) = sum over p, q of x(i + p, j + q) w(p, q), + b; x (H, W, C), w (P, Q, C, F)."""
    (height, width, channels), (rows, columns, _, filters) = x.shape, w.shape
    y = np.zeros((height - rows + 1, width - columns + 1, filters))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            for f in range(filters):
                y[i, j, f] = b[f]
                for p in range(rows):
                    for q in range(columns):
                        for c in range(channels):
                            y[i, j, f] += x[i + p, j + q, c] * w[p, q, c, f]
    return y


def max_pooling(x: np.ndarray, size: int) -> np.ndarray:
    """y(i, j) = the largest x(i + p, j + q) of each size x size window; x (H, W, C)."""
    height, width, channels = x.shape
    y = np.zeros((height // size, width // size, channels))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            for c in range(channels):
                window = [
                    x[i * size + p, j * size + q, c] for p in range(size) for q in range(size)
                ]
                y[i, j, c] = max(window)
    return y


def mean_pooling(x: np.ndarray, size: int) -> np.ndarray:
    """y(i, j) = 1 / (P Q) times the sum of x(i + p, j + q) of each window; x (H, W, C)."""
    height, width, channels = x.shape
    y = np.zeros((height // size, width // size, channels))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            for c in range(channels):
                for p in range(size):
                    for q in range(size):
                        y[i, j, c] += x[i * size + p, j * size + q, c] / (size * size)
    return y


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """y(k) = sum over i of w(i, k) x(i), + b(k); x (n,), w (n, K)."""
    y = np.zeros(w.shape[1])
    for k in range(w.shape[1]):
        y[k] = b[k]
        for i in range(len(x)):
            y[k] += w[i, k] * x[i]
    return y


def test_convolution_is_the_articles(keras: ModuleType) -> None:
    x = RANDOM.normal(size=(9, 8, 3)).astype(np.float32)
    layer = keras.layers.Conv2D(4, (3, 2), bias_initializer="random_normal")
    found = layer(x[None])[0]
    np.testing.assert_allclose(found, convolution(x, *layer.get_weights()), atol=TOLERANCE)


def test_convolution_does_not_flip_the_filter(keras: ModuleType) -> None:
    x = RANDOM.normal(size=(6, 6, 1)).astype(np.float32)
    layer = keras.layers.Conv2D(1, 3, use_bias=False)
    layer.build((None, 6, 6, 1))
    w = layer.get_weights()[0]
    flipped = convolution(x, w[::-1, ::-1], np.zeros(1))
    assert not np.allclose(layer(x[None])[0], flipped, atol=TOLERANCE)


@pytest.mark.parametrize("side", [6, 7])
def test_max_pooling_is_the_articles(keras: ModuleType, side: int) -> None:
    x = RANDOM.normal(size=(side, side, 3)).astype(np.float32)
    found = keras.layers.MaxPooling2D((2, 2))(x[None])[0]
    np.testing.assert_allclose(found, max_pooling(x, 2), atol=TOLERANCE)


@pytest.mark.parametrize("side", [6, 7])
def test_mean_pooling_is_the_articles(keras: ModuleType, side: int) -> None:
    x = RANDOM.normal(size=(side, side, 3)).astype(np.float32)
    found = keras.layers.AveragePooling2D((2, 2))(x[None])[0]
    np.testing.assert_allclose(found, mean_pooling(x, 2), atol=TOLERANCE)


def test_dense_is_the_articles(keras: ModuleType) -> None:
    x = RANDOM.normal(size=20).astype(np.float32)
    layer = keras.layers.Dense(5, bias_initializer="random_normal")
    found = layer(x[None])[0]
    np.testing.assert_allclose(found, dense(x, *layer.get_weights()), atol=TOLERANCE)


def test_the_whole_network_is_the_formulas_one_after_the_other(keras: ModuleType) -> None:
    from pixelmine.train.networks import build_article

    keras.utils.set_random_seed(3)
    network = build_article(10, 10, 1, 3)
    x = RANDOM.random((10, 10, 1)).astype(np.float32)
    w1, b1, w2, b2, w3, b3, w4, b4 = network.get_weights()
    y = max_pooling(np.maximum(convolution(x, w1, b1), 0), 2)
    y = max_pooling(np.maximum(convolution(y, w2, b2), 0), 2)
    y = dense(np.maximum(dense(y.ravel(), w3, b3), 0), w4, b4)
    expected = np.exp(y) / np.exp(y).sum()
    np.testing.assert_allclose(network(x[None])[0], expected, atol=TOLERANCE)
