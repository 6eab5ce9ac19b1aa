"""The one value of EXIF that may stay: which way up the picture is."""

from typing import Literal

__all__ = ["orientation_block", "orientation_of"]

_ORIENTATION, _SHORT = 0x0112, 3
_MAX_ENTRIES = 1000


def orientation_of(block: bytes) -> int | None:
    """1 to 8 from an EXIF block (a TIFF header and directories), None where it says nothing."""
    block = block.removeprefix(b"Exif\0\0")
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return None
    order: Literal["little", "big"] = "little" if block[:2] == b"II" else "big"
    start = int.from_bytes(block[4:8], order)
    count = min(int.from_bytes(block[start : start + 2], order), _MAX_ENTRIES)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        entry = block[at : at + 12]
        if len(entry) == 12 and int.from_bytes(entry[:2], order) == _ORIENTATION:
            value = int.from_bytes(entry[8:10], order)
            is_short = int.from_bytes(entry[2:4], order) == _SHORT
            return value if is_short and 1 <= value <= 8 else None
    return None


def orientation_block(orientation: int) -> bytes:
    """The smallest EXIF block with nothing but this orientation, 26 bytes."""
    entry = b"".join(
        (
            _ORIENTATION.to_bytes(2, "big"),
            _SHORT.to_bytes(2, "big"),
            (1).to_bytes(4, "big"),
            orientation.to_bytes(2, "big") + b"\0\0",
        )
    )
    return b"MM\0*" + (8).to_bytes(4, "big") + (1).to_bytes(2, "big") + entry + bytes(4)
