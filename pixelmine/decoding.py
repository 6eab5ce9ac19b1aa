"""What runs in a decoding process: a picture's bytes to what is wanted of each of its frames.

Each function here is a target of `engine.Isolated`. Only what decoding needs is imported: every
pool of processes starts by loading this.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pixelmine import preprocess
from pixelmine.core import FAILED, OK, Limits, Reason
from pixelmine.features.feature import FEATURES
from pixelmine.features.vector import describe, vector_features_from_card

__all__ = ["BINARY", "inspector", "preparer"]

Values = dict[str, Any]
Target = Callable[[Values, Any], Iterator[tuple[Values, np.ndarray | None]]]

BINARY = {"pdq"}
"""Values that are bytes, and cross from one process to another as hexadecimal digits."""


def inspector(options: Values) -> Target:
    """Target: what a collection notes of each frame, with its features; no pixels."""
    decode, limits = preprocess.DecodeOptions(**options["decode"]), Limits(**options["limits"])
    features = [FEATURES.get(name)() for name in options["features"]]
    for feature in features:  # loads what they need before processes are forked
        feature(np.zeros((64, 64, 3), np.uint8), 64, 64)

    def work(header: Values, data: Any) -> Iterator[tuple[Values, None]]:
        known = preprocess.describe_jpeg(data, limits) if header.get("known") else None
        frames = ((0, known),) if known else _frames(header, data, decode, limits)
        for frame, picture in frames:
            if isinstance(picture, Reason):
                yield {"frame": frame, "status": FAILED, "reason": picture}, None
                continue
            found: Values = {"frame": frame, "status": OK, "meta": picture.meta}
            found |= picture.columns()
            for feature in features if not known else ():
                found.update(feature(picture.pixels, picture.width, picture.height))
            for name in BINARY & found.keys():
                found[name] = found[name].hex()
            yield found, None

    return work


def preparer(options: Values) -> Target:
    """Target: each frame's pixels as a model takes them, uint8, before they are normalised.

    Where it takes designed features, those, float32 (D,).
    """
    steps = preprocess.Preprocessing.from_card(options["preprocessing"])
    described = vector_features_from_card(options["features"])
    limits = Limits(**options["limits"])

    def work(header: Values, data: Any) -> Iterator[tuple[Values, np.ndarray | None]]:
        for frame, picture in _frames(header, data, steps.decode, limits):
            pixels: Any = picture
            if not isinstance(picture, Reason):
                pixels = steps.apply_uint8(picture.pixels, limits)
            if isinstance(pixels, Reason):
                yield {"frame": frame, "status": FAILED, "reason": pixels}, None
            else:
                found = describe(pixels, described) if described else np.ascontiguousarray(pixels)
                yield {"frame": frame, "status": OK}, found

    return work


def _frames(
    header: Values, data: Any, options: preprocess.DecodeOptions, limits: Limits
) -> Iterator[tuple[int, preprocess.Picture | Reason]]:
    if header["frames"] is None:
        yield header["frame"], preprocess.decode(data, options, limits, header["frame"])
        return
    yield from preprocess.decode_frames(
        data, options, limits, preprocess.Frames(which=header["frames"])
    )
