import json

import pytest

from pixelmine.core import Reason


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_says_what_it_means(reason):
    assert reason.meaning.endswith(".")
    assert reason == reason.name.lower()


def test_the_meanings_differ():
    assert len({reason.meaning for reason in Reason}) == len(Reason)


def test_a_reason_is_its_word_wherever_it_is_written():
    assert json.dumps([Reason.NOT_FOUND]) == '["not_found"]'
    assert f"{Reason.TRUNCATED}" == "truncated"


def test_the_list_is_closed():
    with pytest.raises(ValueError, match="bored"):
        Reason("bored")
