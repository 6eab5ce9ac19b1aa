"""Many pictures in one array: each is a member, named by its position."""

from collections.abc import Iterator

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.ids import array_bytes

from .held import Held
from .rows import Row

__all__ = ["HELD", "MAX_BYTES", "array_size", "is_stack", "picture_of", "stack_rows"]

MAX_BYTES = 2**31
"""Of one array: what is held in memory while its pictures are read."""

HELD: Held[np.ndarray | Reason] = Held(
    MAX_BYTES, lambda held: 0 if isinstance(held, Reason) else held.nbytes
)
"""Arrays of files that were read last, each unpacked once."""


def is_stack(shape: tuple[int, ...]) -> bool:
    """Whether a shape is that of N pictures: (N, H, W) or (N, H, W, C) with C 1, 3 or 4.

    (H, W, 3) and (H, W, 4) are one picture: none is three or four pixels wide.
    """
    if any(side == 0 for side in shape[1:]):
        return False
    return (len(shape) == 3 and shape[2] not in (3, 4)) or (
        len(shape) == 4 and shape[3] in (1, 3, 4)
    )


def stack_rows(
    place: Row, shape: tuple[int, ...], prefix: str, labels: np.ndarray | None, part: str | None
) -> Iterator[Row]:
    """One row for each of N pictures of uint8. `labels`: integers (N,)."""
    size = array_size(shape[1:])
    meta = [("part", part)] if part else None
    for index in range(shape[0]):
        label = str(labels[index]) if labels is not None else None
        more = {"member": f"{prefix}{index}", "size": size, "label": label, "meta": meta}
        yield {**place, **more}


def picture_of(stack: np.ndarray, index: str, limits: Limits) -> bytes | Reason:
    """The bytes that stand for one picture of a stack, `dtype|shape|data`."""
    if not (index.isascii() and index.isdecimal()) or int(index) >= len(stack):
        return Reason.NOT_FOUND
    picture = stack[int(index)]
    if picture.nbytes > limits.max_bytes:
        return Reason.TOO_LARGE_FILE
    return array_bytes(picture)


def array_size(shape: tuple[int, ...]) -> int:
    """Length of `array_bytes` of a uint8 array of such a shape."""
    header = len(array_bytes(np.empty((0,), np.uint8))) - len("0")
    return header + len("x".join(map(str, shape))) + int(np.prod(shape, dtype=np.int64))
