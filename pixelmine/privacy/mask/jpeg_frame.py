"""What a JPEG says of itself: components, tables and scans. Source: ITU-T T.81, annex B."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .refused import RefusedError

__all__ = ["Component", "Frame", "Scan", "Segment", "quantisation", "segments"]

_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_BLOCKS = 10
"""Of one MCU, at most."""


@dataclass(frozen=True)
class Segment:
    """`marker`: its second byte. `payload`: after the length. `entropy`: a scan's data, uint8."""

    marker: int
    payload: bytes
    entropy: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Component:
    """`across`, `down`: blocks in an MCU. `quantised_by`: the slot of its table.

    `wide`, `high`: in blocks, with those that fill up the last MCUs. `real_wide`, `real_high`: of
    those that hold a part of the picture. `first`: the place of its first block.
    """

    name: int
    across: int
    down: int
    quantised_by: int
    wide: int
    high: int
    real_wide: int
    real_high: int
    first: int


@dataclass(frozen=True)
class Frame:
    """`width`, `height`: in pixels. `mcu_width`, `mcu_height`: of one MCU, in pixels."""

    progressive: bool
    width: int
    height: int
    mcu_width: int
    mcu_height: int
    components: tuple[Component, ...]
    payload: bytes

    @classmethod
    def read(cls, marker: int, payload: bytes) -> "Frame":
        """From a SOF segment of 8 bits with Huffman codes: SOF0, SOF1 or SOF2."""
        if marker not in (0xC0, 0xC1, 0xC2):
            raise RefusedError("its coding is not baseline, extended or progressive Huffman")
        if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:
            raise RefusedError("its frame header is broken")
        height, width = (int.from_bytes(payload[at : at + 2], "big") for at in (1, 3))
        if payload[0] != 8:
            raise RefusedError(f"its samples have {payload[0]} bits")
        if payload[5] not in (1, 3):
            raise RefusedError(f"it has {payload[5]} colour components")
        if not width or not height:
            raise RefusedError("its header does not say its size")
        described = [tuple(payload[at : at + 3]) for at in range(6, len(payload), 3)]
        samplings = [(factors >> 4, factors & 15) for _, factors, _ in described]
        if not all(1 <= factor <= 4 for pair in samplings for factor in pair):
            raise RefusedError("a sampling factor is not 1 to 4")
        if len(described) == 1:
            samplings = [(1, 1)]  # one component alone is never interleaved
        if sum(across * down for across, down in samplings) > _BLOCKS:
            raise RefusedError("its MCUs have more than 10 blocks")
        if len({name for name, _, _ in described}) != len(described):
            raise RefusedError("two components have one name")
        most_across, most_down = (max(axis) for axis in zip(*samplings, strict=True))
        mcus_wide = -(-width // (8 * most_across))
        mcus_high = -(-height // (8 * most_down))
        components: list[Component] = []
        first = 0
        for (name, _, table), (across, down) in zip(described, samplings, strict=True):
            component = Component(
                name=name,
                across=across,
                down=down,
                quantised_by=table,
                wide=mcus_wide * across,
                high=mcus_high * down,
                real_wide=-(-width * across // (8 * most_across)),
                real_high=-(-height * down // (8 * most_down)),
                first=first,
            )
            components.append(component)
            first += component.wide * component.high
        sizes = 8 * most_across, 8 * most_down
        return cls(marker == 0xC2, width, height, *sizes, tuple(components), payload)

    @property
    def mcus_wide(self) -> int:
        """How many MCUs lie side by side."""
        return -(-self.width // self.mcu_width)

    @property
    def mcus_high(self) -> int:
        """How many rows of MCUs there are."""
        return -(-self.height // self.mcu_height)

    @property
    def blocks(self) -> int:
        """Of all components."""
        last = self.components[-1]
        return last.first + last.wide * last.high

    @property
    def smoothed(self) -> tuple[bool, bool]:
        """Whether some component has fewer samples than pixels across, and down."""
        pairs = [(one.across * 8, one.down * 8) for one in self.components]
        return (
            any(across < self.mcu_width for across, _ in pairs),
            any(down < self.mcu_height for _, down in pairs),
        )


@dataclass(frozen=True)
class Scan:
    """`members`: (place in the frame, slot of the DC table, slot of the AC table)."""

    members: tuple[tuple[int, int, int], ...]
    first: int
    last: int
    high_bit: int
    low_bit: int

    @classmethod
    def read(cls, frame: Frame, payload: bytes) -> "Scan":
        """From a SOS segment."""
        if len(payload) < 4 or len(payload) != 4 + 2 * payload[0]:
            raise RefusedError("a scan header is broken")
        by_name = {one.name: place for place, one in enumerate(frame.components)}
        members = []
        for at in range(1, len(payload) - 3, 2):
            name, slots = payload[at], payload[at + 1]
            if name not in by_name or slots >> 4 > 3 or slots & 15 > 3:
                raise RefusedError("a scan header is broken")
            members.append((by_name[name], slots >> 4, slots & 15))
        first, last, bits = payload[-3:]
        scan = cls(tuple(members), first, last, bits >> 4, bits & 15)
        if not scan._sound(frame.progressive):
            raise RefusedError("a scan header is broken")
        return scan

    def _sound(self, progressive: bool) -> bool:
        places = [place for place, _, _ in self.members]
        if not places or places != sorted(set(places)):
            return False
        if not progressive:
            return (self.first, self.last, self.high_bit, self.low_bit) == (0, 63, 0, 0)
        if self.first == 0:
            return self.last == 0 and self.low_bit <= 13
        return len(places) == 1 and self.first <= self.last <= 63 and self.low_bit <= 13


def segments(data: bytes) -> Iterator[Segment]:
    """Each segment up to EOI, which is the last one given where the file has one."""
    if data[:2] != b"\xff\xd8":
        raise RefusedError("it is not a JPEG")
    raw = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(raw == 0xFF)
    marks = marks[marks < len(raw) - 1]
    after = raw[marks + 1]
    restarts = (after >= _RESTARTS[0]) & (after <= _RESTARTS[-1])
    ends = marks[(after != 0) & (after != 0xFF) & ~restarts]
    nothing = raw[:0]
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 2 > len(data):
            return
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0, _SOI, _TEM) or marker in _RESTARTS:
            raise RefusedError("there is something else where a marker should be")
        at += 2
        if marker == _EOI:
            yield Segment(marker, data[at:], nothing)
            return
        length = int.from_bytes(data[at : at + 2], "big")
        payload = data[at + 2 : at + length]
        if length < 2 or len(payload) != length - 2:
            raise RefusedError("a segment is cut off")
        at += length
        entropy = nothing
        if marker == _SOS:
            place = int(np.searchsorted(ends, at))
            end = int(ends[place]) if place < len(ends) else len(data)
            entropy = raw[at:end]
            at = end
        yield Segment(marker, payload, entropy)


def quantisation(payload: bytes) -> Iterator[tuple[int, np.ndarray]]:
    """The tables of one DQT segment: slot, and uint16 (64,) in zigzag order."""
    at = 0
    while at < len(payload):
        wide, slot = payload[at] >> 4, payload[at] & 15
        size = 64 * (wide + 1)
        values = payload[at + 1 : at + 1 + size]
        if wide > 1 or slot > 3 or len(values) != size:
            raise RefusedError("a quantisation table is broken")
        table = np.frombuffer(values, ">u2" if wide else np.uint8).astype(np.uint16)
        if not table.all():
            raise RefusedError("a quantisation table has a zero in it")
        yield slot, table
        at += 1 + size
