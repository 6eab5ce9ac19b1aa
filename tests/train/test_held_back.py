from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from pixelmine.core.errors import TrainError
from pixelmine.preprocess import Preprocessing
from pixelmine.train.data import Examples
from pixelmine.train.held_back import hold_back


def examples(
    y: Sequence[int],
    pictures: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
    part: Sequence[str] | None = None,
) -> Examples:
    count = len(y)
    return Examples(
        x=np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1),
        y=np.array(y, np.int64),
        labels=[str(label) for label in range(max(y) + 1)],
        picture_ids=list(pictures or map(str, range(count))),
        groups=list(groups or [None] * count),
        part=list(part or ["train"] * count),
        preprocessing=Preprocessing(),
    )


def divided(whole: Examples, fraction: float, seed: int) -> tuple[Examples, Examples]:
    held = hold_back(whole, fraction, seed)
    return whole.take(np.flatnonzero(~held)), whole.take(np.flatnonzero(held))


def test_each_class_gives_its_share() -> None:
    whole = examples([0] * 120 + [1] * 60 + [2] * 24)
    kept, held = divided(whole, 1 / 12, seed=1)
    assert Counter(held.y.tolist()) == {0: 10, 1: 5, 2: 2}
    assert sorted(kept.picture_ids + held.picture_ids) == sorted(whole.picture_ids)
    assert [int(i) for i in held.picture_ids] == held.x.ravel().tolist()


def test_the_seed_decides() -> None:
    whole = examples([0, 1] * 60)
    draws = [divided(whole, 1 / 12, seed)[1].picture_ids for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_groups_and_identical_pictures_stay_together() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 600).tolist()
    groups = [f"sender-{i}" if i < 60 else None for i in random.integers(0, 120, 600)]
    pictures = [str(i) for i in random.integers(0, 500, 600)]
    kept, held = divided(examples(y, pictures, groups), 1 / 5, seed=3)
    assert 60 < len(held) < 180
    assert not set(kept.picture_ids) & set(held.picture_ids)
    assert not (set(kept.groups) & set(held.groups)) - {None}


def test_a_chain_of_groups_and_pictures_is_one_unit() -> None:
    tied = examples(
        [0, 0, 0, 0, 1, 1], ["a", "a", "b", "b", "c", "d"], ["g", "h", "h", None, *"ij"]
    )
    with pytest.raises(TrainError, match="in 3 groups"):
        hold_back(tied, 1 / 12, seed=1)


def test_no_class_loses_its_last_training_picture() -> None:
    y = [0] * 100 + [1]
    groups = ["g"] * 9 + [None] * 91 + ["g"]
    for seed in range(20):
        kept, _ = divided(examples(y, groups=groups), 1 / 10, seed)
        assert set(kept.y.tolist()) == {0, 1}


def test_a_split_s_part_val_is_held_back_as_it_is() -> None:
    whole = examples([0, 1] * 4, groups=["g"] * 8, part=["train"] * 6 + ["val"] * 2)
    kept, held = divided(whole, 1 / 12, seed=1)
    assert (len(kept), held.picture_ids) == (6, ["6", "7"])


def test_too_few_pictures_is_an_error() -> None:
    with pytest.raises(TrainError, match="No picture can be held back"):
        hold_back(examples([0, 1, 0, 1]), 1 / 12, seed=1)
