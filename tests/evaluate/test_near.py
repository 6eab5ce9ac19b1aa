import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.schema import IMAGES
from pixelmine.evaluate import near
from pixelmine.evaluate.near import Hashes, read_hashes, tie, tie_notes
from pixelmine.features.pdq import Pdq
from pixelmine.store import Collection


def flipped(row, *bits):
    """A hash with some of its bits the other way round."""
    row = row.copy()
    for bit in bits:
        row[bit // 8] ^= 128 >> bit % 8
    return row


def random_hashes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def hashes(rows, small=()):
    names = [f"picture {i:05d}" for i in range(len(rows))]
    few = np.isin(np.arange(len(rows)), small)
    return Hashes(pictures=names, hashes=np.array(rows), small=few, without=0)


def chain(start, length, step):
    """Each `step` bits from the one before, 31 at most, and far from the others."""
    rows = [start]
    for i in range(length - 1):
        rows.append(flipped(rows[-1], *((i * step + k) % 256 for k in range(step))))
    return rows


def test_copies_and_near_copies_are_tied_and_others_are_not():
    a, b, c = random_hashes(3)
    found = tie(hashes([a, b, flipped(a, *range(31)), c, flipped(b, *range(32)), c]))
    assert (found.label[[0, 3]] == found.label[[2, 5]]).all()
    assert len(set(found.label)) == 4
    assert found.chains == ()
    assert tie_notes(found) == ["Near-duplicates kept together: 4 pictures in 2 sets."]


def test_small_pictures_must_be_nearer_to_each_other_but_not_to_large_ones():
    a, b = random_hashes(2)
    rows = [a, flipped(a, *range(11)), b, flipped(b, *range(10))]
    found = tie(hashes(rows, small=[0, 1, 2, 3]))
    assert found.label[0] != found.label[1]
    assert found.label[2] == found.label[3]
    assert len(set(tie(hashes(rows, small=[0])).label)) == 2


def test_what_hangs_together_remotely_is_tied():
    found = tie(hashes(chain(random_hashes(1)[0], 8, 30)))
    assert set(found.label) == {0}


def test_a_chain_that_swallows_too_much_is_cut_where_it_is_weakest():
    """Two clusters of 60, tied by a bridge of 30 bits, among 1,323 pictures."""
    first = random_hashes(1)[0]
    second = flipped(first, *range(100, 130))
    clusters = [flipped(row, bit) for row in (first, second) for bit in range(60)]
    far = flipped(second, 200)
    found = tie(
        hashes([*clusters[:60], first, second, *clusters[60:], *random_hashes(1200, 5), far])
    )
    (cut,) = found.chains
    assert (cut.pictures, cut.pieces, cut.largest) == (123, 2, 62)
    assert cut.radius == 29
    assert len(set(found.label[:61])) == len(set(found.label[61:122])) == 1
    assert found.label[0] != found.label[61]
    assert "123 pictures hang together" in tie_notes(found)[1]


def test_copies_beyond_doubt_stay_together_however_many():
    first = random_hashes(1)[0]
    rows = [flipped(first, bit, 255 - bit) for bit in range(100)]
    found = tie(hashes([*rows, *rows, *random_hashes(200, 5)]))
    assert len(set(found.label[:200])) == 1
    (cut,) = found.chains
    assert (cut.pictures, cut.pieces, cut.radius) == (200, 1, near.SURE)


def test_a_small_chain_is_not_cut_however_few_pictures_there_are():
    found = tie(hashes(chain(random_hashes(1)[0], near.SMALL, 5)))
    assert found.chains == ()
    assert set(found.label) == {0}


def test_equal_hashes_count_as_pictures_when_a_chain_is_measured():
    first = random_hashes(1)[0]
    found = tie(hashes([*[first] * 60, *[flipped(first, *range(20))] * 60]))
    assert found.chains[0].pictures == 120
    assert found.chains[0].pieces == 2


def test_no_hashes_tie_nothing():
    found = tie(hashes(np.empty((0, 32), np.uint8)))
    assert found.label.tolist() == []
    assert tie_notes(found) == []


@pytest.fixture
def collection(tmp_path):
    made = Collection.create(tmp_path / "c")
    feature = Pdq()
    table = made.feature(feature.producer, feature.fields)
    rows = [
        {"picture_id": f"p{i}", "pdq": bytes([i] * 32), "pdq_quality": quality}
        for i, quality in enumerate((100, 49, 50, 80))
    ]
    table.append(pa.Table.from_pylist(rows, table.schema))
    images = [
        {
            "row_id": f"r{i}",
            "uri": f"file:///{i}",
            "member": "",
            "frame": 0,
            "picture_id": f"p{i}",
            "status": "ok",
            "width": 63 + i,
            "height": 100,
        }
        for i in range(4)
    ]
    made.images.append(pa.Table.from_pylist(images, IMAGES))
    return made


def test_hashes_that_say_enough_are_read(collection):
    found = read_hashes(collection, ["p2", "p1", "p0", "p0", "elsewhere"])
    assert found.pictures == ["p0", "p2"]
    assert found.hashes.tolist() == [[0] * 32, [2] * 32]
    assert found.small.tolist() == [True, False]
    assert found.without == 2
    assert read_hashes(collection, []).hashes.shape == (0, 32)


def test_a_collection_without_hashes_says_so(tmp_path):
    assert read_hashes(Collection.create(tmp_path / "none"), ["p0"]) is None
