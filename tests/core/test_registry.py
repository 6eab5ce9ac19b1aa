import sys

import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.registry import Registry


@pytest.fixture
def registry():
    return Registry("thing", {"pi": "math:pi", "path": "os.path:join"})


def test_a_name_stands_for_what_its_target_says(registry):
    import math

    assert registry.get("pi") == math.pi
    assert registry.names() == ["path", "pi"]


def test_nothing_is_imported_before_it_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "pixelmine_test_lazy.py").write_text("value = 3")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("thing", {"lazy": "pixelmine_test_lazy:value"})
    assert "pixelmine_test_lazy" not in sys.modules
    assert registry.get("lazy") == 3
    del sys.modules["pixelmine_test_lazy"]


def test_two_of_one_name_are_refused(registry):
    with pytest.raises(UsageError, match="already is a thing named 'pi'"):
        registry.add("pi", "math:tau")
    registry.add("tau", "math:tau")
    assert registry.names() == ["path", "pi", "tau"]


def test_an_unknown_name_is_answered_with_the_known_ones(registry):
    with pytest.raises(UsageError, match=r"no thing named 'tau'. Known: path, pi\."):
        registry.get("tau")
