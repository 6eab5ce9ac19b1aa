"""The mining page holds all it was given, safely, and each picture once."""

import re
from string import Formatter

import numpy as np
import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import UsageError
from pixelmine.evaluate.drawing import canvas, data_uri
from pixelmine.mine.page import MiningPage, Pile, Thumbnail, cell_text, is_numbers, render
from pixelmine.mine.page_markdown import to_markdown
from pixelmine.mine.page_texts import TEXTS
from pixelmine.mine.section import Plot, Section, Shown, Strip, Table
from tests.evaluate.test_report import Page

EVIL = "<script>alert(1)</script>"


def thumbnail(number: int, name: str = "", side: int = 90) -> Thumbnail:
    pixels = np.full((side, side, 3), 40 * number, np.uint8)
    return Thumbnail(pixels=clear(pixels, PassPolicy()), name=name)


def plot() -> str:
    figure, axes = canvas(3, 2)
    axes.plot([0, 1], [1, 0])
    return data_uri(figure)


def shown(row: str, *caption: str, mark: bool = False) -> Shown:
    return Shown(row={"row_id": row}, caption=caption, mark=mark)


def page(**more: object) -> MiningPage:
    twice = Section(
        name="duplicates",
        title=f"Twice {EVIL}",
        lead=f"Two groups. {EVIL}",
        figures={"Groups": "2", EVIL: EVIL},
        plots=[Plot(title=EVIL, alt='by "distance"', source=plot())],
        strips=[
            Strip(
                title=f"Group {EVIL}",
                note=EVIL,
                pictures=[shown("a", "keep", mark=True), shown("b", EVIL), shown("c")],
            ),
            Strip(pictures=[shown("a", "again")]),
        ],
        tables=[
            Table(title=EVIL, columns=["Copy", "Pictures", EVIL], rows=[[EVIL, 1200, 0.5]]),
            Table(columns=["n"], rows=[[n] for n in range(40)]),
            Table(columns=["none"], rows=[]),
        ],
        notes=[EVIL],
        commands=[f"pixelmine {EVIL}"],
    )
    given = {
        "title": EVIL,
        "pile": Pile(
            pictures=1010,
            different=1000,
            bytes=10**9,
            failed={"truncated": 9, "empty": 1},
            formats={"jpeg": 900, "png": 100},
            labelled=12,
            labels={EVIL: 7, **{f"l{n}": 1 for n in range(8)}},
            groups=3,
            smallest=(1, 2),
            usual=(30, 40),
            largest=(500, 600),
        ),
        "sections": [twice, Section(name="quality", title="Quality", lead="All is well.")],
        "thumbnails": {
            "a": thumbnail(1, "a.jpg"),
            "b": thumbnail(2, EVIL),
            "c": thumbnail(2),  # the same picture in another place
        },
        "skipped": {EVIL: EVIL},
        "made": "2026-11-28T12:00:00+00:00",
    }
    return MiningPage(**(given | more))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_is_on_the_page_and_nothing_runs(language: str) -> None:
    html = render(page(language=language))
    found = Page(html)
    assert {tag for tag, _ in found.elements} & {"script", "iframe", "form", "object"} == set()
    assert "default-src 'none'" in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert not re.search(r"url\((?!data:)", html)
    for words in (
        "1,010",
        "1,000",
        "1,200",
        "0.5",
        "30 \u00d7 40",
        "500 \u00d7 600",
        "All is well.",
    ):
        assert words in found.text, words
    assert found.text.count(EVIL) >= 12, "shown as text everywhere"
    assert "alert(1)</script>" not in html
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = [attributes["href"] for attributes in found.all("a")]
    assert links == ["#duplicates-1", "#quality-2"]
    assert {link[1:] for link in links} <= set(ids)


def test_a_picture_that_comes_again_is_embedded_once_and_each_has_words() -> None:
    html = render(page())
    sources = re.findall(r"data:image/jpeg;base64,[^)\"]+", html)
    assert len(sources) == len(set(sources)) == 2
    found = Page(html)
    shots = [a for _, a in found.elements if a.get("role") == "img" and "shared" in a["class"]]
    assert [shot["aria-label"] for shot in shots] == [
        "a.jpg; keep; marked",
        f"{EVIL}; {EVIL}",
        "picture 3",
        "a.jpg; again",
    ]
    alone = page(
        sections=[
            Section(name="x", title="X", lead="", strips=[Strip(pictures=[shown("a", "one")])])
        ]
    )
    images = Page(render(alone)).all("img")
    assert [image["alt"] for image in images] == ["a.jpg; one"]


def test_all_images_have_an_alt() -> None:
    assert all(image["alt"] for image in Page(render(page())).all("img"))


def test_numbers_stand_right_and_long_tables_scroll() -> None:
    html = render(page())
    assert html.count('class="scroll tall"') == 1
    assert '<th scope="col" class="number">Pictures</th>' in html
    assert '<th scope="col">Copy</th>' in html
    assert [cell_text(c) for c in (None, "a", 1234, 0.123456789, 1e9, True)] == [
        *("", "a", "1,234", "0.123457", "1e+09", "True")
    ]


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        ([1, None, 0.5], True),
        (["66%", "<0.001", "2e-292", "x 4", "1,200", "12.5 MB", "-3", ""], True),
        (["0.5", "blurred"], False),
        (["3 of 4"], False),
        (["2026-11-28"], False),
        ([None, ""], False),
    ],
)
def test_a_column_of_numbers(cells: list[str | float | None], right: bool) -> None:
    assert is_numbers(Table(columns=["n"], rows=[[cell] for cell in cells]), 0) is right


def test_small_piles_and_none() -> None:
    empty = Pile(pictures=0, different=0, bytes=0)
    html = render(page(pile=empty, sections=[], thumbnails={}, skipped={}))
    found = Page(html).text
    assert "Nothing was looked for yet." in found
    assert "Every picture could be read." in found


def test_only_what_was_cleared_is_taken() -> None:
    with pytest.raises(TypeError, match="clear"):
        Thumbnail(pixels=np.zeros((4, 4, 3), np.uint8))  # type: ignore[arg-type] # that is the test
    with pytest.raises(UsageError, match="language"):
        page(language="fr")


def test_markdown_says_the_same() -> None:
    text = to_markdown(page(names={"a": "a.jpg", "b": "b*.jpg"}))
    assert [line for line in text.splitlines() if EVIL in line] == [f"    pixelmine {EVIL}"]
    assert "- **a.jpg; keep; " not in text
    assert "- **a.jpg; keep**" in text
    assert "| Pictures | 1,010 |" in text
    assert "## Quality\n\nAll is well." in text
    assert r"b\*.jpg" in text


def test_every_language_has_every_text_with_the_same_fields() -> None:
    def fields(sentence: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(sentence)} - {None}

    english, chinese = TEXTS["en"], TEXTS["zh"]
    assert list(english) == list(chinese)
    for key, sentence in english.items():
        assert fields(chinese[key]) == fields(sentence), key
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese[key]), key
