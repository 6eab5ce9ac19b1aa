"""The designed features there are, and what they see of a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixelmine.core import Limits, PassPolicy, Policy, Reason, clear
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError, SourceError, UsageError
from pixelmine.core.ids import file_uri
from pixelmine.features.vector import (
    VECTOR_FEATURES,
    VectorFeature,
    check_pixels,
    to_card,
    vector_features_from_card,
)
from pixelmine.input import read_file
from pixelmine.preprocess import DecodeOptions, Picture, decode

from .feature_sheet import SheetTile, draw_sheet

__all__ = ["list_features", "show_features"]


def list_features() -> list[dict[str, Any]]:
    """The designed features, each with its default options, its D numbers and its source."""
    return [
        {
            "feature": feature.name,
            "title": feature.title,
            "dimensions": feature.dimensions,
            "options": _options(feature),
            "source": feature.source,
        }
        for feature in _named(None)
    ]


def show_features(
    picture: str | Path,
    out: str | Path | None = None,
    names: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> dict[str, Any]:
    """Compute features of one picture, and draw a sheet of what each of them sees.

    `out`: a .png file, by default STEM.features.png in the current folder. `names`: of features,
    by default all. The picture is decoded as for a collection (rule `scaled-256`, first frame).
    Gives the sheet's path, and each feature's numbers by their names. Raises SourceError for a
    picture that cannot be read, UsageError for one below 8x8 pixels.
    """
    features = _named(names)
    target = Path(out) if out is not None else Path(f"{Path(picture).stem}.features.png")
    _check_target(target, overwrite)
    found = _decode(Path(picture), limits or Limits())
    check_pixels(found.pixels)
    values = [feature(found.pixels) for feature in features]
    _write(target, _sheet(found, features), policy or PassPolicy())
    return {
        "picture": str(picture),
        "width": found.width,
        "height": found.height,
        "sheet": str(target),
        "features": [_figures(*pair) for pair in zip(features, values, strict=True)],
    }


def _named(names: Sequence[str] | None) -> tuple[VectorFeature, ...]:
    if names is None:
        names = VECTOR_FEATURES.names()
    if not names:
        raise UsageError(f"features must name some of {', '.join(VECTOR_FEATURES.names())}.")
    return vector_features_from_card([{"feature": name} for name in dict.fromkeys(names)])


def _options(feature: VectorFeature) -> dict[str, Any]:
    (card,) = to_card([feature])
    del card["feature"]
    return card


def _figures(feature: VectorFeature, values: np.ndarray) -> dict[str, Any]:
    return {
        "feature": feature.name,
        "title": feature.title,
        "dimensions": feature.dimensions,
        "values": dict(zip(feature.names(), values.tolist(), strict=True)),
    }


def _decode(path: Path, limits: Limits) -> Picture:
    data = read_file(file_uri(path), limits)
    picture = (
        data if isinstance(data, Reason) else decode(data, DecodeOptions(rule="scaled-256"), limits)
    )
    if isinstance(picture, Reason):
        raise SourceError(f"{path} cannot be shown ({picture}). {picture.meaning}")
    return picture


def _sheet(picture: Picture, features: Sequence[VectorFeature]) -> np.ndarray:
    pixels = picture.pixels
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    size = f"{picture.width} x {picture.height} pixels"
    tiles = [SheetTile(rgb, "picture", size)]
    for feature in features:
        about = f"{feature.title}: {feature.dimensions:,} numbers"
        tiles.append(SheetTile(feature.show(pixels), feature.name, about))
    return draw_sheet(tiles)


def _check_target(target: Path, overwrite: bool) -> None:
    if target.suffix.lower() != ".png":
        raise UsageError(f"the sheet must end in .png. Got {target.name!r} instead.")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already. Give --overwrite to replace it.")


def _write(target: Path, sheet: np.ndarray, policy: Policy) -> None:
    cleared = clear(sheet, policy)
    try:
        with replace_file(target) as temporary:
            Image.fromarray(cleared.item).save(temporary, "PNG")
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}.") from error
