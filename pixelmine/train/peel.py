"""A classifier's logits and embedding. N pictures, K classes, D dimensions."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from pixelmine.core.errors import TrainError

__all__ = ["Peeled", "peel"]

_TINY = float(np.finfo(np.float32).tiny)
_PROBES = 8
_AS_THEY_ARE = "the outputs as they are"
_BEFORE_SOFTMAX = "the input of the last softmax"
_BEFORE_SIGMOID = "the input of the last sigmoid"
_LOGARITHM = "the logarithm of the outputs, which sum to 1"


@dataclass(frozen=True)
class Peeled:
    """A network without its softmax.

    `network`: a `keras.Model` from pixels to a dict of `logits` (N, K) and `embedding` (N, D).
    `how`: where the logits come from, in words.
    """

    network: Any
    how: str


def peel(network: Any, *, several: bool = False) -> Peeled:
    """Take the softmax off a network that gives one number a class for each picture.

    A last layer with softmax gives its input to it; one that is linear, its output. Of a network
    for `several` labels a picture the last layer's sigmoid is taken off likewise. Where another
    last layer's outputs sum to 1 (seen on random pixels), the logits are ln p, which softmax turns
    into p again. The embedding is the input of the last dense layer, or, where the network does
    not end in one, the flattened input of its last layer. Raises TrainError for outputs that score
    each class on its own.
    """
    last = network.layers[-1]
    if last.output is not network.outputs[0] or not hasattr(last, "input"):
        return _unpeeled(network, network.inputs[0])
    activation = _activation(last)
    ends = {"sigmoid": _BEFORE_SIGMOID} if several else {"softmax": _BEFORE_SOFTMAX}
    if isinstance(last, layers.Dense) and activation in ends:
        return _named(network, _linear(last)(last.input), last.input, ends[activation])
    if isinstance(last, layers.Dense) and activation == "linear":
        return _named(network, last.output, last.input, _AS_THEY_ARE)
    if activation == "softmax":
        before = last.input._keras_history.operation
        dense = isinstance(before, layers.Dense)
        embedding = before.input if dense else last.input
        return _named(network, last.input, embedding, _BEFORE_SOFTMAX)
    return _unpeeled(network, last.input)


def _activation(layer: Any) -> str:
    """`softmax` over classes, `linear`, another activation's name, or nothing."""
    if isinstance(layer, layers.Softmax):
        return "softmax" if layer.axis in (-1, 1) else ""
    activation = getattr(layer, "activation", None)
    return str(getattr(activation, "__name__", "")) if activation else ""


def _linear(last: Any) -> Any:
    twin = layers.Dense(last.units, use_bias=last.use_bias, name="logits")
    twin.build(last.input.shape)
    twin.set_weights(last.get_weights())
    return twin


def _unpeeled(network: Any, before: Any) -> Peeled:
    outputs = network.outputs[0]
    if not isinstance(before, keras.KerasTensor):
        before = network.inputs[0]
    probe = np.random.default_rng(0).random((_PROBES, *network.input_shape[1:]), np.float32)
    values = keras.ops.convert_to_numpy(network(probe, training=False))
    if (values >= 0).all() and np.allclose(values.sum(axis=-1), 1, atol=1e-4):
        logits = keras.ops.log(keras.ops.maximum(outputs, _TINY))
        return _named(network, logits, before, _LOGARITHM)
    if (values >= 0).all() and (values <= 1).all():
        raise TrainError(
            "The network's outputs lie between 0 and 1 and do not sum to 1, as a sigmoid's do, "
            "which scores each class on its own. Only networks that choose one class for each "
            "picture, with softmax or logits, can be used."
        )
    return _named(network, outputs, before, _AS_THEY_ARE)


def _named(network: Any, logits: Any, embedding: Any, how: str) -> Peeled:
    if len(embedding.shape) > 2:
        embedding = layers.Flatten()(embedding)
    outputs = {"logits": logits, "embedding": embedding}
    return Peeled(keras.Model(network.inputs[0], outputs), how)
