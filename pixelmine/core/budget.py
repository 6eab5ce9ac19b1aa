"""How much processor time the picture at hand may cost, told to whoever watches.

A decoder says how many pixels it is about to make as soon as it has read them from the header; in a
decoding process that sets the timer which ends the process (`engine.isolation`). Elsewhere nobody
listens and nothing happens.
"""

from collections.abc import Callable

__all__ = ["expect", "listen"]

_listener: Callable[[int], None] | None = None


def listen(listener: Callable[[int], None] | None) -> None:
    """Have `listener` called with each number of pixels; None for nobody. One a process."""
    global _listener
    _listener = listener


def expect(pixels: int) -> None:
    """Say that a frame of so many pixels (width times height) is decoded now."""
    if _listener is not None:
        _listener(pixels)
