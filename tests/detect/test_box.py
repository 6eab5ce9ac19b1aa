import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.detect import Box, Found


def box(score: float, x: float = 0) -> Box:
    return Box(kind="face", x0=x, y0=0, x1=x + 10, y1=10, score=score)


def test_the_verdict_is_unsure_wherever_a_person_has_to_look() -> None:
    assert Found().verdict == "none"
    assert Found((box(0.9),)).verdict == "found"
    assert Found((), (box(0.3),)).verdict == "unsure"
    assert Found((box(0.9),), (box(0.3),)).verdict == "unsure"


@given(st.lists(st.floats(0, 1)))
def test_candidates_are_split_by_score_best_first(scores: list[float]) -> None:
    found = Found.split([box(score) for score in scores], working=0.5, low=0.2)
    assert [one.score for one in found.boxes + found.unsure] == sorted(
        (score for score in scores if score >= 0.2), reverse=True
    )
    assert all(one.score >= 0.5 for one in found.boxes)
    assert all(0.2 <= one.score < 0.5 for one in found.unsure)


def test_the_order_of_candidates_does_not_matter() -> None:
    boxes = [box(0.7, x) for x in (3.0, 1.0, 2.0)]
    assert Found.split(boxes, working=0.5, low=0.2) == Found.split(
        boxes[::-1], working=0.5, low=0.2
    )


def test_edges_are_an_array_even_of_none() -> None:
    assert Found().edges.shape == (0, 4)
    np.testing.assert_array_equal(Found((box(0.9, 2.5),)).edges, [[2.5, 0, 12.5, 10]])


@pytest.mark.parametrize(
    "edges", [(5, 0, 5, 9), (5, 9, 9, 9), (9, 0, 5, 9), (math.nan, 0, 5, 9), (0, 0, math.inf, 9)]
)
def test_a_box_without_an_inside_is_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="x0 < x1"):
        Box(kind="face", x0=edges[0], y0=edges[1], x1=edges[2], y1=edges[3], score=1)


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_score_is_from_0_to_1(score: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        box(score)


def test_what_was_read_is_not_printed_by_accident() -> None:
    assert "AB 123" not in repr(Box(kind="plate", x0=0, y0=0, x1=9, y1=9, score=1, text="AB 123"))
