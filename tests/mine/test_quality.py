import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.mine.quality import ISSUES, Issue, QualityOptions, find_issues

BLUR = {issue.name: issue for issue in ISSUES}["blurred"]


def ordinary(count, seed=0):
    """Measures of photographs in which nothing is wrong."""
    rng = np.random.default_rng(seed)
    return {
        "sharpness": np.exp(rng.normal(6, 0.4, count)),
        "brightness": rng.normal(0.5, 0.05, count),
        "contrast": rng.normal(0.2, 0.02, count),
        "entropy": rng.normal(7, 0.2, count),
        "megapixels": np.exp(rng.normal(0, 0.1, count)),
        "aspect": rng.choice([0.75, 1.33], count),
        "noise": np.abs(rng.normal(0.5, 0.3, count)),
        "border": np.zeros(count),
        "text": rng.uniform(0, 0.4, count),
    }


BAD = {
    "blurred": {"sharpness": 5.0},
    "dark": {"brightness": 0.05, "contrast": 0.06},
    "bright": {"brightness": 0.95, "contrast": 0.06},
    "low-contrast": {"contrast": 0.01},
    "noisy": {"noise": 14.0},
    "low-information": {"entropy": 1.0},
    "odd-size": {"megapixels": 0.01},
    "odd-aspect": {"aspect": 0.1},
    "border": {"border": 0.3},
    "text": {"text": 0.7},
}


def flagged(measures, options=None):
    return {one.issue.name: set(one.at.tolist()) for one in find_issues(measures, options)}


@pytest.mark.parametrize("seed", range(5))
def test_a_collection_in_which_nothing_is_wrong_flags_nothing(seed):
    found = flagged(ordinary(2000, seed))
    assert found.keys() == {issue.name for issue in ISSUES}
    assert not any(found.values())


@pytest.mark.parametrize("issue", BAD)
@pytest.mark.parametrize("share", [0.001, 1 / 3])
def test_one_bad_picture_and_a_third_of_them_are_flagged_and_no_other(issue, share):
    measures, bad = ordinary(3000), int(3000 * share)
    for name, value in BAD[issue].items():
        measures[name][:bad] = value
    assert flagged(measures)[issue] == set(range(bad))


def test_where_a_third_lacks_what_most_have_most_are_not_flagged():
    """Digits: two thirds have a border by nature, and a third has none at all."""
    rng = np.random.default_rng(0)
    border = np.where(rng.random(900) < 0.36, 0.0, rng.normal(0.09, 0.02, 900))
    border[:3] = 0.6
    (found,) = (one for one in find_issues({"border": border}) if one.issue.name == "border")
    assert found.nature
    assert found.at[:3].tolist() == [0, 1, 2]
    assert len(found.at) < 20


def test_what_most_pictures_are_is_the_nature_of_the_collection():
    measures = ordinary(1000)
    measures["entropy"] = np.random.default_rng(1).normal(2, 0.05, 1000)
    measures["entropy"][7] = 0.1
    found = {one.issue.name: one for one in find_issues(measures)}["low-information"]
    assert found.nature
    assert found.at.tolist() == [7]


def test_the_worst_comes_first_and_scores_fall():
    measures = ordinary(500)
    measures["sharpness"][[3, 4, 5]] = 2, 0.5, 8
    found = find_issues(measures, issues=[BLUR])[0]
    assert found.at.tolist() == [4, 3, 5]
    assert (np.diff(found.scores) < 0).all()
    assert (found.values < found.threshold).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=200), st.booleans())
def test_what_is_flagged_is_worse_than_the_threshold_and_all_that_is_worse_is_flagged(values, few):
    issue = Issue(name="x", measure="m", worse="low", log=True, guard=60, sure=18)
    options = QualityOptions(few=1000 if few else 1)
    found = find_issues({"m": np.array(values)}, options, [issue])[0]
    if found.threshold is None:
        assert not len(found.at)
        return
    worse = np.flatnonzero(np.array(values) < found.threshold * (1 - 1e-12))
    assert set(worse) <= set(found.at.tolist())
    assert (found.values <= found.threshold).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pictures_are_judged_by_what_is_sure(count):
    measures = {name: values[:count] for name, values in ordinary(5).items()}
    assert not any(flagged(measures).values())
    if count:
        measures["noise"][0] = 30
        assert flagged(measures)["noisy"] == ({0} if count == 2 else set()), (
            "one may be so by nature"
        )


def test_unknown_measures_are_left_out():
    measures = ordinary(100)
    measures["sharpness"][:50] = np.nan
    measures["sharpness"][60] = 0.5
    del measures["noise"], measures["text"]
    found = {one.issue.name: one for one in find_issues(measures)}
    assert found["blurred"].at.tolist() == [60]
    assert found["blurred"].measured == 50
    assert not {"noisy", "text"} & found.keys()


@pytest.mark.parametrize("wrong", [{"spread": 0}, {"few": 0}])
def test_options_are_checked(wrong):
    with pytest.raises(UsageError):
        QualityOptions(**wrong)
