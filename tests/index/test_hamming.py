"""The join against each hash compared with each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.index import distinct, hamming, near_pair_blocks, near_pairs
from pixelmine.index.hamming import PDQ_RADIUS

quick = settings(deadline=None, max_examples=12, database=None)
MANY = 300


@pytest.fixture(scope="module", params=["few", "many"], autouse=True)
def size(request):
    """Every test twice: as few hashes are compared, and as many are."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many":
            patch.setattr(hamming, "_FEW", -1)
        yield request.param


def obvious(hashes, radius, others=None):
    there = hashes if others is None else others
    bits = np.unpackbits(hashes, axis=1).astype(np.int32)
    other_bits = np.unpackbits(there, axis=1).astype(np.int32)
    apart = bits @ (1 - other_bits).T + (1 - bits) @ other_bits.T
    i, j = np.nonzero(apart <= radius)
    if others is None:
        i, j = i[i < j], j[i < j]
    return np.stack([i, j], axis=1), apart[i, j]


def crowded(seed, count, centres, flips):
    """Hashes within `flips` bits of a few centres."""
    random = np.random.default_rng(seed)
    middle = random.integers(0, 256, (centres, 32), dtype=np.uint8)
    found = middle[random.integers(0, centres, count)]
    for row in found:
        bits = random.choice(256, random.integers(0, flips + 1), replace=False)
        row[bits // 8] ^= (128 >> (bits % 8)).astype(np.uint8)
    return found


def same(found, known):
    pairs, apart = found
    assert pairs.dtype == apart.dtype == np.int64
    np.testing.assert_array_equal(pairs, known[0])
    np.testing.assert_array_equal(apart, known[1])


counts = st.sampled_from([0, 2, 60, 120])
seeds = st.integers(0, 2**32 - 1)
radii = st.sampled_from([0, 15, 16, 31, 31, 32])


@quick
@given(
    seeds, radii, st.sampled_from([0, 2, 60, 120]), st.sampled_from([1, 8, 60]), st.integers(0, 40)
)
def test_all_pairs_are_found_and_no_others(seed, radius, count, centres, flips):
    hashes = crowded(seed, count, centres, flips)
    same(near_pairs(hashes, radius), obvious(hashes, radius))
    others = crowded(seed, count // 2, centres, flips)
    same(near_pairs(hashes, radius, others=others), obvious(hashes, radius, others))


def test_keys_are_looked_up_where_that_is_less_than_comparing_all():
    spread = hamming._side(np.random.default_rng(0).integers(0, 256, (MANY, 32), dtype=np.uint8))
    assert hamming._masks(spread, spread, 15) == (0,)
    assert hamming._masks(spread, spread, 31) == (0, *(1 << bit for bit in range(16)))
    assert hamming._masks(spread, spread, 64) is None
    crowd = hamming._side(np.zeros((MANY, 32), np.uint8))
    assert hamming._masks(crowd, crowd, 31) is None


def test_a_full_block_goes_on_where_it_stopped(size):
    """Every pair of 90 equal hashes, in blocks of 50, and each once."""
    blank = np.zeros((90, 32), np.uint8)
    blocks = [pairs for pairs, _ in near_pair_blocks(blank, memory_bytes=50 * 128)]
    assert max(map(len, blocks)) <= 50
    found = np.concatenate(blocks)
    assert len(np.unique(found, axis=0)) == len(found) == 90 * 89 // 2


def test_the_farthest_that_still_counts_is_found():
    """31 bits apart: two in each of 15 bands, one in the last."""
    hashes = np.random.default_rng(3).integers(0, 256, (MANY, 32), dtype=np.uint8)
    hashes[7] = hashes[90]
    hashes[7, ::2] ^= 0b11
    hashes[7, 30] ^= 0b10
    assert near_pairs(hashes)[0].tolist() == [[7, 90]]
    assert near_pairs(hashes)[1].tolist() == [PDQ_RADIUS]
    assert near_pairs(hashes, PDQ_RADIUS - 1)[0].shape == (0, 2)


def test_a_complement_is_256_bits_apart():
    hashes = np.stack([np.zeros(32, np.uint8), np.full(32, 255, np.uint8)])
    assert near_pairs(hashes, 255)[1].tolist() == []
    assert near_pairs(hashes, 256)[1].tolist() == [256]


@pytest.mark.parametrize("memory_bytes", [1000, 2**16])
def test_blocks_are_as_small_as_memory_asks_and_hold_each_pair_once(memory_bytes):
    hashes = crowded(5, MANY, 60, 25)
    blocks = list(near_pair_blocks(hashes, memory_bytes=memory_bytes))
    assert max(len(pairs) for pairs, _ in blocks) <= memory_bytes // 128
    pairs = np.concatenate([pairs for pairs, _ in blocks])
    assert sorted(map(tuple, pairs.tolist())) == list(map(tuple, obvious(hashes, 31)[0].tolist()))


def test_more_pairs_than_memory_holds_are_refused():
    blank = np.zeros((800, 32), np.uint8)
    with pytest.raises(UsageError, match="More than"):
        near_pairs(blank, memory_bytes=2**20)
    hashes, place = distinct(blank)
    assert hashes.shape == (1, 32)
    assert place.tolist() == [0] * 800
    assert near_pairs(hashes)[0].shape == (0, 2)


def test_distinct_hashes_give_the_hashes_back():
    hashes = crowded(1, 500, 20, 1)
    found, place = distinct(hashes)
    assert len(np.unique(found, axis=0)) == len(found) < 500
    np.testing.assert_array_equal(found[place], hashes)


def test_no_hashes_have_no_pairs():
    none = np.empty((0, 32), np.uint8)
    assert near_pairs(none)[0].shape == (0, 2)
    assert near_pairs(none, others=np.zeros((3, 32), np.uint8))[0].shape == (0, 2)
    assert distinct(none)[0].shape == (0, 32)


@pytest.mark.parametrize(
    ("hashes", "radius", "said"),
    [
        (np.zeros((2, 31), np.uint8), 31, r"uint8 \(N, 32\)"),
        (np.zeros((2, 32), np.int64), 31, "int64"),
        (np.zeros((2, 32), np.uint8), -1, "0 to 256"),
        (np.zeros((2, 32), np.uint8), 257, "0 to 256"),
    ],
)
def test_what_is_no_hash_or_radius_is_refused(hashes, radius, said):
    with pytest.raises(UsageError, match=said):
        near_pairs(hashes, radius)
