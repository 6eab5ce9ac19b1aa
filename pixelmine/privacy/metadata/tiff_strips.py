"""A TIFF's strips and tiles, cut where their pixels end."""

from dataclasses import dataclass

from .inflated import exact_zlib
from .jpeg import rewrite_coded
from .lzw import cut_lzw
from .packbits import cut_packbits
from .stripped import Allowed, MustEncode

__all__ = ["Layout", "exact_strip"]

_NONE, _LZW, _JPEG, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 7, 8, 32946, 32773


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How pixels lie: pixels across and down of a strip or a tile, bits of a sample."""

    width: int
    height: int
    across: int
    down: int
    bits: int
    samples: int
    planar: bool
    tiled: bool
    compression: int
    subsampled: bool

    def strips(self) -> int:
        """How many strips or tiles there are."""
        columns = -(-self.width // self.across)
        return columns * -(-self.height // self.down) * (self.samples if self.planar else 1)

    def bytes_of(self, index: int) -> int:
        """Bytes of a strip's pixels, without compression."""
        rows = self.down
        if not self.tiled:
            stands = index % -(-self.height // self.down)
            rows = min(self.down, self.height - stands * self.down)
        samples = 1 if self.planar else self.samples
        return rows * ((self.across * self.bits * samples + 7) // 8)

    def tables(self, tables: bytes, allow: Allowed, removed: set[str]) -> bytes:
        """The tables that all strips of JPEG share, and nothing else."""
        made, names = _jpeg(tables, allow)
        removed |= names
        return made


def exact_strip(
    strip: bytes, index: int, layout: Layout, allow: Allowed, removed: set[str]
) -> bytes:
    """Raise MustEncode for compressions whose end is not known here, and for too few pixels."""
    if layout.compression == _JPEG:
        made, names = _jpeg(strip, allow)
        removed |= names
        return made
    if layout.subsampled:
        raise MustEncode("Its colours are subsampled without JPEG.")
    size = layout.bytes_of(index)
    if layout.compression == _NONE:
        made = strip[:size]
        if len(made) < size:
            raise MustEncode("It ends before its last pixel.")
    elif layout.compression in (_DEFLATE, _OLD_DEFLATE):
        made, _ = exact_zlib(strip, size)
    elif layout.compression == _LZW:
        made = cut_lzw(strip, 8, size, gif=False)
    elif layout.compression == _PACKBITS:
        made = cut_packbits(strip, size)
    else:
        raise MustEncode("It is compressed in a way that is not rewritten.")
    if made != strip:
        removed.add("bytes behind the pixels")
    return made


def _jpeg(data: bytes, allow: Allowed) -> tuple[bytes, set[str]]:
    if data[:2] != b"\xff\xd8":
        raise MustEncode("A strip is not the JPEG that it should be.")
    return rewrite_coded(data, allow)
