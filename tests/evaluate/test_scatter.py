import re
from base64 import b64decode

import pytest

from pixelmine.evaluate import Rate
from pixelmine.evaluate.quantity import duration
from pixelmine.evaluate.scatter import Point, scatter


def point(name, cost, hits, marked=False, front=True):
    rate = Rate(hits=hits, pictures=10_000)
    return Point(name=name, cost=cost, accuracy=rate, marked=marked, front=front)


def drawn(points):
    return b64decode(scatter(points, duration).partition(",")[2]).decode()


def test_each_model_is_named_and_axes_are_labelled():
    svg = drawn([point("template", 2e-4, 8420), point("cnn-strong", 3e-3, 9953, marked=True)])
    words = re.findall(r">([^<>]+)</text>", svg)
    assert {"template", "cnn-strong", "1 ms", "99%", "90%"} <= set(words)
    assert "var(--accent)" in svg


def test_99_9_percent_stands_as_far_above_99_as_that_above_90():
    low, middle, high = (point("x", 1, hits).up for hits in (9000, 9900, 9990))
    assert high - middle == pytest.approx(middle - low)


@pytest.mark.parametrize("hits", [0, 10_000])
def test_all_or_nothing_right_can_be_drawn(hits):
    assert "<svg" in drawn([point("only", 1e-3, hits)])


def test_models_that_hardly_differ_have_labels_at_the_axis():
    svg = drawn([point("a", 1e-3, 9871), point("b", 2e-3, 9872)])
    assert len(re.findall(r">[0-9.]+%</text>", svg)) >= 2


def test_a_name_is_text_and_no_formula():
    assert "$x_1$" in drawn([point("$x_1$", 1e-3, 9000)])
