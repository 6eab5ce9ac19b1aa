"""Quality, associations and drift in the report, in both languages."""

import re

import pyarrow as pa
import pytest

from pixelmine.api.mine import associations_section, drift_section, quality_section
from pixelmine.api.mine.associations import ASSOCIATIONS, MinedAssociations
from pixelmine.api.mine.drift import DRIFT, MinedDrift
from pixelmine.api.mine.found import Found
from pixelmine.api.mine.quality import QUALITY, Quality
from pixelmine.mine.quality import ISSUES
from pixelmine.mine.section import Section

MODULES = [quality_section, associations_section, drift_section]
PICTURE = {"row_id": "r", "picture_id": "p", "uri": "file:///x.jpg", "member": "", "frame": 0}


def found(name, summary, rows):
    return Found(name=name, summary=summary, rows=rows, made="2026-11-28", asked="")


def quality(flagged=True):
    row = {**PICTURE, "issue": "dark", "value": 0.2, "threshold": 0.4, "score": 1.0, "rank": 1}
    rows = pa.Table.from_pylist([row] if flagged else [], QUALITY)
    about = {"measure": "m", "unit": "", "threshold": 0.4, "usual": None, "nature": False}
    summary = {
        "pictures": 10,
        "flagged": int(flagged),
        "with_several_issues": 0,
        "few": True,
        "unmeasured": 0,
        "not_looked_for": ["text"],
        "issues": {
            "dark": {**about, "flagged": int(flagged), "worse": "low"},
            "odd-size": {**about, "flagged": 0, "worse": "apart", "nature": True},
        },
    }
    return Quality(found=found("quality", summary, rows), rows=rows, top=5)


def associations(rules=True):
    row = {
        **PICTURE,
        "rule": 1,
        "antecedent": ["camera = 7", "hour = 3"],
        "consequent": "label = dog",
        "shortcut": True,
        **dict.fromkeys(("support", "confidence", "lift", "leverage"), 0.5),
        **dict.fromkeys(("p_value", "corrected_p_value"), 1e-9),
        "pictures": 12,
        "groups": None,
    }
    told = [{**row, "example": True}, {**row, "example": False}] if rules else []
    rows = pa.Table.from_pylist(told, ASSOCIATIONS)
    summary = {
        "tested": 1234,
        "items": 5,
        "shortcuts": len(told) // 2,
        "cut": ["format: nearly all"],
        "functions": [["source", "label"]],
    }
    return MinedAssociations(found=found("associations", summary, rows), rows=rows)


def drift(drifted=True):
    change = {
        "part": "clusters",
        "name": "hat",
        **dict.fromkeys(("before", "after", "effect", "low", "high"), 0.1),
        "p_value": 1e-9,
        "corrected": 1e-7,
        "cells": [1],
        "grew": True,
    }
    row = {**PICTURE, **{n: change[n] for n in ("part", "name", "before", "after", "effect")}}
    told = [{**row, "change": 1, "corrected_p_value": 1e-7}] if drifted else []
    rows = pa.Table.from_pylist(told, DRIFT)
    summary = {
        "drifted": drifted,
        "p_value": 0.001,
        "level": 0.05,
        "pictures_before": 10,
        "independent_before": 4,
        "pictures_after": 20,
        "copies": 3,
        "parts": [
            {"name": name, "p_value": 0.5, "tests": 1}
            for name in (
                *("clusters", "labels", "predictions", "metadata", "quality", "measures"),
                *("classifier", "kernel"),
            )
        ],
        "classifier": {"auc": 0.6},
        "tests": 9,
        "changes": [change, {**change, "part": "measures", "name": "noise"}] if drifted else [],
        "untested": ["label"],
    }
    return MinedDrift(found=found("drift", summary, rows), rows=rows)


@pytest.mark.parametrize("module", MODULES)
def test_both_languages_have_the_same_texts_with_the_same_places(module):
    english, chinese = module.TEXTS["en"], module.TEXTS["zh"]
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese[name])), name


def test_every_issue_has_a_name_in_the_report():
    assert {issue.name for issue in ISSUES} <= quality_section.TEXTS["en"].keys()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("something", [True, False])
@pytest.mark.parametrize(
    ("module", "answer"),
    [(quality_section, quality), (associations_section, associations), (drift_section, drift)],
)
def test_a_section_says_what_was_found_and_where_nothing_was(module, answer, something, language):
    section = module.section(answer(something), language=language)
    assert isinstance(section, Section)
    assert section.title == module.TEXTS[language]["title"]
    assert (section.lead == module.TEXTS[language]["nothing"].format(pictures=10)) != something
    assert bool(section.strips) == something
    assert all(shown.row["row_id"] == "r" for strip in section.strips for shown in strip.pictures)
    text = repr(section)
    assert "{" not in re.sub(r"[{]'|': [{]|figures=[{]|row=[{]", "", text), (
        "a place is not filled in"
    )
    if module is drift_section:
        assert sum("4" in note and "10" in note for note in section.notes) == 1, "its groups"
    for table in section.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
