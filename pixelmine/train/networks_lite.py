"""EfficientNet-Lite as Keras networks that start from the bundled ImageNet weights.

The layers are those of `models.lite`, which names the sources. A picture of any side goes through
the same weights; padding is TensorFlow's SAME, and batch normalisation has a layer of its own, so
that its statistics can be kept or learnt. Layers are named for the block they belong to, from the
pixels on: `stem_...`, `block0_...` to `block15_...` (`block20_...` in Lite1 and Lite2), `head_...`,
`classes`. `depth` gives a layer's place in that order.
"""

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.models.lite import CLASSES, EMBEDDING, EPSILON, LITES, STEM, Block
from pixelmine.models.lite_weights import Weights, read_weights

from .networks import Builder

__all__ = [
    "BN_MOMENTUM",
    "build_lite",
    "build_lite0",
    "build_lite1",
    "build_lite2",
    "builder",
    "depth",
    "load_weights",
]

BN_MOMENTUM = 0.99
"""Share of the old statistics that a training step keeps, as the authors' training has it."""

_SMALLEST = 32
_ENDS = {"stem": 0, "head": 1, "classes": 2}


def build_lite(
    variant: str,
    height: int,
    width: int,
    channels: int,
    classes: int,
    *,
    dropout: float = 0.2,
    drop_connect: float = 0.0,
) -> Any:
    """A `keras.Model` of untrained weights; `load_weights` gives it those of ImageNet.

    `variant`: a name in `models.lite.LITES`. (N, H, W, C) float32, (pixel - 127) / 128, to
    probabilities (N, K) float32. `channels`: 3 (RGB), or 1 (grey, as RGB of three equal channels).
    `dropout`: the share of the embedding, (N, 1280), that training sets to 0 before the last dense
    layer. `drop_connect`: the share of pictures for which training leaves out a block's residual
    branch, in the last block; it rises with depth from 0 in the first (Huang et al., "Deep Networks
    with Stochastic Depth", ECCV 2016, arXiv:1603.09382).

    Raises UsageError for another variant, or a side below 32 pixels, which would end in less than
    one place of the last feature map.
    """
    check_one_of("variant", variant, LITES)
    if min(height, width) < _SMALLEST:
        raise UsageError(
            f"{variant} needs pictures of at least {_SMALLEST}x{_SMALLEST} pixels, because it "
            f"halves each side five times. Got {height}x{width} instead."
        )
    lite = LITES[variant]
    pixels = keras.Input((height, width, channels), name="pixels")
    x = _convolution(pixels, "stem", STEM, 3, stride=2)
    for index, block in enumerate(lite.blocks):
        x = _block(x, f"block{index}", block, drop_connect * index / len(lite.blocks))
    x = _convolution(x, "head", EMBEDDING, 1)
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    # float32 under mixed precision too: 8 bits are too few for probabilities
    x = layers.Dense(classes, activation="softmax", dtype="float32", name="classes")(x)
    return keras.Model(pixels, x, name=variant.replace("-", "_"))


build_lite0: Builder = partial(build_lite, "efficientnet-lite0")
build_lite1: Builder = partial(build_lite, "efficientnet-lite1")
build_lite2: Builder = partial(build_lite, "efficientnet-lite2")


def builder(variant: str, **options: float) -> Builder:
    """`build_lite` with the ImageNet weights, as `NETWORKS` wants it. Raises ModelError, too."""
    return partial(_build_loaded, variant, options)


def _build_loaded(
    variant: str, options: dict[str, float], height: int, width: int, channels: int, classes: int
) -> Any:
    model = build_lite(variant, height, width, channels, classes, **options)
    load_weights(model, variant)
    return model


def depth(name: str, blocks: int) -> int:
    """A layer's place, from its name: 0 the stem, 1 to `blocks` the blocks, then head, classes.

    For a learning rate that falls towards the pixels, or for keeping the first layers as they are.
    """
    part = name.partition("_")[0]
    if part in _ENDS:
        return _ENDS[part] and blocks + _ENDS[part]
    return 1 + int(part.removeprefix("block"))


def load_weights(model: Any, variant: str) -> None:
    """Put the bundled ImageNet weights into what `build_lite` made.

    The last dense layer gets those of ImageNet where it has 1,000 classes, and keeps what it has
    elsewhere. A grey network's first convolution gets the sum over the three colours, which gives
    what RGB of equal channels gives. Raises ModelError where the weights cannot be had.
    """
    lite = LITES[variant]
    weights = Weights(read_weights(lite), lite)
    channels = model.input_shape[-1]
    _load(model, weights, "stem", "_conv_stem", "_bn0", (STEM, 3, 3), grey=channels == 1)
    for index, block in enumerate(lite.blocks):
        _load_block(model, weights, index, block)
    _load(model, weights, "head", "_conv_head", "_bn1", (EMBEDDING, lite.blocks[-1].channels, 1))
    _load_classes(model, weights)
    weights.check_empty()


def _block(x: Any, name: str, block: Block, drop_connect: float) -> Any:
    source = x
    if block.expands:
        x = _convolution(x, f"{name}_expand", block.wide, 1)
    x = layers.DepthwiseConv2D(
        block.kernel,
        strides=block.stride,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_depthwise_conv",
    )(x)
    x = _relu6(_norm(x, f"{name}_depthwise"), f"{name}_depthwise")
    x = _convolution(x, f"{name}_project", block.channels, 1, activated=False)
    if not block.residual:
        return x
    if drop_connect:
        x = layers.Dropout(drop_connect, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
    return layers.Add(name=f"{name}_sum")([x, source])


def _convolution(
    x: Any, name: str, outputs: int, kernel: int, *, stride: int = 1, activated: bool = True
) -> Any:
    x = layers.Conv2D(
        outputs,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = _norm(x, name)
    return _relu6(x, name) if activated else x


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=EPSILON, name=f"{name}_norm")(x)


def _relu6(x: Any, name: str) -> Any:
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x)


def _load_block(model: Any, weights: Weights, index: int, block: Block) -> None:
    name, key = f"block{index}", f"_blocks.{index}."
    wide = block.wide
    if block.expands:
        shape = (wide, block.inputs, 1)
        _load(model, weights, f"{name}_expand", f"{key}_expand_conv", f"{key}_bn0", shape)
    shape = (wide, 1, block.kernel)
    _load(model, weights, f"{name}_depthwise", f"{key}_depthwise_conv", f"{key}_bn1", shape)
    shape = (block.channels, wide, 1)
    _load(model, weights, f"{name}_project", f"{key}_project_conv", f"{key}_bn2", shape)


def _load(
    model: Any,
    weights: Weights,
    name: str,
    key: str,
    norm: str,
    shape: tuple[int, int, int],
    *,
    grey: bool = False,
) -> None:
    """`shape`: outputs, inputs, kernel, as the state dict has it."""
    outputs, inputs, kernel = shape
    weight = weights.take(f"{key}.weight", outputs, inputs, kernel, kernel)
    if grey:
        weight = weight.sum(axis=1, keepdims=True)
    layer = model.get_layer(f"{name}_conv")
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    layer.set_weights([weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
    model.get_layer(f"{name}_norm").set_weights(weights.take_norm(norm, outputs))


def _load_classes(model: Any, weights: Weights) -> None:
    weight = weights.take("_fc.weight", CLASSES, EMBEDDING)
    bias = weights.take("_fc.bias", CLASSES)
    classes = model.get_layer("classes")
    if classes.units == CLASSES:
        classes.set_weights([np.ascontiguousarray(weight.T), bias])
