import pyarrow as pa

from pixelmine.evaluate import Leak, find_leaks, leak_warning


def test_groups_and_pictures_on_two_sides():
    rows = pa.table(
        {
            "part": ["train", "test", "train", "test", "val", "train", "test", "train"],
            "group": ["a", "a", "b", None, None, "", "", "b"],
            "picture_id": ["1", "2", "3", "3", "3", "4", "5", "6"],
        }
    )
    assert find_leaks(rows) == [
        Leak(what="group", value="a", parts=("test", "train")),
        Leak(what="picture_id", value="3", parts=("test", "train", "val")),
    ]


def test_the_warning_counts_and_names_the_first():
    leaks = [
        Leak(what="group", value="sender 7", parts=("test", "train")),
        Leak(what="picture_id", value="abc", parts=("test", "val")),
    ]
    text = leak_warning(leaks)
    assert "1 groups and 1 pictures" in text
    assert "sender 7, in test and train" in text
    assert leak_warning([]) is None
