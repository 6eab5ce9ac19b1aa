"""A small modern network, for pictures of 16x16 pixels up. N pictures of (H, W, C); K classes."""

from typing import Any

import keras
from keras import layers

from pixelmine.core.errors import UsageError

__all__ = ["build_large", "build_strong"]

_SMALLEST = 16
_STEM, _FIRST, _SECOND, _DEEP = 24, 48, 96, 128
_MAP = 4
"""Rows and columns of the last feature maps, at most."""
_MOMENTUM = 0.9
"""Of running means and variances: a memory of ten batches, since a training has few thousand."""


def build_strong(height: int, width: int, channels: int, classes: int) -> Any:
    """Convolutions, each with batch normalisation, and one residual; half the size at each stage.

    (N, H, W, C) float32 to (N, K) float32. 28x28x1 pixels with K = 10 go through maps of 14x14x24,
    7x7x48, 3x3x96 and 3x3x128: 6.5 million multiply-adds, 2.5 times the article's, most of them
    where maps are small and TensorFlow is fast. Maps are pooled before they are normalised, which
    takes a seventh off the time. Larger pictures get more stages. Raises UsageError where a side is
    below 16 pixels.
    """
    x = pixels = _pixels(height, width, channels)
    x = _convolve(x, _STEM, "stem", side=5, strides=2)
    x = _convolve(x, _FIRST, "conv_1", pool=True)
    x = _convolve(x, _SECOND, "conv_2", pool=True)
    stage = 3
    while max(x.shape[1:3]) > _MAP:
        x = _convolve(x, _DEEP, f"conv_{stage}", pool=True)
        stage += 1
    x = _convolve(x, _DEEP, f"conv_{stage}")
    x = layers.Add(name="residual")([x, _convolve(x, _DEEP, f"conv_{stage + 1}")])
    return keras.Model(pixels, _classes(x, classes), name="cnn_strong")


def build_large(height: int, width: int, channels: int, classes: int) -> Any:
    """The same for trainings of many epochs: a finer beginning, and a residual at each stage.

    (N, H, W, C) float32 to (N, K) float32. 28x28x1 pixels with K = 10 go through maps of 14x14x64,
    7x7x128 and 3x3x128: 57 million multiply-adds, nine times those of `build_strong`
    in six times its time, or five where bfloat16 is computed. Raises
    UsageError where a side is below 16 pixels.
    """
    x = pixels = _pixels(height, width, channels)
    x = _convolve(x, 32, "stem", pool=True)
    x = _residual(_convolve(x, 64, "conv_1"), 64, "residual_1")
    stage = 2
    while stage < 4 or max(x.shape[1:3]) > _MAP:
        x = _residual(_convolve(x, 128, f"conv_{stage}", pool=True), 128, f"residual_{stage}")
        stage += 1
    return keras.Model(pixels, _classes(x, classes), name="cnn_strong_large")


def _pixels(height: int, width: int, channels: int) -> Any:
    if min(height, width) < _SMALLEST:
        raise UsageError(
            f"cnn-strong needs pictures of at least {_SMALLEST}x{_SMALLEST} pixels: its poolings "
            f"leave too little of smaller ones. Got {height}x{width} instead."
        )
    return keras.Input((height, width, channels), name="pixels")


def _classes(x: Any, classes: int) -> Any:
    x = layers.Flatten(name="flatten")(x)
    # float32 under mixed precision too: 8 bits are too few for probabilities
    return layers.Dense(classes, activation="softmax", dtype="float32", name="dense")(x)


def _residual(x: Any, width: int, name: str) -> Any:
    changed = _convolve(_convolve(x, width, f"{name}_a"), width, f"{name}_b")
    return layers.Add(name=name)([x, changed])


def _convolve(
    x: Any, width: int, name: str, side: int = 3, strides: int = 1, pool: bool = False
) -> Any:
    x = layers.Conv2D(
        width,
        side,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    if pool:
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
