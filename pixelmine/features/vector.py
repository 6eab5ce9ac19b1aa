"""Designed features as vectors: one picture's pixels to D numbers that a classifier can learn from.

    VECTOR_FEATURES             a name, and where its class lies
    to_card, from a card        a list of features as JSON values, and back
    describe, describe_many     pixels to the numbers of several features, side by side

To add one: write the class, name it in VECTOR_FEATURES; the contract test in tests/features then
runs on it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any, ClassVar, Protocol

import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json
from pixelmine.core.registry import Registry

__all__ = [
    "SMALLEST",
    "VECTOR_FEATURES",
    "VectorFeature",
    "check_pixels",
    "describe",
    "describe_many",
    "to_card",
    "vector_features_from_card",
    "vector_producer",
]

SMALLEST = 8
"""Pixels: a shorter side leaves nothing to tell edges or textures by."""

_AT_A_TIME = 64
"""Pictures that a thread takes: enough that waking it costs little."""


class VectorFeature(Protocol):
    """A frozen dataclass with its options. The same pixels give the same numbers every time.

    `name`: its name in `VECTOR_FEATURES`. `title`: what people call it. `source`: the paper that
    the method is from. `version`: raised when the same options give other numbers than before.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    version: ClassVar[int]

    @property
    def dimensions(self) -> int:
        """D, which follows from the options alone, never from a picture."""
        ...

    @property
    def producer(self) -> str:
        """Digest of the feature's name, version and options: its table in a collection."""
        ...

    def names(self) -> list[str]:
        """What each of the D numbers is, with its unit behind a comma where it has one."""
        ...

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Take uint8 (H, W, C), H and W at least 8, C = 1 (grey) or 3 (RGB); give float32 (D,).

        All numbers are finite. Pixels are trusted here: `describe` checks them.
        """
        ...

    def show(self, pixels: np.ndarray) -> np.ndarray:
        """A picture of what the feature sees, uint8 RGB (h, w, 3), of any size."""
        ...


VECTOR_FEATURES: Registry[Any] = Registry(
    "vector feature",
    {
        "colour": "pixelmine.features.colour:Colour",
        "edges": "pixelmine.features.edges:Edges",
        "gabor": "pixelmine.features.gabor:Gabor",
        "haralick": "pixelmine.features.haralick:Haralick",
        "hog": "pixelmine.features.hog:Hog",
        "keypoints": "pixelmine.features.keypoints:Keypoints",
        "lbp": "pixelmine.features.lbp:Lbp",
        "shape": "pixelmine.features.shape:Shape",
    },
)
"""Designed features: `module:class`, each made with its defaults by calling the class."""


def vector_features_from_card(value: Sequence[Mapping[str, Any]]) -> tuple[VectorFeature, ...]:
    """Features in order, from `{"feature": name, **options}` each; what is not given is default.

    Raises UsageError for a name, an option or a value that is not known.
    """
    return tuple(_from_card(entry) for entry in value)


def to_card(features: Sequence[VectorFeature]) -> list[dict[str, Any]]:
    """As JSON values; `vector_features_from_card` gives the same back."""
    return [{"feature": feature.name, **_options(feature)} for feature in features]


def vector_producer(feature: VectorFeature) -> str:
    """Digest of name, version and options."""
    about = {"feature": feature.name, "version": feature.version}
    return digest_json({**about, **_options(feature)})


def check_pixels(pixels: np.ndarray) -> None:
    """Raise UsageError unless pixels are uint8 (..., H, W, C), H and W at least 8, C 1 or 3."""
    shape = pixels.shape
    if pixels.dtype != np.uint8 or len(shape) < 3 or shape[-1] not in (1, 3):
        raise UsageError(
            "pixels must be uint8 (height, width, channels) with 1 channel or 3. "
            f"Got {pixels.dtype} {shape} instead."
        )
    if min(shape[-3:-1]) < SMALLEST:
        raise UsageError(
            f"a picture must be at least {SMALLEST}x{SMALLEST} pixels to be described. "
            f"Got {shape[-2]}x{shape[-3]} instead."
        )


def describe(pixels: np.ndarray, features: Sequence[VectorFeature]) -> np.ndarray:
    """One picture, uint8 (H, W, C), to float32 (D,): the numbers of all features in order.

    Raises UsageError for pixels of another kind.
    """
    if pixels.ndim != 3:
        raise UsageError(f"pixels must be (height, width, channels). Got {pixels.shape} instead.")
    check_pixels(pixels)
    return np.concatenate([np.empty(0, np.float32), *(feature(pixels) for feature in features)])


def describe_many(x: np.ndarray, features: Sequence[VectorFeature], threads: int = 1) -> np.ndarray:
    """N pictures of one size, uint8 (N, H, W, C), to float32 (N, D), on so many threads.

    OpenCV and NumPy let go of the interpreter on large pictures; on pictures as small as 28x28
    most of the time is the interpreter's, and threads bring little.
    """
    if x.ndim != 4:
        raise UsageError(
            f"x must be uint8 (pictures, height, width, channels). Got {x.shape} instead."
        )
    check_pixels(x)
    check_positive("threads", threads)
    found = np.empty((len(x), sum(feature.dimensions for feature in features)), np.float32)

    def work(start: int) -> None:
        for index in range(start, min(start + _AT_A_TIME, len(x))):
            found[index] = describe(x[index], features)

    with ThreadPoolExecutor(threads, "describe") as pool:
        for _ in pool.map(work, range(0, len(x), _AT_A_TIME)):
            pass
    return found


def _from_card(entry: Mapping[str, Any]) -> VectorFeature:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("feature"), str):
        raise UsageError(f'a feature must be {{"feature": name, ...}}. Got {entry!r} instead.')
    kind = VECTOR_FEATURES.get(entry["feature"])
    options = {name: value for name, value in entry.items() if name != "feature"}
    known = [field.name for field in fields(kind)]
    if unknown := sorted(options.keys() - set(known)):
        raise UsageError(
            f"{entry['feature']} has no option {unknown[0]!r}. Known: {', '.join(known)}."
        )
    made: VectorFeature = kind(
        **{n: tuple(v) if isinstance(v, list) else v for n, v in options.items()}
    )
    return made


def _options(feature: VectorFeature) -> dict[str, Any]:
    """A whole number that stands for a fraction is written as one: 1 and 1.0 are one option."""
    found = {}
    for field in fields(feature):  # type: ignore[arg-type]  # a dataclass
        value = getattr(feature, field.name)
        if field.type is float:
            value = float(value)
        elif field.type == tuple[float, ...]:
            value = [float(one) for one in value]
        found[field.name] = list(value) if isinstance(value, tuple) else value
    return found
