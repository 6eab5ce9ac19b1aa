"""A JPEG taken apart: its quantised coefficients, and the parts that are needed to show them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .huffman import Table
from .jpeg_bits import BROKEN, LOOKAHEAD, decode_scan
from .jpeg_frame import Frame, Scan, Segment, quantisation, segments
from .refused import RefusedError

__all__ = ["Decoded", "decode"]

_SCANS = 100
"""Of one file: encoders make 10 or so, and each may cost as much as a whole picture."""

_DHT, _EOI, _SOS, _DQT, _DRI = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_REFUSED = {0xDC: "its height stands behind its first scan", 0xDE: "it is hierarchical"}


@dataclass(frozen=True)
class Decoded:
    """`blocks`: int16 (N, 64), quantised, in zigzag order, component by component.

    `quantisation`: by slot, uint16 (64,). `interval`: MCUs from one restart to the next, 0 for
    none. `others`: segments that say nothing of coefficients; the EOI with what follows it.
    """

    frame: Frame
    blocks: np.ndarray
    quantisation: Mapping[int, np.ndarray]
    interval: int
    others: tuple[Segment, ...]


def decode(data: bytes, *, max_pixels: int) -> Decoded:
    """Raises RefusedError for a file that is broken, cut off, or of a kind that is not read here.

    Read are Huffman coded JPEGs of 8 bits with 1 or 3 components: baseline, extended, and
    progressive to its last bit (a decoder guesses at what it was not told).
    """
    reading = _Reading()
    others = []
    for segment in segments(data):
        if segment.marker in _FRAMES:
            reading.start(segment, max_pixels, len(data))
        elif segment.marker in _REFUSED:
            raise RefusedError(_REFUSED[segment.marker])
        elif segment.marker == _DHT:
            reading.tables.update(Table.read(segment.payload))
        elif segment.marker == _DQT:
            reading.quantise(segment.payload)
        elif segment.marker == _DRI:
            reading.restart(segment.payload)
        elif segment.marker == _SOS:
            reading.scan(segment)
        else:
            others.append(segment)
    return reading.done(tuple(others))


@dataclass
class _Reading:
    """The state between segments.

    `bits`: by component and coefficient the lowest bit that is known, -1 for none, int64 (C, 64).
    """

    frame: Frame | None = None
    tables: dict[int, Table] = field(default_factory=dict)
    quantisation: dict[int, np.ndarray] = field(default_factory=dict)
    interval: int = 0
    first_interval: int = 0
    scans: int = 0
    blocks: np.ndarray = field(default_factory=lambda: np.empty((0, 64), np.int16))
    bits: np.ndarray = field(default_factory=lambda: np.empty((0, 64), np.int64))

    def start(self, segment: Segment, max_pixels: int, size: int) -> None:
        if self.frame is not None:
            raise RefusedError("it has two frames")
        frame = Frame.read(segment.marker, segment.payload)
        if frame.width * frame.height > max_pixels:
            raise RefusedError("it has too many pixels")
        if frame.blocks > size * 8:
            raise RefusedError("it is cut off")  # each block takes a bit or more
        self.frame = frame
        self.blocks = np.zeros((frame.blocks, 64), np.int16)
        self.bits = np.full((len(frame.components), 64), -1, np.int64)

    def quantise(self, payload: bytes) -> None:
        for slot, table in quantisation(payload):
            known = self.quantisation.get(slot, table[:0])
            if self.scans and not np.array_equal(known, table):
                raise RefusedError("its quantisation changes between scans")
            self.quantisation[slot] = table

    def restart(self, payload: bytes) -> None:
        if len(payload) != 2:
            raise RefusedError("its restart interval is broken")
        self.interval = int.from_bytes(payload, "big")

    def scan(self, segment: Segment) -> None:
        if self.frame is None:
            raise RefusedError("a scan stands before the frame header")
        scan = Scan.read(self.frame, segment.payload)
        self.scans += 1
        if self.scans == 1:
            self.first_interval = self.interval
        if self.scans > _SCANS:
            raise RefusedError(f"it has more than {_SCANS} scans")
        self._count_bits(scan)
        self._decode(self.frame, scan, segment.entropy)

    def _count_bits(self, scan: Scan) -> None:
        """Each bit of each coefficient is told once, from the highest down."""
        for place, _, _ in scan.members:
            known = self.bits[place, scan.first : scan.last + 1]
            expected = scan.high_bit if scan.high_bit else -1
            goes_down = not scan.high_bit or scan.low_bit == scan.high_bit - 1
            if (known != expected).any() or not goes_down:
                raise RefusedError("its scans are out of order")
            if scan.first and self.bits[place, 0] < 0:
                raise RefusedError("its scans are out of order")
            known[:] = scan.low_bit

    def _decode(self, frame: Frame, scan: Scan, entropy: np.ndarray) -> None:
        alone = len(scan.members) == 1
        wide, high = frame.mcus_wide, frame.mcus_high
        lookups: dict[int, int] = {}
        members = []
        for place, direct, others in scan.members:
            one = frame.components[place]
            across, down = (1, 1) if alone else (one.across, one.down)
            if alone:
                wide, high = one.real_wide, one.real_high
            needed = [direct, 16 + others]
            if frame.progressive:
                needed = [needed[scan.first > 0]] if scan.first or not scan.high_bit else []
            places = {slot: lookups.setdefault(slot, len(lookups)) for slot in needed}
            slots = (places.get(direct, 0), places.get(16 + others, 0))
            members.append((one.first, one.wide, across, down, *slots))
        missing = [slot for slot in lookups if slot not in self.tables]
        if missing:
            raise RefusedError("a Huffman table is missing")
        tables = np.zeros((max(len(lookups), 1), 1 << 16), np.uint16)
        for slot, at in lookups.items():
            tables[at] = self.tables[slot].lookup()
        interval = self.interval or wide * high
        found, starts, stops = _unstuffed(entropy)
        if len(starts) > -(-wide * high // interval):
            raise RefusedError("it has more restarts than it says")
        answer = decode_scan(
            found,
            starts,
            stops,
            np.array(members, np.int64),
            wide,
            high,
            interval,
            tables,
            frame.progressive,
            scan.first,
            scan.last,
            bool(scan.high_bit),
            scan.low_bit,
            self.blocks,
        )
        if answer:
            raise RefusedError("its coded data is broken" if answer == BROKEN else "it is cut off")

    def done(self, others: tuple[Segment, ...]) -> Decoded:
        if self.frame is None or not self.scans:
            raise RefusedError("it has no picture in it")
        if self.bits.any():
            raise RefusedError("some of its scans are missing")
        missing = {one.quantised_by for one in self.frame.components} - set(self.quantisation)
        if missing:
            raise RefusedError("a quantisation table is missing")
        return Decoded(self.frame, self.blocks, self.quantisation, self.first_interval, others)


def _unstuffed(entropy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coded data as `decode_scan` takes it: bytes, and the bits where segments start and stop."""
    padded = np.append(entropy, np.uint8(0xFF))
    marks = np.flatnonzero(padded[:-1] == 0xFF)
    after = padded[marks + 1]
    restarts = marks[(after != 0) & (after != 0xFF)]
    numbers = padded[restarts + 1] - 0xD0
    if not np.array_equal(numbers, np.arange(len(restarts)) % 8):
        raise RefusedError("its restarts are out of order")
    dropped = np.sort(
        np.concatenate([marks[after == 0] + 1, marks[after == 0xFF], restarts, restarts + 1])
    )
    kept = np.ones(len(entropy), bool)
    kept[dropped] = False
    found = np.append(entropy[kept], np.zeros(LOOKAHEAD, np.uint8))
    edges = (restarts - np.searchsorted(dropped, restarts)) * 8
    starts = np.concatenate([[0], edges]).astype(np.int64)
    stops = np.concatenate([edges, [8 * int(kept.sum())]]).astype(np.int64)
    return found, starts, stops
