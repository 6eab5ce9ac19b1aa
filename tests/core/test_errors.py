import inspect
import re

import pytest

from pixelmine.core import errors

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_has_an_exit_code_and_is_public(kind):
    assert issubclass(kind, errors.PixelmineError)
    assert kind.exit_code == (2 if issubclass(kind, errors.UsageError) else 1)
    assert kind.__name__ in errors.__all__


def test_all_that_is_public_is_there():
    assert sorted(errors.__all__) == sorted(kind.__name__ for kind in CLASSES)


def test_the_drawn_tree_is_the_tree():
    drawn, above = {}, {}
    for line in errors.__doc__.splitlines():
        if found := re.match(r"    ([ |`-]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            drawn[found[2]] = above.get(depth - 1)
            above[depth] = found[2]
    real = {kind.__name__: kind.__base__.__name__ for kind in CLASSES}
    real["UsageError"], real["PixelmineError"] = "PixelmineError", None
    assert drawn == real


def test_a_wrong_option_is_a_value_error_too():
    assert issubclass(errors.UsageError, ValueError)
