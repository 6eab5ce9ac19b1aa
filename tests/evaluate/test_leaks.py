import numpy as np
import pyarrow as pa
import pytest

from pixelmine.evaluate import Leak, find_leaks, leak_notes
from pixelmine.evaluate.near import Hashes, tie


def table(rows):
    """From (part, group, picture_id)."""
    parts, groups, pictures = zip(*rows, strict=True)
    return pa.table(
        {
            "uri": [f"file:///{i}" for i in range(len(rows))],
            "part": pa.array(parts, pa.string()),
            "group": pa.array(groups, pa.string()),
            "picture_id": pa.array(pictures, pa.string()),
        }
    )


def ties(bits_of):
    """Pictures whose hashes are one hash with the first so many bits turned."""
    hashes = np.stack(
        [np.packbits(np.arange(256) < bits) for bits in bits_of.values()]
        or [np.empty(32, np.uint8)][:0]
    )
    small = np.zeros(len(hashes), bool)
    return tie(Hashes(pictures=list(bits_of), hashes=hashes, small=small, without=0))


def test_groups_and_pictures_on_two_sides():
    rows = table(
        [
            ("train", "a", "1"),
            ("test", "a", "2"),
            ("train", "b", "3"),
            ("test", None, "3"),
            ("val", None, "3"),
            ("train", "", "4"),
            ("test", "", "5"),
            ("train", "b", "6"),
            ("train", None, None),
            ("test", None, None),
        ]
    )
    assert find_leaks(rows) == [
        Leak(what="group", value="a", parts=("test", "train"), uris=("file:///1", "file:///0")),
        Leak(
            what="picture_id",
            value="3",
            parts=("test", "train", "val"),
            uris=("file:///3", "file:///2", "file:///4"),
        ),
    ]


def test_near_duplicates_on_two_sides_name_their_nearest_two():
    rows = table(
        [
            ("train", None, "a"),
            ("train", None, "b"),
            ("test", None, "c"),
            ("val", None, "d"),
            ("train", None, "e"),
            ("train", None, "f"),
            ("test", None, "g"),
        ]
    )
    found = ties({"a": 0, "b": 12, "c": 20, "d": 45, "e": 140, "f": 145, "g": 220})
    assert find_leaks(rows, found) == [
        Leak(
            what="near_duplicates",
            value="c b",
            parts=("test", "train", "val"),
            uris=("file:///2", "file:///1"),
            distance=8,
        )
    ]


def test_pictures_with_one_hash_are_near_duplicates():
    rows = table([("train", None, "a"), ("test", None, "b"), ("test", None, "c")])
    (leak,) = find_leaks(rows, ties({"a": 7, "b": 7, "c": 200}))
    assert (leak.value, leak.parts, leak.distance) == ("b a", ("test", "train"), 0)


def test_a_picture_is_no_near_duplicate_of_itself():
    rows = table([("train", None, "a"), ("test", None, "a")])
    assert [leak.what for leak in find_leaks(rows, ties({"a": 7}))] == ["picture_id"]


def test_members_are_named():
    rows = table([("train", "g", "a"), ("test", "g", "b")])
    rows = rows.append_column("member", pa.array(["x.jpg", ""]))
    assert find_leaks(rows)[0].uris == ("file:///1", "file:///0#x.jpg")


def test_a_note_for_each_kind_counts_and_names_the_first():
    pair = ("file:///x", "file:///y")
    leaks = [
        Leak(what="group", value="sender 7", parts=("test", "train"), uris=pair),
        Leak(what="group", value="sender 8", parts=("test", "train"), uris=pair),
        Leak(what="picture_id", value="abc", parts=("test", "val"), uris=pair),
        Leak(what="near_duplicates", value="a b", parts=("test", "val"), uris=pair, distance=4),
    ]
    groups, pictures, near, advice = leak_notes(leaks)
    assert groups == (
        "LEAK: 2 groups lie in more than one part (sender 7: file:///x in test and file:///y in "
        "train)."
    )
    assert pictures.startswith("LEAK: 1 picture lies in more than one part (file:///x in test")
    assert near.startswith("LEAK: 1 set of near-duplicates lies in")
    assert "4 of 256 bits apart" in near
    assert "pixelmine split" in advice
    assert leak_notes([]) == []


@pytest.mark.parametrize("what", ["group", "picture_id", "near_duplicates"])
def test_each_kind_alone_is_told(what):
    leak = Leak(what=what, value="v", parts=("test", "train"), uris=("u", "w"))
    assert len(leak_notes([leak])) == 2
