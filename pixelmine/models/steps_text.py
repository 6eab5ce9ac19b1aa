"""A card's preprocessing in words, for people who have to do the same elsewhere."""

from collections.abc import Callable
from typing import Any

__all__ = ["steps_text"]

Values = dict[str, Any]

_SCALES = {
    "full": "Decode at full size",
    "scaled-256": (
        "Decode JPEG at the smallest of the scales 1/8, 1/4, 1/2, 1 whose short side has 256 "
        "pixels or more, everything else at full size"
    ),
}


def steps_text(preprocessing: Values) -> list[str]:
    """A sentence for decoding and one for each step, in order. A step not known here is named."""
    return [_decode(preprocessing["decode"]), *map(_step, preprocessing["steps"])]


def _decode(values: Values) -> str:
    known = {"rule", "colour"}
    first = _SCALES.get(str(values.get("rule")), f"Decode by the rule `{values.get('rule')}`")
    colour = {"grey": "one grey channel (luma of ITU-R BT.601)", "rgb": "RGB"}
    name = str(values.get("colour", "rgb"))
    return (
        f"{first}; turn the picture upright as its EXIF orientation says; "
        f"make it {colour.get(name, name)}, 0 to 255{_more(values, known)}."
    )


def _step(values: Values) -> str:
    name = str(values["step"])
    options = {key: value for key, value in values.items() if key != "step"}
    words = _WORDS.get(name)
    try:
        return words(options) if words else f"`{name}`{_more(options, set())}."
    except KeyError:  # a step of a later version, with options of its own
        return f"`{name}`{_more(options, set())}."


def _resize(values: Values) -> str:
    known = {"height", "width", "short_side", "interpolation"}
    how = f", interpolation `{values['interpolation']}`" if "interpolation" in values else ""
    if values.get("short_side") is not None:
        return (
            f"Scale it, keeping its shape, so that the short side has {values['short_side']} "
            f"pixels{how}{_more(values, known)}."
        )
    return (
        f"Scale it to {values['height']}x{values['width']} pixels (height x width), without regard "
        f"to its shape{how}{_more(values, known)}."
    )


def _center_crop(values: Values) -> str:
    return f"Cut {values['height']}x{values['width']} pixels (height x width) from the middle."


def _center_square(values: Values) -> str:
    return (
        f"Cut a square from the middle, its side {_number(values['fraction'])} of the short side."
    )


def _five_crop(values: Values) -> str:
    return (
        f"Cut {values['height']}x{values['width']} pixels from each corner and the middle: five "
        "pictures, whose logits are averaged."
    )


def _normalise(values: Values) -> str:
    mean, std = values.get("mean", 0.0), values.get("std", 255.0)
    return f"Make each pixel p the float32 (p - {_number(mean)}) / {_number(std)}."


_WORDS: dict[str, Callable[[Values], str]] = {
    "resize": _resize,
    "center_crop": _center_crop,
    "center_square": _center_square,
    "five_crop": _five_crop,
    "normalise": _normalise,
}


def _number(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_number, value))}]"
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _more(values: Values, known: set[str]) -> str:
    """Options that no words were found for."""
    rest = {key: value for key, value in values.items() if key not in known and value is not None}
    said = ", ".join(f"{key} {_number(value)}" for key, value in sorted(rest.items()))
    return f" ({said})" if said else ""
