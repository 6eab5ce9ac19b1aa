"""Random halves are not called drift, a planted shift is found and named, copies are folded."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.mine.drift import Cells, DriftOptions, compare
from pixelmine.mine.drift_counts import Pile
from pixelmine.mine.drift_reference import DriftReference
from pixelmine.mine.drift_space import cell_names, make_space
from pixelmine.mine.items import Attribute

KINDS = ("hat", "shoe", "shirt", "dress", "coat")
CENTRES = np.random.default_rng(9).normal(size=(len(KINDS), 24))
QUICK = DriftOptions(permutations=99, cells=20)


def pile(count, seed, shares=(0.2,) * 5, sharpness=5.0, camera=0.5, labels=True):
    """Pictures of five kinds, of two cameras, with a sharpness."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(KINDS), count, p=shares)
    vectors = CENTRES[kind] + rng.normal(0, 0.5, (count, 24))
    names = [[KINDS[k]] for k in kind] if labels else [[] for _ in kind]
    cameras = [["a" if one else "b"] for one in rng.random(count) < camera]
    return Pile(
        pictures=[f"{seed}-{n}" for n in range(count)],
        vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        attributes=[
            Attribute(name="label", kind="label", values=names),
            Attribute(name="camera", kind="circumstance", values=cameras),
        ],
        measures={"sharpness": rng.normal(sharpness, 1, count)},
        groups=[None] * count,
    )


def test_the_level_holds_between_halves_of_one_source_also_against_a_reference():
    """Twelve at 20 %: more than 6 would happen in 1 of 250 tries. A hundred: benchmarks."""
    options = DriftOptions(permutations=99, cells=20, level=0.2)
    called, by_reference = 0, 0
    for seed in range(12):
        old, new = pile(300, 2 * seed), pile(300, 2 * seed + 1)
        called += compare(old, new, options).drifted
        by_reference += DriftReference.make(old, "m", options).test(new, options).drifted
    assert called <= 6
    assert by_reference <= 6


def test_a_kind_that_grew_by_a_tenth_is_found_with_its_clusters_and_the_rest_shrank():
    grown = (0.28, 0.18, 0.18, 0.18, 0.18)
    found = compare(pile(2000, 1), pile(2000, 2, grown), QUICK)
    assert found.drifted
    changed = {(one.part, one.name): one for one in found.changed}
    label = changed["labels", "hat"]
    assert label.grew
    assert label.low < 0.08 < label.high
    clusters = [one for one in found.changed if one.part == "clusters" and one.grew]
    assert {one.name.split(",")[0] for one in clusters} == {"hat"}
    inside = np.isin(found.cells, clusters[0].cells)
    assert inside.mean() == pytest.approx(clusters[0].after)
    assert not {"measures", "metadata"} & {one.part for one in found.changed}


def test_measures_and_metadata_are_compared_by_themselves():
    found = compare(pile(1500, 1), pile(1500, 2, sharpness=4.7, camera=0.7), QUICK)
    told = {(one.part, one.name) for one in found.changed}
    assert told == {
        ("measures", "sharpness"),
        ("metadata", "camera = a"),
        ("metadata", "camera = b"),
    }
    sharpness = next(one for one in found.changed if one.name == "sharpness")
    assert not sharpness.grew
    assert sharpness.before == pytest.approx(5, abs=0.1)


def test_what_is_labelled_on_one_side_only_is_no_drift_and_is_said():
    found = compare(pile(500, 1), pile(500, 2, labels=False), QUICK)
    assert not found.drifted
    assert found.untested == ("label",)


def test_the_order_of_the_pictures_does_not_matter_to_the_decision():
    old, new = pile(400, 1), pile(400, 2, (0.4, 0.15, 0.15, 0.15, 0.15))
    first, second = compare(old, new, QUICK), compare(old, new, QUICK)
    assert first.p_value == second.p_value
    assert first.changes == second.changes
    turned = compare(new, old, QUICK)
    there = {(c.part, c.name, c.cells): c.effect for c in first.changes}
    back = {(c.part, c.name, c.cells): c.effect for c in turned.changes}
    assert there.keys() == back.keys()
    for name, effect in there.items():
        assert back[name] == pytest.approx(-effect, abs=1e-9)


def test_given_clusters_are_taken_instead_of_cells():
    old, new = pile(400, 1), pile(400, 2, (0.5, 0.125, 0.125, 0.125, 0.125))
    first, second = (
        np.array([KINDS.index(v[0]) for v in side.attributes[0].values]) for side in (old, new)
    )
    clusters = Cells(before=first, after=second, names=[f"group {k}" for k in KINDS])
    found = compare(old, new, QUICK, clusters=clusters)
    grew = [one.name for one in found.changed if one.part == "clusters" and one.grew]
    assert grew == ["group hat"]


@pytest.mark.parametrize("groups", [None, "burst"])
def test_a_reference_is_the_same_after_it_was_written_and_read(groups):
    old = pile(1000, 1)
    if groups:
        old = replace(old, groups=[f"burst {n // 2}" for n in range(1000)])
    reference = DriftReference.make(old, "model", QUICK)
    text = reference.to_json()
    again = DriftReference.from_json(text)
    assert again.to_json() == text
    window = pile(600, 2, (0.4, 0.15, 0.15, 0.15, 0.15))
    first, second = reference.test(window, QUICK), again.test(window, QUICK)
    assert first.changes == second.changes
    assert first.p_value == second.p_value < 0.01
    grew = {c.name.split(",")[0] for c in second.changed if c.part == "clusters" and c.grew}
    assert grew == {"hat"}
    assert "1-0" not in text, "no picture is named"


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "other"}', "[1]", '"x"', "null"])
def test_what_is_no_reference_gets_a_sentence(text):
    with pytest.raises(UsageError, match="no reference for drift"):
        DriftReference.from_json(text)


def test_a_reference_cut_short_or_of_another_version_gets_a_sentence():
    known = json.loads(DriftReference.make(pile(200, 1), "m", QUICK).to_json())
    for change in ({"format": 99}, {"centres": {"shape": [3, 3], "data": "AAAA"}}, {"cells": None}):
        with pytest.raises(UsageError, match="no reference for drift"):
            DriftReference.from_json(json.dumps({**known, **change}))


def test_too_few_pictures_and_other_vectors_are_refused():
    with pytest.raises(UsageError, match="at least 5"):
        compare(pile(4, 1), pile(50, 2))
    with pytest.raises(UsageError, match="at least 100"):
        DriftReference.make(pile(99, 1), "m")
    reference = DriftReference.make(pile(200, 1), "m", QUICK)
    with pytest.raises(UsageError, match="at least 5"):
        reference.test(pile(4, 1))
    assert not compare(pile(5, 1), pile(6, 2)).drifted, "few say nothing"


def bursts(groups, seed, each=12):
    """Bursts of pictures of one kind, camera and sharpness, each nearly the same picture."""
    rng = np.random.default_rng(seed)
    one = pile(groups, seed)
    many = one.take(np.repeat(np.arange(groups), each))
    noise = rng.normal(0, 0.02, many.vectors.shape).astype(np.float32)
    return Pile(
        pictures=[f"{seed}-{n}" for n in range(len(many))],
        vectors=many.vectors + noise,
        attributes=many.attributes,
        measures={"sharpness": many.measures["sharpness"] + rng.normal(0, 0.05, len(many))},
        groups=[f"{seed}-burst-{n // each}" for n in range(len(many))],
    )


def test_the_level_holds_between_halves_of_bursts_also_against_a_reference():
    """Of twelve at 5 % more than 2 would happen in 1 of 50 tries; without groups it is 12."""
    options = DriftOptions(permutations=199, cells=20)
    called, by_reference, without = 0, 0, 0
    for seed in range(12):
        old, new = bursts(30, 2 * seed), bursts(25, 2 * seed + 1)
        called += compare(old, new, options).drifted
        by_reference += DriftReference.make(old, "m", options).test(new, options).drifted
        without += compare(*(replace(p, groups=[None] * len(p)) for p in (old, new))).drifted
    assert called <= 2
    assert by_reference <= 2
    assert without >= 10


def test_what_grew_is_found_in_bursts_too():
    old, new = bursts(150, 1), bursts(150, 2)
    kept = np.flatnonzero([v != ["hat"] for v in new.attributes[0].values])
    found = compare(old, new.take(kept), DriftOptions(permutations=199, cells=20))
    assert found.drifted
    assert (found.before, found.independent_before) == (1800, 150)
    label = next(one for one in found.changed if (one.part, one.name) == ("labels", "hat"))
    assert label.after == 0
    assert label.low < -label.before < label.high


def test_copies_and_groups_lie_in_one_fold_and_in_one_half():
    first = pile(200, 1)
    assert (first.folds() == pile(200, 1).folds()).all()
    assert 40 < first.folds().sum() < 160
    assert first.first_half().tolist() == [True] * 100 + [False] * 100
    groups = [f"g{n % 30}" for n in range(200)]
    grouped = replace(first, groups=groups)
    half = grouped.first_half()
    assert 80 <= half.sum() <= 100
    for name in set(groups):
        of = [n for n, group in enumerate(groups) if group == name]
        assert len(set(grouped.folds()[of])) == len(set(half[of])) == 1
    assert len(set(grouped.units())) == 30
    with pytest.raises(UsageError, match="of one group"):
        DriftReference.make(replace(first, groups=["g"] * 200), "m")


def test_a_cell_is_named_by_what_tells_it_from_the_rest():
    cells = np.array([0] * 50 + [1] * 50 + [2] * 50)
    labels = [["a"]] * 50 + [["b"], ["a"]] * 25 + [["c"]] * 50
    assert cell_names(cells, 3, [labels]) == ["a", "b", "c"]
    assert cell_names(cells, 3, [[["same"]] * 150]) == ["cell 1", "cell 2", "cell 3"]
    assert cell_names(cells, 3, []) == ["cell 1", "cell 2", "cell 3"]


def test_cells_are_as_many_as_the_pictures_can_bear():
    vectors = np.random.default_rng(1).normal(size=(3000, 16)).astype(np.float32)
    assert [len(make_space(vectors[:n], None, 1).centres) for n in (1, 7, 60, 250, 3000)] == [
        *(1, 1, 2, 8, 20),
    ]
    assert len(make_space(vectors, 33, 1).centres) == 33


@pytest.mark.parametrize("wrong", [{"level": 0}, {"cells": 1}, {"permutations": 1}, {"sample": 1}])
def test_options_are_checked(wrong):
    with pytest.raises(UsageError):
        DriftOptions(**wrong)
