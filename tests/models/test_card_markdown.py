"""A card in words: what is said follows the card, and no text of a stranger's becomes markup."""

import re

import numpy as np
import pytest

from pixelmine.models import Bundle, load_bundle
from pixelmine.models.card import Calibration, Conformal, Described, Metric, Thresholds, Training
from pixelmine.models.card_markdown import card_markdown, network_text
from pixelmine.models.steps_text import steps_text
from pixelmine.preprocess import STEPS


@pytest.fixture(scope="module")
def default() -> Bundle:
    return load_bundle("efficientnet-lite0")


def _with(bundle: Bundle, **changes: object) -> Bundle:
    return Bundle(bundle.card.model_copy(update=changes), bundle.files)


def _section(page: str, title: str) -> str:
    return page.split(f"\n## {title}")[1].split("\n## ")[0]


def test_a_page_has_every_part_of_the_card(default: Bundle) -> None:
    page = card_markdown(default)
    assert page.startswith("# efficientnet-lite0\n")
    assert page.endswith("\n")
    titles = re.findall(r"^## ([A-Z][a-z ]+)", page, re.MULTILINE)
    assert [title.strip() for title in titles] == [
        *("What it is", "Labels", "What goes in", "What comes out", "How good it is", "Training"),
        *("Licence", "Limits", "Files"),
    ]
    assert "tench, goldfish" in page
    assert "and 950 more." in page
    assert default.card.digest in page
    assert "short side has 256 pixels" in page
    assert "224x224 pixels" in page
    assert all(f"`{name}` | `{digest}`" in page for name, digest in default.card.files.items())


def test_what_was_measured_and_learned_is_said(default: Bundle) -> None:
    metric = Metric(value=0.9, low=0.85, high=0.95, pictures=1200, data="held-back pictures")
    training = Training(
        recipe="cnn-article",
        seed=3,
        epochs=10,
        best_epoch=6,
        pictures=54_000,
        held_back=6_000,
        data_digest="ab" * 32,
        split_id="1234abcd:2",
    )
    seen = Bundle.seen([f"{number:064x}" for number in (1 << 200, 2 << 200)])
    bundle = _with(default, metrics={"accuracy": metric}, training=training)
    page = card_markdown(Bundle(bundle.card, {**bundle.files, "seen.bin": seen}))
    assert "| accuracy | 0.9000 | 0.8500 to 0.9500 | 1,200 | held-back pictures |" in page
    assert "10, of which 6 is kept" in page
    assert "54,000" in page
    assert "1234abcd:2" in page
    assert "| pictures that evaluation refuses | 2 |" in page
    assert "was not measured" not in page


def test_how_it_decides_is_said(default: Bundle) -> None:
    page = _section(card_markdown(default), "What comes out")
    assert "It always decides." in page
    at_zero = card_markdown(_with(default, thresholds=Thresholds(decision=0.0, error=0.05)))
    assert "It always decides." in at_zero
    assert "It never abstains." in at_zero
    assert "taken as they are, and softmax" in page
    knowing = _with(
        default,
        calibration=Calibration(method="temperature", temperature=1.5),
        thresholds=Thresholds(decision=0.7, error=0.05, confidence=0.95, ood=0.99),
        conformal=Conformal(coverage=0.9, at_least=[0.2]),
    )
    page = card_markdown(knowing)
    for said in (
        *("temperature 1.5", "no probability reaches 0.7", "share of 0.05 is wrong"),
        *("confidence of 0.95", "odder than a share of 0.99", "share of 0.9 of the pictures"),
    ):
        assert said in page
    limits = _section(page, "Limits")
    assert "not calibrated" not in limits
    assert "never abstains" not in limits
    many = card_markdown(_with(default, task="multi"))
    assert "every label whose probability reaches 0.5" in many
    assert "logistic function" in many


def test_text_of_a_stranger_is_no_markup(default: Bundle) -> None:
    labels = ["<script>x</script>", "a | b", "# head\nline", *default.card.labels[3:]]
    page = card_markdown(_with(default, labels=labels, name="![x](http://y)", licence="`rm`"))
    assert "<script" not in re.sub(r"\\<", "", page)
    assert r"a \| b" in page
    assert r"\# head line" in page
    assert page.startswith(r"# !\[x\](http://y)")
    assert r"\`rm\`" in page


def test_a_network_on_features_says_so(default: Bundle) -> None:
    described = Described(steps=[{"feature": "hog", "cells": 4}], dimensions=np.int64(9).item())
    bundle = _with(default, features=described)
    assert "`features`, float32 (N, 9)" in network_text(bundle.card)
    assert "Compute the features hog of it" in card_markdown(bundle)


def test_every_known_step_has_words() -> None:
    decode = {"rule": "full", "colour": "grey"}
    for name in STEPS:
        said = steps_text({"decode": decode, "steps": [{"step": name, "novel": 3}]})
        assert len(said) == 2
        assert said[1].endswith(".")
    assert "one grey channel" in said[0]


def test_steps_are_said_with_their_numbers() -> None:
    said = steps_text(
        {
            "decode": {"rule": "scaled-256", "colour": "rgb"},
            "steps": [
                {"step": "resize", "height": 20, "width": 30, "interpolation": "area"},
                {"step": "resize", "short_side": 256, "interpolation": "bicubic"},
                {"step": "five_crop", "height": 9, "width": 8},
                {"step": "clahe", "clip_limit": 2.0, "tiles": 8},
                {"step": "normalise", "mean": [1.0, 2.5, 3.0], "std": 255.0},
            ],
        }
    )
    assert "smallest of the scales" in said[0]
    assert "20x30 pixels (height x width)" in said[1]
    assert "short side has 256 pixels, interpolation `bicubic`" in said[2]
    assert "9x8 pixels" in said[3]
    assert said[4] == "`clahe` (clip_limit 2, tiles 8)."
    assert said[5] == "Make each pixel p the float32 (p - [1, 2.5, 3]) / 255."
