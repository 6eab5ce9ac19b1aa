"""What a model learns from its held-back pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from pixelmine.classify import Asked, Head, Learned, learn
from pixelmine.classify.calibration import calibrated
from pixelmine.classify.conformal import fit_sets, prediction_sets
from pixelmine.classify.learn import LEAST, _folds
from pixelmine.classify.ood import Oddness
from pixelmine.core.errors import ModelError, UsageError
from pixelmine.models import Bundle, Card
from pixelmine.models.card import KNOWING, Calibration, Conformal, Knots, Thresholds
from tests.classify.drawn import drawn
from tests.models.test_bundle import card, golden, graph

LABELS = ("a", "b", "c", "d")


def head(learned: Learned, dimensions: int = 6) -> Head:
    oddness = Oddness.from_bytes(learned.files[KNOWING], dimensions)
    return Head(
        LABELS, learned.calibration, learned.thresholds, learned.task, learned.conformal, oddness
    )


def test_a_model_that_is_too_sure_learns_all_of_it() -> None:
    known, new = drawn(1500, 1, sure=5, off=3), drawn(4000, 2, sure=5, off=3)
    asked = Asked(coverage=0.95, error=0.05, ood=0.99)
    learned = learn(known.logits, known.embedding, known.y, asked=asked)
    taught = head(learned)
    p = taught.probabilities(new.logits)
    right = p.argmax(axis=1) == new.y
    assert abs(p.max(axis=1).mean() - right.mean()) < 0.03
    assert taught.sets(p)[np.arange(4000), new.y].mean() == pytest.approx(0.95, abs=0.02)
    odd = taught.odd(new.logits, new.embedding)
    assert kstest(odd, "uniform")[0] < 0.06
    sure = taught.decided(p, odd)
    assert (~right[sure]).mean() < 0.05
    assert 0.5 < sure.mean() < 1
    assert (sure <= (odd <= 0.99)).all()
    assert learned.notes == ()


def test_many_labels_learn_too() -> None:
    known, new = (drawn(1500, seed, off=3, many=True) for seed in (1, 2))
    learned = learn(known.logits, known.embedding, known.y, task="multi")
    taught = head(learned)
    p = taught.probabilities(new.logits)
    assert abs(p.mean() - new.y.mean()) < 0.02
    assert (taught.sets(p) | ~new.y).all(axis=1).mean() == pytest.approx(0.9, abs=0.04)
    assert learned.thresholds.decision is None
    assert len(learned.thresholds.labels) == 4
    assert kstest(taught.odd(new.logits, new.embedding), "uniform")[0] < 0.06


def test_auto_takes_what_is_likeliest_on_other_folds() -> None:
    data = drawn(1500, 1)
    lean = np.array([2.0, 0, 0, -1], np.float32)
    upright = learn(data.logits + lean, data.embedding, data.y)
    assert upright.calibration.method in ("bias", "vector")
    few = learn(data.logits[:40] + lean, data.embedding[:40], data.y[:40])
    assert few.calibration.method == "temperature"
    for method in ("none", "isotonic"):
        found = learn(data.logits, data.embedding, data.y, asked=Asked(method=method))
        assert found.calibration.method == method


def test_sets_are_not_learnt_on_what_the_calibration_was_fitted_on() -> None:
    """40 numbers are fitted to 60 pictures without any pattern: on themselves they look right."""
    ours, naive = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        logits = random.normal(0, 1, (1060, 20)).astype(np.float32)
        y = random.integers(0, 20, 1060)
        asked = Asked(coverage=0.8, method="vector", empty=True)
        learned = learn(logits[:60], logits[:60], y[:60], asked=asked, seed=seed)
        p = calibrated(logits, learned.calibration)
        same = fit_sets(p[:60], y[:60], 0.8, empty=True)
        for sets, found in ((learned.conformal, ours), (same, naive)):
            inside = prediction_sets(p[60:], sets)
            found.append(inside[np.arange(1000), y[60:]].mean())
    assert np.mean(naive) < 0.6
    assert np.mean(ours) > 0.68


def test_what_cannot_be_reached_is_said() -> None:
    data = drawn(200, 1)
    learned = learn(data.logits, data.embedding, data.y, asked=Asked(coverage=0.999, error=0.001))
    assert learned.thresholds.decision is None
    assert learned.thresholds.error is None
    assert "always decides" in learned.notes[0]
    assert "every set holds every label" in learned.notes[1]
    easy = drawn(200, 1, sure=40)
    learned = learn(easy.logits, easy.embedding, easy.y, asked=Asked(coverage=0.9))
    assert "they hold one label each" in learned.notes[-1]
    few = learn(*(v[: LEAST - 1] for v in (data.logits, data.embedding, data.y)))
    assert few.files == {}
    assert few.calibration == Calibration()
    assert f"{LEAST} are needed" in few.notes[0]


@pytest.mark.parametrize("sure", [1, 5, 10, 20])
def test_sets_that_hold_the_best_label_are_asked_for_more_than_it_reaches(sure: float) -> None:
    known, new = drawn(2000, 1, sure=sure), drawn(4000, 2, sure=sure)
    learned = learn(known.logits, known.embedding, known.y)
    assert learned.conformal is not None
    coverage, right = learned.conformal.coverage, (known.logits.argmax(axis=1) == known.y).mean()
    assert coverage == (0.9 if right < 0.9 else pytest.approx((1 + right) / 2, abs=0.005))
    taught = head(learned)
    inside = taught.sets(taught.probabilities(new.logits))
    assert inside[np.arange(4000), new.y].mean() == pytest.approx(coverage, abs=0.015)
    assert learned.notes == () or right < 0.9


def test_no_more_coverage_is_asked_for_than_so_few_pictures_can_tell() -> None:
    few = drawn(30, 1, sure=1000)
    learned = learn(few.logits, few.embedding, few.y)
    assert learned.conformal is not None
    assert learned.conformal.coverage == 0.9677  # 30 / 31
    assert learned.conformal.at_least[0] > 0


def test_the_same_seed_learns_the_same() -> None:
    data = drawn(300, 1)
    first, again, other = (
        learn(data.logits, data.embedding, data.y, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.files != other.files


def test_folds_keep_groups_together_and_labels_even() -> None:
    y = np.repeat([0, 1], [450, 50])
    fold = _folds(y, 1, None)
    counts = np.array([np.bincount(y[fold == number]) for number in range(5)])
    assert (counts == [90, 10]).all()
    groups = [f"g{row // 10}" if row % 7 else None for row in range(500)]
    fold = _folds(y, 1, groups)
    for group in {name for name in groups if name}:
        assert len({fold[row] for row in range(500) if groups[row] == group}) == 1
    assert set(fold) == set(range(5))


def test_wrong_shapes_and_options_are_refused() -> None:
    data = drawn(50, 1)
    with pytest.raises(UsageError, match="same pictures"):
        learn(data.logits, data.embedding[:40], data.y)
    with pytest.raises(UsageError, match="same pictures"):
        learn(data.logits, data.embedding, data.y, task="multi")
    for options in ({"coverage": 1.0}, {"error": 0.0}, {"ood": 2.0}, {"method": "magic"}):
        with pytest.raises(UsageError, match=next(iter(options))):
            Asked(**options)


@pytest.fixture
def bundle() -> Bundle:
    return Bundle.make(card(), {"model.onnx": graph().SerializeToString()}, [golden()])


@pytest.fixture
def learned() -> Learned:
    data = drawn(200, 1, classes=2)
    return learn(data.logits, data.embedding[:, :1], data.y, asked=Asked(method="isotonic"))


def test_a_bundle_is_taught_saved_and_read(
    bundle: Bundle, learned: Learned, tmp_path: Path
) -> None:
    taught = learned.given_to(bundle)
    taught.save(tmp_path / "taught.zip")
    again = Bundle.load(tmp_path / "taught.zip")
    assert again == taught
    assert again.card.digest != bundle.card.digest
    assert again.card.embedding_digest == bundle.card.embedding_digest
    data = drawn(50, 2, classes=2)
    seen = (data.logits, data.embedding[:, :1], 2)
    answers = [Head.from_bundle(one).answers(*seen) for one in (taught, again)]
    assert answers[0] == answers[1]
    assert json.loads(json.dumps(answers[0])) == answers[0]
    assert learned.given_to(taught).card.digest == taught.card.digest


def test_a_bundle_without_its_file_or_with_one_too_many_is_refused(
    bundle: Bundle, learned: Learned
) -> None:
    network = {"model.onnx": bundle.files["model.onnx"]}
    with pytest.raises(ModelError, match=r"knowing\.safetensors"):
        Bundle.make(bundle.card.model_copy(update=learned.parts()), network, [golden()])
    with pytest.raises(ModelError, match=r"knowing\.safetensors"):
        Bundle.make(bundle.card, {**network, **learned.files}, [golden()])


def test_everything_learnt_changes_the_digest(bundle: Bundle, learned: Learned) -> None:
    taught = learned.given_to(bundle).card
    for update in (
        {"task": "multi"},
        {"conformal": None},
        {"conformal": Conformal(coverage=0.9, at_least=[0.5])},
        {"ood": None},
        {"calibration": Calibration(method="bias", bias=[0.0, 1.0])},
        {"calibration": Calibration(method="vector", scale=[1.0, 2.0], bias=[0.0, 1.0])},
        {"thresholds": taught.thresholds.model_copy(update={"ood": 0.5})},
        {"thresholds": Thresholds(labels=[0.1, 0.2])},
        {"files": {**taught.files, KNOWING: "0" * 64}},
    ):
        assert taught.model_copy(update=update).digest != taught.digest


def test_a_card_from_before_keeps_its_digest_and_seal() -> None:
    old = card(
        calibration=Calibration(method="temperature", temperature=2.0),
        thresholds=Thresholds(decision=0.5),
        preprocessing={"decode": {}, "steps": []},
        files={"model.onnx": "0" * 64},
    )
    assert old.digest == "48846f2eb2ef4fd81c720e73ea2fa5a0290d609e236baccf6a4d821e52113e76"
    assert old.compute_seal() == "0b2e573ff564f99af9a0dcfa07ca44d8815f6f38a945ae72b60cc5679f5d64dc"
    text = json.loads(old.model_dump_json())
    assert not {"task", "conformal", "ood"} & set(text)
    assert set(text["calibration"]) == {"method", "temperature"}
    assert set(text["thresholds"]) == {"decision"}


def test_cards_whose_parts_do_not_fit_their_labels_are_refused(bundle: Bundle) -> None:
    line = {"x": [0.0, 1.0], "y": [0.0, 1.0]}
    for update in (
        {"calibration": {"method": "vector", "scale": [1.0], "bias": [0.0, 0.0]}},
        {"calibration": {"method": "isotonic"}},
        {"calibration": {"method": "isotonic", "knots": [line]}},
        {"thresholds": {"labels": [0.5]}},
        {"conformal": {"coverage": 0.9, "at_least": [0.1, 0.2, 0.3]}},
    ):
        with pytest.raises(ModelError, match="not a model card"):
            Card.parse(json.dumps({**json.loads(bundle.card.model_dump_json()), **update}))
    for x, y in (([0.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0]), ([0.0], [0.0, 1.0])):
        with pytest.raises(ValueError, match="must rise"):
            Knots(x=x, y=y)
