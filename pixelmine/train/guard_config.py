"""Which classes a network's config may name: Keras's own, without code of anyone else's."""

import re
from collections.abc import Mapping
from typing import Any

from pixelmine.core.errors import TrainError

__all__ = ["LAYERS", "check_config"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LAYERS = _names("""
    InputLayer Dense Conv1D Conv2D DepthwiseConv2D SeparableConv2D Conv2DTranspose
    MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D
    Flatten Reshape Permute ZeroPadding2D Cropping2D UpSampling2D
    Dropout SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise ActivityRegularization
    BatchNormalization LayerNormalization GroupNormalization UnitNormalization
    Activation ReLU LeakyReLU PReLU ELU Softmax
    Rescaling Normalization Resizing CenterCrop
    RandomFlip RandomRotation RandomTranslation RandomZoom RandomContrast RandomBrightness
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
""")
"""Layers that compute from their config and weights alone: none runs code that the file brings
(`Lambda`), and none opens a file (`StringLookup`, `TextVectorization`)."""

_NETWORKS = _names("Sequential Functional Model")
_INITIALIZERS = _names("""
    Zeros Ones Constant Identity IdentityInitializer Orthogonal OrthogonalInitializer
    RandomNormal RandomUniform TruncatedNormal VarianceScaling
    GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
""")
_PENALTIES = _names("L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm")
_DATA = _names("DTypePolicy Policy __keras_tensor__ __tuple__ TensorShape")
_CLASSES = LAYERS | _NETWORKS | _INITIALIZERS | _PENALTIES | _DATA

_MODULE = re.compile(
    r"keras(\.(layers|models|initializers|regularizers|constraints|dtype_policies"
    r"|(src\.)?(engine|models)\.(functional|sequential|input_layer)))?"
)
_MAX_DEPTH = 64


def check_config(config: Mapping[str, Any]) -> None:
    """Raise TrainError for any class, anywhere in a network's config, that is not on the lists.

    `compile_config` is passed over: it must not be loaded.
    """
    if config.get("class_name") not in _NETWORKS:
        raise TrainError(f"The file holds a {config.get('class_name')!r}, which is no network.")
    _walk({key: value for key, value in config.items() if key != "compile_config"}, 0)


def _walk(value: object, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise TrainError(f"The network's config is nested more than {_MAX_DEPTH} deep.")
    if isinstance(value, dict):
        _check_object(value)
        for inner in value.values():
            _walk(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, depth + 1)


def _check_object(value: Mapping[str, Any]) -> None:
    """One JSON object: a class with its module and registered name, or plain values."""
    names = {key: value[key] for key in ("class_name", "module", "registered_name") if key in value}
    known = names.get("class_name")
    if "class_name" in names and (not isinstance(known, str) or known not in _CLASSES):
        raise TrainError(
            f"The network has a part of class {known!r}. Only Keras's own layers without code of "
            "their own are taken in, since others can run whatever they like. "
            f"Layers that are: {', '.join(sorted(LAYERS))}."
        )
    module = names.get("module")
    if module is not None and not (isinstance(module, str) and _MODULE.fullmatch(module)):
        raise TrainError(
            f"The network takes {known!r} from the module {module!r}. Only Keras's own layers are "
            "taken in."
        )
    if names.get("registered_name") not in (None, "", known):
        raise TrainError(
            f"The network has a registered object, {names['registered_name']!r}: its code is not "
            "in the file, and code is not taken in. Rebuild it with Keras's own layers."
        )
