"""The join on an engine gives what it gives here."""

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.engine import EngineOptions
from pixelmine.index import hamming, near_pairs
from pixelmine.index.hamming_engine import near_pairs_by_engine
from tests.index.test_hamming import crowded

LOCAL, NATIVE = EngineOptions(name="local"), EngineOptions(name="native")


def joined(blocks):
    pairs, far = zip(*blocks, strict=True)
    pairs, far = np.concatenate(pairs), np.concatenate(far)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], far[order]


@pytest.mark.parametrize("engine", [LOCAL, NATIVE], ids=["local", "native"])
@pytest.mark.parametrize("with_others", [False, True])
def test_pieces_on_an_engine_give_the_same_pairs(engine, with_others, tmp_path, monkeypatch):
    monkeypatch.setattr(hamming, "_FEW", 1 << 22)  # else so few are one piece
    hashes = crowded(4, 3000, 400, 25)
    others = crowded(4, 2500, 300, 25) if with_others else None
    assert len(hamming.pieces(hashes, 31, others)) == 16
    found = joined(near_pairs_by_engine(hashes, others=others, folder=tmp_path, engine=engine))
    known = near_pairs(hashes, others=others)
    np.testing.assert_array_equal(found[0], known[0])
    np.testing.assert_array_equal(found[1], known[1])
    assert len(found[0]) > 100


def test_few_and_crowded_hashes_are_one_piece(tmp_path):
    few = crowded(1, 50, 5, 20)
    assert hamming.pieces(few, 31) == [-1]
    found = joined(near_pairs_by_engine(few, folder=tmp_path, engine=LOCAL))
    np.testing.assert_array_equal(found[0], near_pairs(few)[0])


def test_what_is_no_hash_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="uint8"):
        list(near_pairs_by_engine(np.zeros((2, 3), np.uint8), folder=tmp_path, engine=LOCAL))
    assert list(tmp_path.iterdir()) == []
