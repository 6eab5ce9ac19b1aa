"""zlib streams that hold exactly the picture."""

import zlib
from collections.abc import Iterator

from .stripped import MustEncode

__all__ = ["exact_zlib"]

_PIECE = 2**20


def exact_zlib(stream: bytes, size: int) -> tuple[bytes, bool]:
    """A zlib stream that inflates to exactly `size` bytes, and whether it had to be cut.

    It is the same stream where that is all there is in it, else it is deflated anew. Memory is
    bounded, whatever the stream inflates to. Raises MustEncode for a broken or a shorter one.
    """
    pieces = _inflate(stream, size)
    over = False
    total = 0
    for piece, more in pieces:
        total += len(piece)
        over |= more
    if total < size:
        raise MustEncode("Its coded pixels end early.")
    if not over:
        return stream, False
    again = zlib.compressobj(6)
    out = [again.compress(piece) for piece, _ in _inflate(stream, size)]
    return b"".join((*out, again.flush())), True


def _inflate(stream: bytes, size: int) -> Iterator[tuple[bytes, bool]]:
    """At most `size` bytes, in pieces; True with the last where there is more of anything."""
    inflate = zlib.decompressobj()
    left, held = size, stream
    try:
        while left and not inflate.eof:
            piece = inflate.decompress(held, min(left, _PIECE))
            held = inflate.unconsumed_tail
            left -= len(piece)
            if not piece and not held:
                break
            yield piece, False
        if not inflate.eof and not left:
            more = inflate.decompress(held, 1)
            over = bool(more) or not inflate.eof or bool(inflate.unused_data)
            yield b"", over
        elif inflate.eof:
            yield b"", bool(inflate.unused_data)
    except zlib.error as error:
        raise MustEncode("Its coded pixels are broken.") from error
