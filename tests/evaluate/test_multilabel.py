import json

import numpy as np
import pytest
from sklearn import metrics

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import evaluate_multilabel

LABELS = ["sea", "sand", "sky", "snow"]


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(2)
    truth = rng.uniform(size=(250, 4)) < [0.6, 0.3, 0.5, 0.06]
    scores = np.clip(truth * 0.35 + rng.uniform(size=(250, 4)) * 0.65, 0, 1)
    return truth, scores


def test_figures_are_scikit_learns(noisy):
    truth, scores = noisy
    given = scores >= 0.5
    one = evaluate_multilabel(LABELS, truth, scores, resamples=50)
    assert one.subset_accuracy.value == pytest.approx(metrics.accuracy_score(truth, given))
    assert one.micro_f1.value == pytest.approx(metrics.f1_score(truth, given, average="micro"))
    assert one.macro_f1.value == pytest.approx(metrics.f1_score(truth, given, average="macro"))
    assert one.ranking.average_precision.value == pytest.approx(
        metrics.average_precision_score(truth, scores, average="macro")
    )
    assert one.ranking.auc.value == pytest.approx(
        metrics.roc_auc_score(truth, scores, average="macro")
    )
    expected = metrics.precision_recall_fscore_support(truth, given)
    got = [(c.precision.value, c.recall.value, c.f1, c.pictures) for c in one.classes]
    np.testing.assert_allclose(np.array(got).T, expected)


def test_intervals_hold_the_value_and_get_narrower_with_more_pictures(noisy):
    truth, scores = noisy
    few = evaluate_multilabel(LABELS, truth, scores, resamples=400)
    many = evaluate_multilabel(
        LABELS, np.tile(truth, (9, 1)), np.tile(scores, (9, 1)), resamples=400
    )
    for name in ("micro_f1", "macro_f1"):
        wide, narrow = getattr(few, name), getattr(many, name)
        assert wide.low < wide.value < wide.high
        assert narrow.high - narrow.low == pytest.approx((wide.high - wide.low) / 3, rel=0.2)


def test_labels_given_by_the_model_itself_count(noisy):
    truth, scores = noisy
    assert evaluate_multilabel(LABELS, truth, scores, truth).subset_accuracy.value == 1.0


def test_a_label_that_no_picture_has_is_in_no_mean():
    truth = np.array([[True, False], [False, False]])
    one = evaluate_multilabel(["a", "b"], truth, np.array([[0.9, 0.8], [0.1, 0.1]]), resamples=5)
    assert one.macro_f1.value == 1.0
    assert (one.classes[1].recall, one.classes[1].precision.value) == (None, 0.0)
    assert one.micro_f1.value == pytest.approx(2 / 3)


def test_json_and_markdown(noisy):
    one = evaluate_multilabel(LABELS, *noisy, resamples=5)
    assert json.loads(json.dumps(one.to_dict()))["micro_f1"]["value"] == one.micro_f1.value
    text = one.to_markdown()
    assert "| mAP |" in text
    assert "| snow |" in text


@pytest.mark.parametrize(
    ("truth", "scores", "said"),
    [
        (np.zeros((2, 3), int), np.zeros((2, 3)), "truth must be bool"),
        (np.zeros((2, 3), bool), np.zeros((2, 3)), "must have a label"),
        (np.ones((2, 3), bool), np.zeros((3, 3)), "probabilities must be"),
        (np.ones((2, 3), bool), np.full((2, 3), 7.0), "logits"),
    ],
)
def test_what_does_not_fit_is_refused(truth, scores, said):
    with pytest.raises(UsageError, match=said):
        evaluate_multilabel(["a", "b", "c"], truth, scores)


def test_wrong_decisions_and_the_sets_are_counted(noisy):
    truth, scores = noisy
    one = evaluate_multilabel(LABELS, truth, scores, sets=scores > 0.2, resamples=5)
    assert one.wrong_labels == pytest.approx(metrics.hamming_loss(truth, scores >= 0.5))
    held = [
        set(np.flatnonzero(t)) <= set(np.flatnonzero(s > 0.2)) for t, s in zip(*noisy, strict=True)
    ]
    assert (one.set_coverage.hits, one.set_coverage.pictures) == (sum(held), 250)


def test_the_surest_mistakes_come_first(noisy):
    truth, scores = noisy
    names = [f"file:///{n}.png" for n in range(250)]
    one = evaluate_multilabel(LABELS, truth, scores, row_ids=names, uris=names, resamples=5)
    assert len(one.mistakes) == 100
    sure = [mistake.probability for mistake in one.mistakes]
    assert sure == sorted(sure, reverse=True)
    worst = one.mistakes[0]
    wrong = truth[worst.index] != (scores[worst.index] >= 0.5)
    assert worst.probability == pytest.approx(
        np.maximum(scores, 1 - scores)[worst.index][wrong].max()
    )
    assert worst.truth == (", ".join(np.array(LABELS)[truth[worst.index]]) or "-")
    assert worst.truth != worst.answer
    assert "Most confident mistakes" in one.to_markdown()


def test_figures_with_an_interval_go_into_a_card(noisy):
    found = evaluate_multilabel(LABELS, *noisy, resamples=50).card_metrics("test part")
    assert set(found) == {"subset_accuracy", "micro_f1", "macro_f1", "average_precision", "auc"}
    assert all(one.low < one.value < one.high and one.pictures == 250 for one in found.values())


def test_intervals_are_there_where_every_picture_has_a_set_of_its_own():
    truth = np.array([[bool(n >> k & 1) for k in range(6)] for n in range(1, 64)])
    scores = np.clip(truth * 0.3 + np.random.default_rng(4).uniform(size=truth.shape) * 0.7, 0, 1)
    one = evaluate_multilabel(list("abcdef"), truth, scores, resamples=200)
    for found in (one.micro_f1, one.macro_f1, one.ranking.average_precision, one.ranking.auc):
        assert found.low < found.value < found.high


def test_a_label_of_one_picture_misses_from_some_resamples():
    truth = np.zeros((40, 2), bool)
    truth[:20, 0], truth[0, 1] = True, True
    scores = np.random.default_rng(5).uniform(size=(40, 2))
    one = evaluate_multilabel(["often", "once"], truth, scores, resamples=100)
    assert [label.pictures for label in one.classes] == [20, 1]
    assert one.ranking.classes[1].auc.low is not None
    assert one.ranking.auc.low <= one.ranking.auc.high


def test_what_the_model_does_not_decide_is_counted(noisy):
    truth, scores = noisy
    sure = np.arange(250) < 200
    one = evaluate_multilabel(LABELS, truth, scores, decided=sure, resamples=5)
    right = (truth == (scores >= 0.5)).all(axis=1)
    assert (one.coverage.hits, one.coverage.pictures) == (200, 250)
    assert one.decided_accuracy.hits == right[:200].sum()
    none = evaluate_multilabel(LABELS, truth, scores, decided=~sure & sure, resamples=5)
    assert (none.coverage.hits, none.decided_accuracy) == (0, None)
