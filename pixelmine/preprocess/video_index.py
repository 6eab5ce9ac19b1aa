"""Where the frames of a video lie: its packets, counted once from the first to the last."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

__all__ = ["VideoIndex", "index_of"]

_RATE = Fraction(25)
"""Frames a second, where neither packets nor the header tell."""


@dataclass(frozen=True)
class VideoIndex:
    """For each of N frames, in the order in which they are shown.

    `times`: in units of `unit` seconds; with `by_number` simply 0, 1, 2, ... `packets`: the number
    of the packet that holds it. `starts`: the number of the packet from which it is decoded, a key
    frame's.
    """

    times: list[int]
    packets: list[int]
    starts: list[int]
    unit: Fraction
    by_number: bool

    def moments(self) -> list[int]:
        """The first frame of each second, counted from the first frame."""
        found: list[int] = []
        last = -1
        for index, time in enumerate(self.times):
            second = int((time - self.times[0]) * self.unit)
            if second > last:
                found.append(index)
                last = second
        return found


def index_of(packets: "Iterable[Packet[VideoStream]]", stream: "VideoStream") -> VideoIndex:
    """Read all packets, decoding none.

    A packet that is not shown is not counted: cut by an edit list, or a hidden frame of VP8. Where
    packets have no times of their own, frames are counted as they come out, from the first packet;
    so they are in an AVI whose frames are not stored as shown, where times are guesses.
    """
    hidden = stream.codec_context.name == "vp8"
    guessed = stream.container.format.name == "avi" and stream.codec_context.has_b_frames
    found: list[tuple[int | None, int]] = []
    keys: list[tuple[int, int]] = []
    for number, packet in enumerate(packets):
        if not packet.size:
            continue
        if packet.is_keyframe and packet.pts is not None:
            keys.append((packet.pts, number))
        if not packet.is_discard and not (hidden and not bytes(packet)[0] & 0x10):
            found.append((packet.pts, number))
    times = [time for time, _ in found if time is not None]
    key_times = [time for time, _ in keys]
    if guessed or len(set(times)) < len(found) or key_times != sorted(key_times):
        return _by_number([number for _, number in found], stream.average_rate or _RATE)
    frames = sorted((time, number) for time, number in found if time is not None)
    starts = []
    for time, number in frames:
        at = bisect_right(key_times, time) - 1
        starts.append(keys[at][1] if at >= 0 and keys[at][1] <= number else 0)
    unit = stream.time_base or 1 / _RATE
    return VideoIndex(
        [time for time, _ in frames], [number for _, number in frames], starts, unit, False
    )


def _by_number(packets: list[int], rate: Fraction) -> VideoIndex:
    frames = len(packets)
    return VideoIndex([*range(frames)], packets, [0] * frames, 1 / rate, True)
