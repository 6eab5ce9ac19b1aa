import json

import numpy as np
import pytest
from scipy.stats import binomtest

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import Rung, make_ladder
from pixelmine.evaluate.corrected import holm
from pixelmine.evaluate.cost import Cost
from pixelmine.evaluate.ladder_words import standing, verdict

N = 1000
"""Pictures; picture i is named right by a model of accuracy a where its difficulty is below a."""
DIFFICULTY = np.random.default_rng(0).permutation(N) / N


def cost(seconds, size=1000):
    parts = {"peak_bytes": 10**8, "base_bytes": 10**7, "runtime": "openvino", "precision": "f32"}
    return Cost(seconds=seconds, size_bytes=size, **parts)


def rung(name, accuracy, seconds=0.001, size=1000, swap=0):
    """`swap`: how many of the easiest pictures it names wrong, and of the hardest right."""
    place = DIFFICULTY * N
    right = (place < accuracy * N) & (place >= swap) | (place >= N - swap)
    ids = tuple(f"row {i}" for i in range(N))
    return Rung(name=name, row_ids=ids, right=right, cost=cost(seconds, size), train_seconds=5.0)


def failed(name):
    return Rung(name=name, reason="It takes pictures of 28x28 alone.")


def test_the_fastest_that_is_not_shown_to_be_worse_is_enough():
    rungs = [
        rung("big", 0.95, 0.01),
        rung("middle", 0.945, 0.002, swap=15),
        rung("small", 0.80, 0.0001),
    ]
    ladder = make_ladder(rungs)
    assert ladder.best.name == "big"
    assert ladder.enough.name == "middle"
    assert [ladder.is_enough(one) for one in ladder.rungs] == [True, True, False]
    first, saving, *_ = verdict(ladder, "en")
    assert first.startswith("middle is enough: it is the fastest recipe whose accuracy")
    assert saving == "It takes 2.00 ms a picture and 1.00 kB; the best takes 10.0 ms and 1.00 kB."
    words = [standing(ladder, one, "en") for one in ladder.rungs]
    assert words == ["the most accurate", "not shown to be worse", "worse"]


def test_p_values_are_mcnemars_corrected_by_holm():
    rungs = [rung("best", 0.95), rung("b", 0.945, swap=20), rung("c", 0.93, swap=30)]
    ladder = make_ladder(rungs)
    best, *others = ladder.rungs
    assert (best.against, best.p) == (None, None)
    plain = []
    for one in others:
        lost, won = (best.right & ~one.right).sum(), (one.right & ~best.right).sum()
        plain.append(binomtest(int(won), int(lost + won)).pvalue)
        assert (one.against.only_a, one.against.only_b) == (lost, won)
    assert [one.p for one in others] == pytest.approx(holm(plain))


def test_with_a_margin_the_whole_interval_decides():
    rungs = [rung("best", 0.95, 0.01), rung("near", 0.94, 0.001)]  # 10 pictures lost, none won
    low = make_ladder(rungs).rungs[1].against.difference.low
    assert -0.018 < low < -0.012
    assert make_ladder(rungs).enough.name == "best"
    assert make_ladder(rungs, margin=0.03).enough.name == "near"
    assert make_ladder(rungs, margin=0.011).enough.name == "best"
    assert "at most 3.0 points less" in verdict(make_ladder(rungs, margin=0.03), "en")[0]
    assert "within 1.1 points" in verdict(make_ladder(rungs, margin=0.011), "en")[0]


def test_the_smallest_that_is_enough_is_named_where_it_is_another():
    rungs = [rung("fast", 0.95, 0.001, 9_000_000), rung("small", 0.95, 0.002, 20_000)]
    ladder = make_ladder(rungs)
    assert (ladder.enough.name, ladder.smallest.name) == ("fast", "small")
    assert "The smallest that is enough is small, with 20.0 kB." in verdict(ladder, "en")


def test_the_best_that_is_the_fastest_too_says_so():
    ladder = make_ladder([rung("a", 0.95, 0.001), rung("b", 0.80, 0.002)])
    assert verdict(ladder, "en")[0].startswith("a is both the most accurate and the fastest")


def test_the_front_is_what_nothing_else_beats_in_both():
    rungs = [
        *(rung("cheap", 0.7, 0.001, 10), rung("good", 0.9, 0.003, 5)),
        *(rung("waste", 0.8, 0.004, 50), rung("best", 0.95, 0.01, 100)),
    ]
    ladder = make_ladder(rungs)
    assert [one.name for one in ladder.front("seconds")] == ["cheap", "good", "best"]
    assert [one.name for one in ladder.front("size")] == ["good", "best"]


def test_only_pictures_that_all_have_answered_count():
    a, b = rung("a", 0.9), rung("b", 0.9)
    b = Rung(name="b", row_ids=b.row_ids[::-1][:400], right=b.right[::-1][:400], cost=b.cost)
    ladder = make_ladder([a, b])
    assert ladder.pictures == 400
    assert ladder.rungs[0].accuracy.hits == ladder.rungs[1].accuracy.hits
    assert ladder.rungs[1].against.only_a == 0
    other = Rung(name="c", row_ids=("elsewhere",), right=np.array([True]))
    with pytest.raises(UsageError, match="no test picture in common"):
        make_ladder([a, other])


def test_what_failed_is_a_row_with_its_reason():
    ladder = make_ladder([rung("a", 0.9), failed("b")])
    assert [one.name for one in ladder.measured] == ["a"]
    assert not ladder.is_enough(ladder.rungs[1])
    sentences = verdict(ladder, "en")
    assert "only recipe measured" in sentences[0]
    assert sentences[-1] == "Not measured: b."
    assert "| b | It takes pictures of 28x28 alone. |" in ladder.to_markdown()
    nothing = make_ladder([failed("a"), failed("b")])
    assert (nothing.best, nothing.enough) == (None, None)
    assert verdict(nothing, "en") == ["No recipe could be trained and measured."]
    assert "28x28" in nothing.to_markdown()


def test_without_a_cost_the_best_is_taken():
    rungs = [rung("a", 0.9), rung("b", 0.95)]
    bare = [Rung(name=one.name, row_ids=one.row_ids, right=one.right) for one in rungs]
    ladder = make_ladder(bare)
    assert ladder.enough.name == "b"
    assert "could not be measured" in " ".join(verdict(ladder, "en"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("margin", [None, 0.03])
def test_every_sentence_can_be_said(language, margin):
    for accuracy in (0.80, 0.945, 0.95):
        rungs = [rung("best", 0.95, 0.01), rung("b", accuracy, 0.001, 10), failed("c")]
        assert all(verdict(make_ladder(rungs, margin), language))


def test_json_and_markdown():
    ladder = make_ladder([rung("a", 0.95), rung("b", 0.9, 0.01), failed("c")])
    found = json.loads(json.dumps(ladder.to_dict()))
    assert (found["best"], found["enough"], found["pictures"]) == ("a", "a", N)
    assert found["recipes"][1]["against_best"]["difference"]["value"] == pytest.approx(-0.05)
    assert found["recipes"][2]["reason"].startswith("It takes")
    assert found["front"]["seconds"] == ["a"]
    assert "| a (enough) | 95.0% (" in ladder.to_markdown()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="once"):
        make_ladder([rung("a", 0.9), rung("a", 0.9)])
    with pytest.raises(UsageError, match="margin"):
        make_ladder([rung("a", 0.9)], margin=-0.1)
