"""Planted rules are found, and in shuffled data none are, as often as the level says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.mine.associations import RuleOptions, find_rules
from pixelmine.mine.exact import enriched
from pixelmine.mine.items import Attribute, ItemOptions, binned, make_items


def chosen(rng, values, count):
    return [[str(value)] for value in rng.choice(values, count)]


def independent(count=1500, seed=0):
    """Attributes of which none has to do with another."""
    rng = np.random.default_rng(seed)
    return [
        Attribute(name="label", kind="label", values=chosen(rng, ["cat", "dog", "horse"], count)),
        Attribute(name="camera", kind="circumstance", values=chosen(rng, range(9), count)),
        Attribute(name="hour", kind="circumstance", values=chosen(rng, range(8), count)),
        Attribute(name="weekday", kind="circumstance", values=chosen(rng, range(7), count)),
        Attribute(
            name="quality",
            kind="quality",
            values=[["dark", "noisy"][: rng.integers(0, 3)] for _ in range(count)],
        ),
    ]


def planted(seed=1):
    """Camera 7 shows dogs; in the morning of a Sunday, and only then, pictures are `blurred`."""
    by_name = {one.name: one for one in independent(3000, seed)}
    rng = np.random.default_rng(seed + 1000)
    label, camera, hour, day, quality = by_name.values()
    for n in range(3000):
        if camera.values[n] == ["7"] and rng.random() < 0.8:
            label.values[n][:] = ["dog"]
        sunday_morning = hour.values[n] == ["1"] and day.values[n] == ["0"]
        if rng.random() < (0.7 if sunday_morning else 0.05):
            quality.values[n].append("blurred")
    return list(by_name.values())


def told(found):
    items = found.items.items
    return {
        (frozenset(str(items[at]) for at in rule.antecedent), str(items[rule.consequent])): rule
        for rule in found.rules
    }


def test_two_planted_rules_are_found_and_nothing_else_of_these_things():
    found = find_rules(make_items(planted()))
    rules = told(found)
    shortcut = rules[frozenset(["camera = 7"]), "label = dog"]
    assert shortcut.shortcut
    assert shortcut.confidence > 0.75
    pair = rules[frozenset(["hour = 1", "weekday = 0"]), "quality = blurred"]
    assert not pair.shortcut
    assert pair.lift > 5
    items = found.items.items
    for rule in found.rules:
        named = {items[at].attribute for at in (*rule.antecedent, rule.consequent)}
        assert {"camera", "label"} <= named or "quality" in named
    follow = found.having([*shortcut.antecedent, shortcut.consequent])
    assert len(follow) == shortcut.both
    against = found.having(shortcut.antecedent, without=shortcut.consequent)
    assert len(against) == shortcut.covered - shortcut.both


def test_a_rule_that_asks_for_more_and_is_no_better_is_left_out():
    """Every camera-7 picture is a dog whatever the hour: no rule says camera 7 and hour 3."""
    found = find_rules(make_items(planted()))
    for antecedent, consequent in told(found):
        if "camera = 7" in antecedent and consequent == "label = dog":
            assert antecedent == {"camera = 7"}
    assert found.redundant > 0


def test_shuffled_attributes_give_a_rule_no_more_often_than_the_level_says():
    """Twenty at 20 %: more than 8 would happen in 1 of 100 tries. A hundred: benchmarks."""
    rng = np.random.default_rng(7)
    attributes = [one for one in planted() if one.name != "weekday"]
    with_rules = 0
    for _ in range(20):
        shuffled = []
        for one in attributes:
            values = [one.values[at][:1] for at in rng.permutation(3000)]
            shuffled.append(Attribute(name=one.name, kind=one.kind, values=values))
        with_rules += bool(find_rules(make_items(shuffled), RuleOptions(level=0.2)).rules)
    assert with_rules <= 8


def test_the_correction_pays_for_every_rule_that_could_be():
    items = make_items(independent())
    found = find_rules(items, RuleOptions(length=2))
    sizes = {}
    for item in items.items:
        sizes[item.attribute] = sizes.get(item.attribute, 0) + 1
    pairs = sum(a * b for x, a in sizes.items() for y, b in sizes.items() if x < y)
    assert found.tested == pairs + 1, "and dark with noisy, which one picture can be both"
    assert found.frequent <= found.tested
    threes = find_rules(items, RuleOptions(length=3))
    assert threes.tested > 10 * found.tested > 10 * found.frequent - 1
    assert threes.frequent < threes.tested, "the rare ones are paid for too"


def test_what_tells_another_is_said_and_makes_no_rule():
    attributes = independent()
    same = [[f"model {values[0]}"] for values in attributes[1].values]
    attributes.append(Attribute(name="model", kind="circumstance", values=same))
    items = make_items(attributes)
    assert {("camera", "model"), ("model", "camera")} <= set(items.functions)
    for rule in find_rules(items).rules:
        names = {items.items[at].attribute for at in (*rule.antecedent, rule.consequent)}
        assert not {"camera", "model"} <= names


def test_what_is_cut_is_said():
    rare = Attribute(name="owner", kind="circumstance", values=[[str(n)] for n in range(1500)])
    same = Attribute(name="format", kind="circumstance", values=[["jpeg"]] * 1500)
    items = make_items([*independent(), rare, same], ItemOptions(items=5))
    assert len(items.items) == 5
    assert [said.split(":")[0] for said in items.cut[:2]] == ["owner", "format"]
    assert "items, those with fewer" in items.cut[2]


@pytest.mark.parametrize("attributes", [[], independent(1), independent(2), independent()[:1]])
def test_too_little_gives_no_rule(attributes):
    assert find_rules(make_items(attributes)).rules == ()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 300), st.data())
def test_the_exact_test_is_that_of_scipy(pictures, data):
    from scipy.stats import hypergeom

    first, second = (data.draw(st.integers(0, pictures)) for _ in range(2))
    both = data.draw(st.integers(max(0, first + second - pictures), min(first, second)))
    found = enriched(*(np.array([v]) for v in (both, first, second, pictures)))[0]
    if both * pictures <= first * second:
        assert found == 1
    else:
        assert found == pytest.approx(hypergeom.sf(both - 1, pictures, first, second), rel=1e-9)


def test_many_different_numbers_become_quarters_and_texts_stay():
    values = [str(n / 2) for n in range(100)] + [None]
    names = binned(values)
    assert len(set(names) - {None}) == 4
    assert names[0] == "0 to 12.375"
    assert names[-1] is None
    assert binned(["a", "b", None]) == ["a", "b", None]
    assert binned(["1", "2"]) == ["1", "2"]


@pytest.mark.parametrize("wrong", [{"level": 0}, {"length": 1}, {"length": 5}])
def test_rule_options_are_checked(wrong):
    with pytest.raises(UsageError):
        RuleOptions(**wrong)


@pytest.mark.parametrize("wrong", [{"support": 0}, {"least": 0}, {"items": 1}])
def test_item_options_are_checked(wrong):
    with pytest.raises(UsageError):
        ItemOptions(**wrong)
