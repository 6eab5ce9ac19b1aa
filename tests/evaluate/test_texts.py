from string import Formatter

import pytest

from pixelmine.core.reasons import Reason
from pixelmine.evaluate.texts import LANGUAGES, TEXTS, reason_meaning, text


def fields(sentence):
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_every_language_has_every_text_with_the_same_fields():
    english, *others = (TEXTS[language] for language in LANGUAGES)
    for other in others:
        assert list(other) == list(english)
        for key, sentence in english.items():
            assert fields(other[key]) == fields(sentence), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_meaning(language):
    assert all(reason_meaning(language, reason) for reason in Reason)


def test_chinese_is_chinese():
    latin = {"f1"}
    for key, sentence in TEXTS["zh"].items():
        words = any("\u4e00" <= letter <= "\u9fff" for letter in sentence)
        assert words or key in latin, key


def test_a_text_is_filled_in():
    assert text("en", "interval_short", low="1%", high="2%") == "1% to 2%"
