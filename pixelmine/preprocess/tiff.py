"""The pages of a TIFF, by the chain of their directories (TIFF 6.0, section 2, and BigTIFF)."""

from typing import Literal

__all__ = ["Tiff"]

_MAX_PAGES = 100_000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 16: 8}
"""Types that hold offsets and lengths: the bytes of each."""
_OFFSETS = {273: "strips", 324: "tiles"}
_LENGTHS = {279: "strips", 325: "tiles"}


class Tiff:
    """`pages`: where each whole directory begins, in bytes; a chain that bites its tail ends there.

    `chain_is_cut`: the last directory names another one that is not all there.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self._big = data, 43 in data[2:4]
        self._order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
        self._word, self._entry, self._counter = (8, 20, 8) if self._big else (4, 12, 2)
        self.pages: list[int] = []
        self.chain_is_cut = False
        at, seen = self._number(8 if self._big else 4, self._word), set[int]()
        while at and at not in seen and len(seen) < _MAX_PAGES:
            end = self._end(at)
            if end + self._word > len(data):
                self.chain_is_cut = True
                return
            seen.add(at)
            self.pages.append(at)
            at = self._number(end, self._word)

    def pixels_end(self) -> int:
        """Where the last strip or tile of any page ends, in bytes."""
        return max(map(self._page_ends, self.pages), default=0)

    def _page_ends(self, page: int) -> int:
        offsets: dict[str, list[int]] = {}
        lengths: dict[str, list[int]] = {}
        for entry in range(page + self._counter, self._end(page), self._entry):
            tag = self._number(entry, 2)
            if tag in _OFFSETS:
                offsets[_OFFSETS[tag]] = self._numbers(entry)
            if tag in _LENGTHS:
                lengths[_LENGTHS[tag]] = self._numbers(entry)
        pairs = ((offsets[kind], lengths.get(kind, [])) for kind in offsets)
        ends = (at + size for starts, sizes in pairs for at, size in zip(starts, sizes))  # noqa: B905  as many as both have
        return max(ends, default=0)

    def _end(self, page: int) -> int:
        return page + self._counter + self._number(page, self._counter) * self._entry

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size], self._order)

    def _numbers(self, entry: int) -> list[int]:
        """The values of a directory's entry, no more of them than there are bytes."""
        size = _SIZES.get(self._number(entry + 2, 2))
        if size is None:
            return []
        at, count = entry + 4 + self._word, self._number(entry + 4, self._word)
        if size * count > self._word:
            at = self._number(at, self._word)
        count = min(count, max(len(self.data) - at, 0) // size)
        return [self._number(at + size * i, size) for i in range(count)]
