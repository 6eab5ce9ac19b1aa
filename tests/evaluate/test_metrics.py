import json

import numpy as np
import pytest
from sklearn import metrics

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import evaluate


def names(count):
    return [f"class {i}" for i in range(count)]


def measured(truth, probabilities, decided=None, labels=None):
    n, k = probabilities.shape
    ids = [f"row {i}" for i in range(n)]
    uris = [f"file:///data/my%20pictures/{i}.jpg" for i in range(n)]
    return evaluate(labels or names(k), truth, probabilities, ids, uris, decided)


def one_hot(answers, classes, sure=0.9):
    probabilities = np.full((len(answers), classes), (1 - sure) / (classes - 1), np.float32)
    probabilities[np.arange(len(answers)), answers] = sure
    return probabilities


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 7, 500)
    logits = rng.normal(size=(500, 7))
    logits[np.arange(500), truth] += 1.5
    odds = np.exp(logits)
    return truth, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def test_figures_are_scikit_learns(noisy):
    truth, probabilities = noisy
    answer = probabilities.argmax(axis=1)
    one = measured(truth, probabilities)
    assert one.accuracy.value == pytest.approx(metrics.accuracy_score(truth, answer))
    assert one.top[5].value == pytest.approx(
        metrics.top_k_accuracy_score(truth, probabilities, k=5)
    )
    assert one.balanced_accuracy.value == pytest.approx(
        metrics.balanced_accuracy_score(truth, answer)
    )
    assert one.macro_f1.value == pytest.approx(metrics.f1_score(truth, answer, average="macro"))
    np.testing.assert_array_equal(one.confusion, metrics.confusion_matrix(truth, answer))


def test_classes_are_scikit_learns(noisy):
    truth, probabilities = noisy
    one = measured(truth, probabilities)
    expected = metrics.precision_recall_fscore_support(truth, probabilities.argmax(axis=1))
    got = [(c.precision.value, c.recall.value, c.f1, c.pictures) for c in one.classes]
    np.testing.assert_allclose(np.array(got).T, expected)


def test_a_case_worked_by_hand():
    one = measured(np.array([0, 0, 0, 1, 1, 2]), one_hot([0, 0, 1, 1, 1, 0], 3))
    assert one.accuracy.value == pytest.approx(4 / 6)
    assert one.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert one.balanced_accuracy.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert one.macro_f1.value == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
    assert one.top == {}
    assert one.classes[2].precision is None
    assert one.classes[2].f1 == 0.0
    pairs = [(c.truth, c.answer, c.wrong.hits, c.wrong.pictures) for c in one.most_confused()]
    assert pairs == [("class 0", "class 1", 1, 3), ("class 2", "class 0", 1, 1)]


def test_a_class_without_a_test_picture_is_unknown_and_no_mean_counts_it():
    one = measured(np.array([0, 0, 1]), one_hot([0, 2, 1], 3))
    untested = one.classes[2]
    assert (untested.recall, untested.f1, untested.pictures) == (None, None, 0)
    assert untested.precision.value == 0.0
    assert one.untested == ["class 2"]
    assert one.balanced_accuracy.value == pytest.approx((1 / 2 + 1) / 2)


def test_abstaining():
    decided = np.array([True, True, False, True])
    one = measured(np.array([0, 1, 1, 1]), one_hot([0, 1, 0, 0], 2), decided)
    assert one.coverage.value == pytest.approx(3 / 4)
    assert one.decided_accuracy.value == pytest.approx(2 / 3)


def test_a_model_that_never_decides_or_always_does():
    truth, probabilities = np.array([0, 1]), one_hot([0, 1], 2)
    never = measured(truth, probabilities, np.array([False, False]))
    assert (never.coverage.value, never.decided_accuracy) == (0.0, None)
    always = measured(truth, probabilities)
    assert (always.coverage, always.decided_accuracy) == (None, None)


def test_the_most_confident_mistakes_come_first_and_are_at_most_100():
    truth = np.zeros(300, np.int64)
    sure = np.linspace(0.51, 0.99, 300, dtype=np.float32)
    one = measured(truth, np.stack([1 - sure, sure], axis=1))
    assert [m.index for m in one.mistakes] == list(range(299, 199, -1))
    worst = one.mistakes[0]
    assert (worst.row_id, worst.truth, worst.answer) == ("row 299", "class 0", "class 1")
    assert worst.probability == pytest.approx(0.99)


def test_one_class_is_enough():
    one = measured(np.array([0, 0]), np.ones((2, 1), np.float32))
    assert one.accuracy.value == 1.0
    assert one.mistakes == ()


def test_top5_where_the_truth_has_two_classes_of_many():
    probabilities = np.tile(np.linspace(0.1, 0.2, 8, dtype=np.float32), (2, 1))
    assert measured(np.array([0, 7]), probabilities).top[5].hits == 1


def test_json(noisy):
    one = measured(*noisy)
    again = json.loads(json.dumps(one.to_dict()))
    assert again["accuracy"]["pictures"] == 500
    assert again["confusion"] == one.confusion.tolist()
    assert again["mistakes"][0]["row_id"] == one.mistakes[0].row_id
    wide = measured(np.arange(101), one_hot(np.arange(101), 101)).to_dict()
    assert wide["confusion"] is None


def test_what_a_card_holds(noisy):
    one = measured(*noisy)
    held = one.card_metrics("digits")
    means = {"balanced_accuracy", "macro_f1", "auc", "average_precision"}
    assert set(held) == {"accuracy", "top5"} | means
    assert held["auc"].low < held["auc"].value < held["auc"].high
    accuracy = held["accuracy"]
    assert (accuracy.value, accuracy.low) == (one.accuracy.value, one.accuracy.low)
    assert (accuracy.pictures, accuracy.data) == (500, "digits")


def test_top_k_is_scikit_learns_for_each_k_below_the_number_of_classes(noisy):
    truth, probabilities = noisy
    ids = [str(i) for i in range(500)]
    one = evaluate(names(7), truth, probabilities, ids, ids, top=(3, 1, 7, 9))
    expected = {k: metrics.top_k_accuracy_score(truth, probabilities, k=k) for k in (1, 3)}
    assert {k: rate.value for k, rate in one.top.items()} == pytest.approx(expected)
    with pytest.raises(UsageError, match="1 or more"):
        evaluate(names(7), truth, probabilities, ids, ids, top=(0,))


def test_means_have_intervals_around_them(noisy):
    one = measured(*noisy)
    for estimate in (one.balanced_accuracy, one.macro_f1, one.ranking.auc):
        assert estimate.low < estimate.value < estimate.high
        assert estimate.high - estimate.low < 0.12


def test_what_the_answers_carry_besides_is_measured(noisy):
    truth, probabilities = noisy
    ids = [str(i) for i in range(500)]
    wrong = probabilities.argmax(axis=1) != truth
    one = evaluate(
        *(names(7), truth, probabilities, ids, ids),
        sets=probabilities >= 0.1,
        strangeness=wrong + np.linspace(0, 0.5, 500),
        columns={"half": ["first"] * 250 + ["second"] * 250},
    )
    held = (probabilities >= 0.1)[np.arange(500), truth]
    assert one.sets.coverage.hits == held.sum()
    assert one.strange.auroc.value == 1.0
    assert {part.value for part in one.slices} == {"first", "second"}
    assert one.by_coverage[-1].right.hits == one.accuracy.hits
    assert one.right.tolist() == (~wrong).tolist()
    assert set(json.loads(json.dumps(one.to_dict()))) >= {"sets", "strange", "slices", "ranking"}


def test_each_pair_mixed_up_has_its_own_mistakes(noisy):
    truth, probabilities = noisy
    one = measured(truth, probabilities)
    assert len(one.pair_mistakes) == 6
    for pair, confused in zip(one.pair_mistakes, one.most_confused(), strict=False):
        assert {(m.truth, m.answer) for m in pair} == {(confused.truth, confused.answer)}
        assert len(pair) == min(6, confused.wrong.hits)
        assert [m.probability for m in pair] == sorted((m.probability for m in pair), reverse=True)


def test_no_pictures_is_a_clear_refusal():
    with pytest.raises(UsageError, match="no test pictures"):
        measured(np.zeros(0, np.int64), np.zeros((0, 3), np.float32))


@pytest.mark.parametrize(
    ("truth", "probabilities", "said"),
    [
        ([0, 3], np.full((2, 3), 0.3), "truth must be 0 to 2"),
        ([0, 1], np.full((3, 3), 0.3), "pictures by classes"),
        ([0, 1], np.array([[5.0, -1.0], [0.2, 0.8]]), "logits"),
        ([0, 1], np.array([[np.nan, 0.1], [0.2, 0.8]]), "0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(truth, probabilities, said):
    labels = names(probabilities.shape[1])
    with pytest.raises(UsageError, match=said):
        evaluate(labels, np.array(truth), probabilities, ["a", "b"], ["a", "b"])


def test_a_missing_row_id_is_refused():
    with pytest.raises(UsageError, match="2 each"):
        evaluate(names(2), np.array([0, 1]), one_hot([0, 1], 2), ["a"], ["a", "b"])
