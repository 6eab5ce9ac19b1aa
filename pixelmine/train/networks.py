"""The networks that recipes name. N pictures of (H, W, C); K classes."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import layers

from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry

from .recipe_network import MIRRORED

__all__ = [
    "NETWORKS",
    "Builder",
    "build_article",
    "built",
    "for_task",
    "mean_over_mirror",
]

Builder: TypeAlias = Callable[[int, int, int, int], Any]
"""(height, width, channels, classes) to a `keras.Model` from (N, H, W, C) float32 to probabilities
(N, K)."""

NETWORKS: Registry[Builder] = Registry(
    "network",
    {
        "cnn-article": "pixelmine.train.networks:build_article",
        "cnn-strong": "pixelmine.train.networks_strong:build_strong",
        "cnn-strong-large": "pixelmine.train.networks_strong:build_large",
        "efficientnet-lite0": "pixelmine.train.networks_lite:build_lite0",
        "efficientnet-lite1": "pixelmine.train.networks_lite:build_lite1",
        "efficientnet-lite2": "pixelmine.train.networks_lite:build_lite2",
    },
)

_SMALLEST = 10


def built(name: str, height: int, width: int, channels: int, classes: int) -> Any:
    """The untrained network that a card's `builder` names. Raises UsageError."""
    plain = name.removesuffix(MIRRORED)
    network = NETWORKS.get(plain)(height, width, channels, classes)
    return network if plain == name else mean_over_mirror(network)


def mean_over_mirror(network: Any) -> Any:
    """What a network makes of a picture and of its mirror image, left to right, on average.

    The mean is that of the embedding, and so of the logits, too. The new network has the weights of
    this one in the same order, and takes twice the time.
    """
    last = network.layers[-1]
    body = keras.Model(network.inputs[0], last.input, name="body")
    pixels = keras.Input(network.input_shape[1:], name="pixels")
    mean = layers.Average(name="mean")([body(pixels), body(keras.ops.flip(pixels, axis=2))])
    twin = type(last).from_config(last.get_config())
    found = keras.Model(pixels, twin(mean), name=f"{network.name}_mirrored")
    twin.set_weights(last.get_weights())
    return found


def for_task(network: Any, task: str) -> Any:
    """A network of NETWORKS as it is; for `multi` each label has a probability of its own.

    The softmax of its last layer becomes a sigmoid. The weights stay.
    """
    if task == "multi":
        network.layers[-1].activation = keras.activations.sigmoid
    return network


def build_article(height: int, width: int, channels: int, classes: int) -> Any:
    """The article's CNN: two convolutions with max pooling, one hidden dense layer, softmax.

    (N, H, W, C) float32 to (N, K) float32. 225,034 parameters for 28x28x1 and K = 10. Raises
    UsageError where a side is below 10 pixels: each 3x3 convolution takes 2 pixels off and each
    pooling halves what is left, so that 9 pixels end in none.
    """
    if min(height, width) < _SMALLEST:
        raise UsageError(
            f"cnn-article needs pictures of at least {_SMALLEST}x{_SMALLEST} pixels: its "
            "convolutions and poolings leave nothing of smaller ones. "
            f"Got {height}x{width} instead."
        )
    return keras.Sequential(
        [
            keras.Input((height, width, channels), name="pixels"),
            layers.Conv2D(32, (3, 3), activation="relu", name="conv_1"),
            layers.MaxPooling2D((2, 2), name="pool_1"),
            layers.Conv2D(64, (3, 3), activation="relu", name="conv_2"),
            layers.MaxPooling2D((2, 2), name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dense(classes, activation="softmax", name="dense_2"),
        ],
        name="cnn_article",
    )
