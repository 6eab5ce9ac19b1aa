"""A PNG's colours as numbers, where each is one that a colour can have."""

__all__ = ["kept_colours"]

_UNIT = 100_000
"""gAMA and cHRM tell fractions in 100,000ths. Source: W3C PNG, third edition, 11.3.2."""
_PERCEPTUAL = b"\0"


def kept_colours(colours: dict[bytes, bytes], dropped_srgb: bool) -> dict[bytes, bytes]:
    """Those chunks whose numbers are in range: text is not.

    `dropped_srgb`: the file had a profile that is sRGB and stood above the other chunks; it is said
    by sRGB's own chunk instead.
    """
    kept = {name: body for name, body in colours.items() if _in_range(name, body)}
    if not dropped_srgb:
        return kept
    cicp = {name: body for name, body in kept.items() if name == b"cICP"}
    return cicp or {b"sRGB": _PERCEPTUAL}


def _in_range(name: bytes, body: bytes) -> bool:
    if name == b"sRGB":
        return len(body) == 1 and body[0] <= 3
    if name == b"cICP":
        return len(body) == 4 and body[0] <= 22 and body[1] <= 18 and not body[2] and body[3] <= 1
    numbers = [int.from_bytes(body[at : at + 4], "big") for at in range(0, len(body), 4)]
    if name == b"gAMA":
        return len(body) == 4 and 0 < numbers[0] <= 10 * _UNIT
    return len(body) == 32 and all(number <= _UNIT for number in numbers)
