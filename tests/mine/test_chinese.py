# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""What is ours is Chinese; labels, a model's answers and the values of a table stay."""

import pytest

from pixelmine.api.mine.attributes import _WEEKDAYS
from pixelmine.api.mine.cluster_naming import _LOOKS
from pixelmine.features import FEATURES
from pixelmine.mine.chinese import CHINESE, cell_name, cluster_name, item, measure, word
from pixelmine.mine.cluster_words import Word, name_of
from pixelmine.mine.colour_words import COLOURS
from pixelmine.mine.quality import ISSUES

TALL = "多为蓝色，常为形状 = 瘦高"


def said(kind: str, text: str, share: float = 0.9) -> Word:
    return Word(kind=kind, word=text, share=share, lift=3, p_value=0, of=9)


def test_every_word_of_ours_has_a_chinese_one() -> None:
    assert set(CHINESE["colour"]) == set(COLOURS)
    assert set(CHINESE["look"]) == {one for pair in _LOOKS.values() for one in pair}
    assert set(CHINESE["quality"]) == {issue.name for issue in ISSUES}
    assert set(CHINESE["weekday"]) == set(_WEEKDAYS)
    fields = {f.name for name in ("measures", "surface") for f in FEATURES.get(name)().fields}
    assert fields | {issue.measure for issue in ISSUES} <= set(CHINESE["measure"])


@pytest.mark.parametrize(
    ("words", "others", "chinese"),
    [
        ([said("label", "Dress"), said("colour", "white")], 1, "Dress，多为白色"),
        ([said("label", "Dress"), said("look", "dark", 0.3)], 1, "Dress，常为偏暗"),
        ([said("colour", "blue"), said("circumstance", "shape = tall", 0.3)], 2, TALL),
        ([said("label", "a", 0.4), said("label", "b", 0.3)], 1, "a 或 b"),
        ([said("label", "white", 0.8), said("predicted", "red")], 1, "white，多像red"),
        ([said("label", "mixed"), said("quality", "noisy")], 1, "mixed，多为噪点多"),
        ([said("circumstance", "camera = white")], 1, "多为camera = white"),
        ([said("circumstance", "a = \\\\1")], 1, "多为a = \\\\1"),
        ([said("label", "often red"), said("colour", "red")], 1, "often red，多为红色"),
    ],
)  # fmt: skip
def test_names_of_clusters(words: list[Word], others: int, chinese: str) -> None:
    told = [vars(one) for one in words]
    assert cluster_name(f"{name_of(words, others)} (2)", told) == f"{chinese} (2)"
    assert cluster_name(name_of(words, others), told) == chinese


def test_items_measures_and_cells() -> None:
    assert cluster_name("mixed (3)", []) == "混合 (3)"
    assert item("quality = dark") == "质量 = 过暗"
    assert item("size = under 0.1 MP") == "大小 = 不足 0.1 百万像素"
    assert item("hour = 09-12 h") == "时段 = 09-12 时"
    assert item("label = dark") == "标签 = dark"
    assert item("camera = tall") == "camera = tall"
    assert item("no item") == "no item"
    assert word("label", "red") == "red"
    assert (measure("noise"), measure("weight")) == ("噪声", "weight")
    assert [cell_name(n) for n in ("cell 7", "hat / cap", "hat, 3 cells", "4 cells more")] == [
        *("单元 7", "hat / cap", "hat，3 个单元", "4 个单元·又")
    ]
