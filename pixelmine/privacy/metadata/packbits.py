"""Where a stream of PackBits ends, as TIFF and DICOM have it."""

from .stripped import MustEncode

__all__ = ["cut_packbits"]


def cut_packbits(coded: bytes, size: int) -> bytes:
    """The runs of exactly `size` bytes; MustEncode for others. Source: TIFF 6.0, section 9."""
    at = made = 0
    while made < size:
        if at >= len(coded):
            raise MustEncode("It ends before its last pixel.")
        head = coded[at]
        if head < 128:
            made += head + 1
            at += 2 + head
        elif head > 128:
            made += 257 - head
            at += 2
        else:
            at += 1
    if made != size or at > len(coded):
        raise MustEncode("Its coded pixels are broken.")
    return coded[:at]
