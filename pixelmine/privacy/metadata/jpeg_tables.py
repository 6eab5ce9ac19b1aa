"""The tables of a JPEG, one a segment, without bytes behind them. Source: ITU-T T.81, B.2.4."""

from collections.abc import Iterator
from dataclasses import dataclass

from .stripped import MustEncode

__all__ = ["Table", "huffman", "quantisation"]

_DQT, _DHT = 0xDB, 0xC4


@dataclass(frozen=True)
class Table:
    """A segment that stands for the scans behind it. `key`: what it is the one of."""

    marker: int
    key: tuple[int, int]
    payload: bytes


def quantisation(payload: bytes) -> Iterator[Table]:
    """Yield those of one DQT segment."""
    at = 0
    while at < len(payload):
        wide, slot = payload[at] >> 4, payload[at] & 15
        end = at + 1 + 64 * (1 + wide)
        if wide > 1 or slot > 3 or end > len(payload):
            raise MustEncode("A quantisation table is broken.")
        yield Table(_DQT, (_DQT, slot), payload[at:end])
        at = end


def huffman(payload: bytes) -> Iterator[Table]:
    """Yield those of one DHT segment."""
    at = 0
    while at < len(payload):
        kind, slot = payload[at] >> 4, payload[at] & 15
        end = at + 17 + sum(payload[at + 1 : at + 17])
        if kind > 1 or slot > 3 or end > len(payload) or end - at > 17 + 256:
            raise MustEncode("A Huffman table is broken.")
        yield Table(_DHT, (_DHT + 256 * kind, slot), payload[at:end])
        at = end
