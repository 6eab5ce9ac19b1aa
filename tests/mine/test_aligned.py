"""Laid over each other: copies agree in detail, other pictures of one place do not."""

import cv2
import numpy as np
import pytest
from skimage import data

from pixelmine.features.pdq_turned import TURNS, turned_pixels
from pixelmine.mine.aligned import align, detail_correlation, look
from pixelmine.mine.pairs import (
    DIFFERENT,
    EDITED,
    REENCODED,
    by_alignment,
    by_overlay,
)
from pixelmine.mine.planted import EDITS, plant

ASTRONAUT, COFFEE = data.astronaut(), data.coffee()
UPRIGHT = [edit for edit in EDITS if edit.name not in ("flip", "turn-90")]


def copy(pixels, edit):
    made = cv2.imdecode(np.frombuffer(plant(pixels, edit, 3), np.uint8), cv2.IMREAD_COLOR)
    return look(cv2.cvtColor(made, cv2.COLOR_BGR2RGB))


@pytest.mark.parametrize("edit", UPRIGHT, ids=lambda edit: edit.name)
def test_an_edited_copy_lies_over_its_original(edit):
    found = by_alignment(look(ASTRONAUT), copy(ASTRONAUT, edit))
    assert found is not None
    assert (found.kind, found.turn) == (EDITED, "upright")
    assert found.correlation > 0.95
    assert by_alignment(look(COFFEE), copy(ASTRONAUT, edit)) is None


def test_where_it_lies_is_said():
    crop = look(ASTRONAUT[100:356, 120:376])
    found = align(look(ASTRONAUT), crop)
    assert found is not None
    # 512 pixels become 320, the 256 of the crop stay: it is 1.6 times as large in it.
    assert found.scale == pytest.approx(512 / 320, rel=0.03)
    assert found.overlap > 0.95
    assert abs(found.turned) < 2
    turned = align(look(ASTRONAUT), look(np.ascontiguousarray(np.rot90(ASTRONAUT))))
    assert turned is not None
    assert abs(abs(turned.turned) - 90) < 2


def test_a_mirrored_copy_is_found_where_it_is_asked_for():
    flipped = look(np.ascontiguousarray(ASTRONAUT[40:470, ::-1]))
    plain = by_alignment(look(ASTRONAUT), flipped)
    assert plain is None or plain.kind == DIFFERENT
    found = by_alignment(look(ASTRONAUT), flipped, mirror=True)
    assert found is not None
    assert (found.kind, found.turn) == (EDITED, "mirrored")


def test_two_things_on_one_ground_are_different():
    """Most of the keypoints and of the grey levels agree, and what matters does not."""
    ground = cv2.resize(data.brick(), (400, 400))
    one, other = (np.repeat(ground[..., None], 3, axis=2).copy() for _ in range(2))
    one[90:310, 90:310] = ASTRONAUT[:220, 150:370]
    other[90:310, 90:310] = COFFEE[60:280, 150:370]
    found = align(look(one), look(other))
    assert found is not None
    assert found.inliers > 30
    assert by_alignment(look(one), look(other)).kind == DIFFERENT


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.words)
def test_an_overlay_undoes_each_turn(turn):
    found = by_overlay(look(ASTRONAUT), look(turned_pixels(ASTRONAUT, turn)), turn)
    assert found.kind == (REENCODED if turn == TURNS[0] else EDITED)
    assert found.turn == turn.words
    wrong = by_overlay(look(ASTRONAUT), look(turned_pixels(ASTRONAUT, turn)), TURNS[3])
    assert wrong.kind == DIFFERENT or turn == TURNS[3]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("jpeg-30", REENCODED),
        ("half-size", REENCODED),
        ("grey", EDITED),
        ("text", EDITED),
        ("brightness", EDITED),
    ],
)
def test_saved_again_is_told_from_edited(name, kind):
    (edit,) = (edit for edit in EDITS if edit.name == name)
    assert by_overlay(look(ASTRONAUT), copy(ASTRONAUT, edit)).kind == kind
    assert by_overlay(copy(ASTRONAUT, edit), look(ASTRONAUT)).kind == kind


def test_another_colour_is_another_thing():
    red = ASTRONAUT.copy()
    red[..., 0], red[..., 2] = ASTRONAUT[..., 2], ASTRONAUT[..., 0]
    assert by_overlay(look(ASTRONAUT), look(red)).kind == DIFFERENT


def test_flat_pictures_do_not_break_anything():
    flat, grey = np.full((50, 60, 3), 200, np.uint8), np.full((50, 60, 1), 200, np.uint8)
    assert align(look(flat), look(ASTRONAUT)) is None
    assert by_overlay(look(flat), look(ASTRONAUT)).kind == DIFFERENT
    assert by_overlay(look(flat), look(grey)).kind == REENCODED
    assert by_overlay(look(grey[:1, :1]), look(flat)).kind in (REENCODED, DIFFERENT)


def test_writing_on_either_does_not_spoil_the_agreement():
    random = np.random.default_rng(0)
    detail = random.normal(0, 5, 4000).astype(np.float32)
    written = detail.copy()
    written[:300] += random.normal(0, 120, 300)
    assert detail_correlation(detail, written) > 0.98
    assert detail_correlation(written, detail) > 0.98
    assert abs(detail_correlation(detail, random.permutation(detail))) < 0.3
