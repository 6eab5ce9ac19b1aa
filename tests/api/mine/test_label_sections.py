"""Label errors and outliers in the report: every text in both languages, every place filled in."""

import re

import pyarrow as pa
import pytest

from pixelmine.api.mine import label_errors_section, outliers_section
from pixelmine.api.mine.found import Found
from pixelmine.api.mine.label_errors import LABEL_ERRORS, LabelErrors
from pixelmine.api.mine.outliers import OUTLIERS, Outliers
from pixelmine.mine.section import Section

PLACE = {"row_id": "r", "picture_id": "p", "uri": "file:///a.jpg", "member": "", "frame": 0}
NEAR = [{"row_id": "near", "label": "hat", "cosine": 0.9}]


def label_errors(something: bool) -> LabelErrors:
    row = {
        **PLACE,
        "given": "shoe",
        "suggested": "hat",
        "probability": 0.9,
        "given_probability": 0.05,
        "votes": 1.0,
        "score": 0.95,
        "suspected": True,
        "rejected": False,
        "rank": 1,
        "near": NEAR,
    }
    rows = pa.Table.from_pylist([row] if something else [], LABEL_ERRORS)
    summary = {
        "pictures": 10,
        "suspected": int(something),
        "rejected": int(something),
        "agreement": 0.987,
        "features": "embedding",
        "notes": [],
        "confused": [{"given": "shoe", "suggested": "hat", "pictures": 1}] if something else [],
        "of_label": {"shoe": {"pictures": 5, "suspected": int(something)}},
    }
    found = Found(name="label-errors", summary=summary, rows=rows, made="now", asked="")
    return LabelErrors(found=found, rows=rows, top=20)


def outliers(something: bool) -> Outliers:
    row = {
        **PLACE,
        "distance": 1.2,
        "deviations": 3.3,
        "outlier": True,
        "rank": 1,
        "label": None,
        "label_outlier": False,
        "near": NEAR,
    }
    own = {
        **row,
        "row_id": "own",
        "outlier": False,
        "rank": 2,
        "label": "shoe",
        "label_deviations": 2.9,
        "label_outlier": True,
    }
    rows = pa.Table.from_pylist([row, own] if something else [], OUTLIERS)
    summary = {
        "pictures": 10,
        "outliers": int(something),
        "label_outliers": int(something),
        "usual": 0.777,
        "threshold": 1.08,
        "deviations": 2.5,
        "k": 10,
        "failed": 2,
        "of_label": {"shoe": 1} if something else {},
    }
    found = Found(name="outliers", summary=summary, rows=rows, made="now", asked="")
    return Outliers(found=found, rows=rows, top=20)


MADE = [(label_errors_section, label_errors), (outliers_section, outliers)]


@pytest.mark.parametrize("module", [module for module, _ in MADE])
def test_both_languages_have_the_same_texts_with_the_same_places(module):
    english, chinese = module.TEXTS["en"], module.TEXTS["zh"]
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[name])), name


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("something", [True, False])
@pytest.mark.parametrize(("module", "answer"), MADE)
def test_a_section_says_what_was_found_and_where_nothing_was(module, answer, something, language):
    section = module.section(answer(something), language=language)
    assert isinstance(section, Section)
    assert section.title == module.TEXTS[language]["title"]
    assert (section.lead == module.TEXTS[language]["nothing"].format(pictures=10)) != something
    assert bool(section.strips) == something
    texts = [section.lead, *section.notes, *(strip.title for strip in section.strips)]
    assert not any("{" in text for text in texts), "a place is not filled in"


def test_what_is_suspected_stands_out_beside_what_votes():
    (strip,) = label_errors_section.section(label_errors(True)).strips
    assert [(one.row["row_id"], one.mark) for one in strip.pictures] == [
        ("r", True),
        ("near", False),
    ]
    assert "shoe" in strip.title
    assert "hat" in strip.title
    assert "90.0%" in strip.title
    first, second = outliers_section.section(outliers(True)).strips
    assert first.title.startswith("3.3 deviations")
    assert second.title.startswith("shoe: 2.9")
