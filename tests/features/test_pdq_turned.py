"""The hash of a turned picture, from its hash alone and from its pixels."""

import numpy as np
import pytest
from skimage import data

from pixelmine.features.pdq import Pdq
from pixelmine.features.pdq_turned import TURNS, turned_hashes, turned_pixels

PICTURES = [data.astronaut(), data.coffee(), data.chelsea()]


def bits(pixels):
    found = Pdq()(pixels, pixels.shape[1], pixels.shape[0])["pdq"]
    return np.frombuffer(found, np.uint8)


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.words)
def test_both_ways_give_nearly_the_same_bits(turn):
    hashes = np.stack([bits(pixels) for pixels in PICTURES])
    real = np.stack([bits(turned_pixels(pixels, turn)) for pixels in PICTURES])
    apart = np.unpackbits(turned_hashes(hashes, turn) ^ real, axis=1).sum(axis=1)
    assert apart.max() <= (0 if turn == TURNS[0] else 24)
    if turn != TURNS[0]:
        assert np.unpackbits(hashes ^ real, axis=1).sum(axis=1).min() > 60


def test_turns_are_what_they_are_called():
    pixels = np.array([[1, 2], [3, 4]])
    words = {turn.words: turned_pixels(pixels, turn).tolist() for turn in TURNS}
    assert words["mirrored"] == [[2, 1], [4, 3]]
    assert words["upside down"] == [[4, 3], [2, 1]]
    assert words["turned left"] == np.rot90(pixels, 1).tolist()
    assert words["turned right"] == np.rot90(pixels, -1).tolist()
    assert len({turned_pixels(pixels, turn).tobytes() for turn in TURNS}) == 8
