"""Tables: valid, as short as can be, and read back."""

import heapq
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.privacy.mask.huffman import Table, fitting
from pixelmine.privacy.mask.refused import RefusedError

quick = settings(deadline=None, max_examples=80, database=None)
counts = st.dictionaries(
    st.integers(0, 255), st.one_of(st.integers(1, 9), st.integers(1, 10**9)), max_size=256
)


def as_array(found):
    frequencies = np.zeros(256, np.int64)
    for symbol, count in found.items():
        frequencies[symbol] = count
    return frequencies


def least_bits(frequencies):
    """Huffman's sum, with one more symbol for the code of all ones."""
    heap = [1, *(int(count) for count in frequencies if count)]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        total += (both := heapq.heappop(heap) + heapq.heappop(heap))
        heapq.heappush(heap, both)
    return total


@quick
@given(found=counts)
def test_each_symbol_has_a_code_that_no_other_begins_with(found):
    table = fitting(as_array(found))
    codes = table.codes()
    lengths, words = codes >> 16, codes & 0xFFFF
    assert set(np.flatnonzero(lengths)) == (set(found) or {0})
    texts = [f"{word:0{length}b}" for word, length in zip(words, lengths, strict=True) if length]
    assert all(len(text) <= 16 and "0" in text for text in texts)
    pairs = itertools.pairwise(sorted(texts))
    assert not any(longer.startswith(text) for text, longer in pairs)


@quick
@given(found=st.dictionaries(st.integers(0, 255), st.integers(1, 60), min_size=1, max_size=256))
def test_where_no_code_is_too_long_no_table_is_shorter(found):
    frequencies = as_array(found)
    lengths = fitting(frequencies).codes() >> 16
    used = int((lengths * frequencies).sum())
    least = least_bits(frequencies)
    assert least - 16 <= used < least  # all but the extra symbol's own bits


@quick
@given(found=counts)
def test_what_is_written_is_read_and_looked_up(found):
    table = fitting(as_array(found))
    [(slot, again)] = Table.read(table.written(17))
    assert slot == 17
    codes = table.codes()
    np.testing.assert_array_equal(again.codes(), codes)
    lookup = again.lookup()
    for symbol in np.flatnonzero(codes):
        length, word = codes[symbol] >> 16, codes[symbol] & 0xFFFF
        for rest in (0, (1 << (16 - length)) - 1):
            assert lookup[(word << (16 - length)) + rest] == length * 256 + symbol
    assert lookup[0xFFFF] == 0


@pytest.mark.parametrize(
    "payload",
    [b"\0", b"\0" * 16, b"\0" + b"\1" * 16, b"\x04" + bytes(16), b"\0" + b"\xff" * 300],
)
def test_a_broken_table_is_refused(payload):
    with pytest.raises(RefusedError, match="table is broken"):
        Table.read(payload)


def test_more_codes_than_bits_are_refused():
    [(_, table)] = Table.read(b"\0" + bytes([3, *[0] * 15]) + b"abc")
    with pytest.raises(RefusedError, match="more codes"):
        table.lookup()
