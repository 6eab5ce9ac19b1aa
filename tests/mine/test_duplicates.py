"""Candidates: every near pair once, whatever is new."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.features.pdq_turned import TURNS, turned_hashes
from pixelmine.mine.duplicates import DuplicateOptions, alike_candidates, hash_candidates

quick = settings(deadline=None, max_examples=25, database=None)


def crowded(seed, count):
    """Near, equal and turned ones of a few hashes."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 256, (4, 32), dtype=np.uint8)[random.integers(0, 4, count)]
    for row in hashes:
        bits = random.choice(256, random.integers(0, 25), replace=False)
        np.bitwise_xor.at(row, bits // 8, (128 >> (bits % 8)).astype(np.uint8))
    for number in range(count):
        if random.random() < 0.3:
            turn = TURNS[random.integers(len(TURNS))]
            hashes[number] = turned_hashes(hashes[number : number + 1], turn)[0]
    return hashes


def obvious(hashes, radius, turns):
    found = {}
    for i in range(len(hashes)):
        for turn in turns:
            turned = turned_hashes(hashes[i : i + 1], turn)
            apart = np.unpackbits(turned ^ hashes[i + 1 :], axis=1).sum(axis=1)
            for j in np.flatnonzero(apart <= radius):
                pair = i, int(i + 1 + j)
                found[pair] = min(found.get(pair, 999), int(apart[j]))
    return found


def as_dict(found):
    return dict(zip(map(tuple, found.pairs.tolist()), found.bits.tolist(), strict=True))


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 9, 30]), st.booleans())
def test_every_near_pair_is_found_once_by_its_nearest_turn(seed, count, turned):
    hashes, turns = crowded(seed, count), TURNS if turned else TURNS[:1]
    large, new = np.zeros(count, bool), np.ones(count, bool)
    found = hash_candidates(hashes, large, new, 31, turns)
    assert as_dict(found) == obvious(hashes, 31, turns)
    for (i, j), bits, number in zip(found.pairs, found.bits, found.turn, strict=True):
        there = turned_hashes(hashes[i : i + 1], TURNS[number])
        assert np.unpackbits(there ^ hashes[j]).sum() == bits, "the first is what is turned"


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_what_is_added_finds_what_all_at_once_would(seed, old):
    hashes, small = crowded(seed, 20), np.zeros(20, bool)
    every = as_dict(hash_candidates(hashes, small, np.ones(20, bool), 31, TURNS))
    before = as_dict(hash_candidates(hashes[:old], small[:old], np.ones(old, bool), 31, TURNS))
    after = as_dict(hash_candidates(hashes, small, np.arange(20) >= old, 31, TURNS))
    assert before | after == every
    assert not before.keys() & after.keys()


def test_small_pictures_must_be_nearer():
    hashes = np.random.default_rng(0).integers(0, 256, (1, 32), dtype=np.uint8).repeat(3, axis=0)
    hashes[1, :2] ^= 255  # 16 bits from the others
    new = np.ones(3, bool)
    assert len(hash_candidates(hashes, np.ones(3, bool), new, 31).pairs) == 1
    assert len(hash_candidates(hashes, np.array([True, False, True]), new, 31).pairs) == 3


def test_of_a_crowd_the_first_stands_for_all():
    hashes = np.full((500, 32), 7, np.uint8)
    found = hash_candidates(hashes, np.zeros(500, bool), np.ones(500, bool), 31)
    assert found.pairs.tolist() == [[0, n] for n in range(1, 500)]


def test_new_ones_are_paired_with_their_nearest():
    vectors = np.eye(6, dtype=np.float32)
    vectors[4] = vectors[0] * 0.8 + vectors[1] * 0.6
    new = np.array([False, False, False, False, True, False])
    pairs, cosines = alike_candidates(vectors, new, 3, 0.7)
    assert pairs.tolist() == [[0, 4]]
    np.testing.assert_allclose(cosines, [0.8], atol=1e-6)
    assert len(alike_candidates(vectors, ~new, 3, 0.7)[0]) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [({"radius": 65}, "0 to 64"), ({"scene": 0.0}, "scene"), ({"neighbours": 0}, "neighbours")],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        DuplicateOptions(**options)
