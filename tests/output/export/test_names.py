"""Names of folders and files are safe, apart from each other, and can be turned back."""

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.output.export.names import (
    UNLABELLED,
    FileNames,
    FolderNames,
    escaped,
    file_name,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
NASTY = st.text(st.sampled_from('aA./\\:%~ =@-"ßéConux\n\u202e'), min_size=1, max_size=12)


@given(TEXTS | NASTY)
def test_a_name_can_be_turned_back_and_is_safe(text: str) -> None:
    name = escaped(text)
    assert 0 < len(name.encode()) <= 180
    assert not set(name) & set('<>:"/\\|?*')
    assert name.isprintable()
    assert name[0] not in " .=+-@'"
    assert name[-1] not in " ."
    if "~" not in name:
        assert unquote(name) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Köpfe & Hüte", "Köpfe & Hüte"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        ("50%", "50%25"),
        ("con", "%63on"),
        ("NUL.txt", "%4EUL.txt"),
        ("=1+1", "%3D1+1"),
        ("right\u202eleft", "right%E2%80%AEleft"),
        ("wide ", "wide%20"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert escaped(text) == name


def test_long_names_keep_apart() -> None:
    one, other = escaped("é" * 500), escaped("é" * 501)
    assert one != other
    assert max(len(one.encode()), len(other.encode())) <= 180


@given(st.lists(TEXTS | NASTY, unique=True, max_size=20))
def test_no_two_labels_share_a_folder(labels: list[str]) -> None:
    folders = FolderNames()
    names = [folders.of(label) for label in labels]
    assert names == [folders.of(label) for label in labels]
    keys = {unicodedata.normalize("NFC", name).casefold() for name in [*names, folders.of(None)]}
    assert len(keys) == len(labels) + 1
    assert folders.changed() == {k: v for k, v in zip(labels, names, strict=True) if k != v}


def test_labels_that_differ_by_case_or_are_called_unlabelled() -> None:
    folders = FolderNames()
    assert folders.of(None) == UNLABELLED
    assert [folders.of(x) for x in ("cat", "Cat", UNLABELLED)] == [
        "cat",
        "%43at",
        "%75%6E%6C%61%62%65%6C%6C%65%64",
    ]


@pytest.mark.parametrize(
    ("name", "ending", "known", "expected"),
    [
        ("a.JPG", "jpg", ("jpg", "jpeg"), "a.JPG"),
        ("a.jpeg", "jpg", ("jpg", "jpeg"), "a.jpeg"),
        ("a.png", "jpg", ("jpg", "jpeg"), "a.jpg"),
        ("a.v2", "png", ("png",), "a.v2.png"),
        ("a", "png", ("png",), "a.png"),
        (".jpg", "jpg", ("jpg",), "%2Ejpg.jpg"),
        ("clip.mp4", "png", ("png",), "clip.png"),
        ("a:b.png", "png", ("png",), "a%3Ab.png"),
        ("-rf.png", "png", ("png",), "%2Drf.png"),
    ],
)
def test_a_file_has_the_ending_of_its_format(
    name: str, ending: str, known: tuple[str, ...], expected: str
) -> None:
    assert file_name(name, ending, known) == expected


def test_two_files_of_one_name_get_a_piece_of_their_row_id() -> None:
    files = FileNames()
    ids = ["1" * 64, "2" * 64, "2" * 64, "2" * 64, "2" * 64]
    names = [
        files.of("cat", name, row)
        for name, row in zip(["a.jpg", "A.jpg", *["a.jpg"] * 3], ids, strict=True)
    ]
    assert names[:3] == ["a.jpg", "A-22222222.jpg", f"a-{'2' * 16}.jpg"]
    assert len({name.casefold() for name in names}) == 5
    assert files.of("dog", "a.jpg", "3" * 64) == "a.jpg"
