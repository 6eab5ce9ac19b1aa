"""Planted leaks, in the tables as ingest and split leave them."""

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import IMAGES, SPLITS
from pixelmine.evaluate import refuse_leaks
from pixelmine.features.pdq import Pdq
from pixelmine.store import Collection

SPLIT, FOLDS = "ab" * 32, "cd" * 32
COUNT = 60


@pytest.fixture
def made(tmp_path):
    """Makes a collection of 60 pictures, 20 in each part, some of them changed."""

    def make(same=(), near=(), bits=20, hashed=True):
        collection = Collection.create(tmp_path / "c")
        pictures = [f"p{i:02d}" for i in range(COUNT)]
        hashes = np.random.default_rng(1).integers(0, 256, (COUNT, 32), dtype=np.uint8)
        for one, other in same:
            pictures[other], hashes[other] = pictures[one], hashes[one]
        for one, other in near:
            hashes[other] = hashes[one] ^ np.packbits(np.arange(256) < bits)
        images = [
            {
                "row_id": f"r{i:02d}",
                "uri": f"file:///{i}.jpg",
                "member": "",
                "frame": 0,
                "picture_id": picture,
                "group": "one group",
                "status": "ok",
            }
            for i, picture in enumerate(pictures)
        ]
        collection.images.append(pa.Table.from_pylist(images, IMAGES))
        parts = ["train"] * 20 + ["val"] * 20 + ["test"] * 20
        rows = [
            {"split_id": name, "row_id": f"r{i:02d}", "part": part}
            for name in (SPLIT, FOLDS)
            for i, part in enumerate(
                parts if name == SPLIT else [f"fold-{i // 20}" for i in range(60)]
            )
        ]
        collection.splits.append(pa.Table.from_pylist(rows, SPLITS))
        if hashed:
            feature = Pdq()
            table = collection.feature(feature.producer, feature.fields)
            known = {
                picture: {"picture_id": picture, "pdq": row.tobytes(), "pdq_quality": 100}
                for picture, row in zip(pictures, hashes, strict=True)
            }
            table.append(pa.Table.from_pylist(list(known.values()), table.schema))
        return collection

    return make


def test_a_split_that_leaks_nothing_passes(made):
    refuse_leaks(made(same=[(0, 25)], near=[(1, 26), (45, 50)]), SPLIT)


def test_copies_of_test_pictures_are_refused_with_their_number_and_an_example(made):
    with pytest.raises(UsageError) as caught:
        refuse_leaks(made(same=[(0, 41), (25, 42)]), SPLIT[:8])
    said = str(caught.value)
    assert "2 of the 20 test pictures of split abababab" in said
    assert "2 as identical files and 0 as near-duplicates" in said
    assert "file:///41.jpg in test and file:///0.jpg in train or val" in said
    assert "--allow-leaks" in said


def test_near_duplicates_are_refused(made):
    with pytest.raises(
        UsageError, match=r"1 of the 20 .*\b0 as identical files and 1 as near"
    ) as e:
        refuse_leaks(made(near=[(3, 55)]), SPLIT)
    assert "file:///55.jpg in test and file:///3.jpg in train or val, 20 of 256 bits" in str(
        e.value
    )


def test_a_picture_counts_once_and_what_looks_like_a_copied_one_counts(made):
    with pytest.raises(UsageError, match=r"2 of the 20 .*1 as identical files and 1 as near"):
        refuse_leaks(made(same=[(0, 41)], near=[(0, 42)]), SPLIT)


def test_pictures_that_differ_by_more_pass(made):
    refuse_leaks(made(near=[(3, 55)], bits=32), SPLIT)


def test_without_hashes_identical_files_are_still_refused(made):
    with pytest.raises(UsageError, match="1 as identical files"):
        refuse_leaks(made(same=[(0, 41)], hashed=False), SPLIT)


def test_of_folds_the_named_one_is_the_test(made):
    collection = made(near=[(3, 25)])
    refuse_leaks(collection, f"{FOLDS}:2")
    for fold in (0, 1):
        with pytest.raises(UsageError, match="1 of the 20"):
            refuse_leaks(collection, f"{FOLDS}:{fold}")
