from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.train.history import Epoch, History


def history(*held: tuple[float, float], seconds: float = 10.0) -> History:
    epochs = (
        Epoch(loss=1, accuracy=0.5, held_back_accuracy=a, held_back_loss=b, seconds=seconds)
        for a, b in held
    )
    return History(tuple(epochs))


def test_the_best_epoch_is_the_most_accurate_then_of_lower_loss_then_the_first() -> None:
    assert history((0.8, 0.1), (0.9, 0.3), (0.9, 0.2), (0.9, 0.2), (0.7, 0.1)).best == 2


def test_of_several_labels_the_best_epoch_is_of_the_lowest_loss() -> None:
    found = replace(history((0.8, 0.1), (0.9, 0.3)), by_loss=True)
    assert found.best == 0
    assert found.plus(history((0.7, 0.05)).epochs[0]).best == 2


def test_a_cycle_that_was_begun_says_how_long_it_is() -> None:
    assert history((0.5, 1)).whole is None
    begun = [
        replace(e, progress=p)
        for e, p in zip(history((0, 1), (0, 1)).epochs, (0.1, 0.2), strict=True)
    ]
    assert History(tuple(begun)).whole == 10


def test_it_is_over_after_its_epochs() -> None:
    assert not History().is_over(1, None, None)
    assert not history((0.5, 1)).is_over(2, None, None)
    assert history((0.5, 1), (0.4, 1)).is_over(2, None, None)


@pytest.mark.parametrize(("patience", "over"), [(2, True), (3, False), (None, False)])
def test_it_is_over_when_patience_is(patience: int | None, over: bool) -> None:
    assert history((0.8, 1), (0.9, 1), (0.8, 1), (0.9, 1)).is_over(10, patience, None) is over


@pytest.mark.parametrize(("minutes", "over"), [(0.5, False), (0.49, True), (0.01, True)])
def test_it_is_over_when_another_epoch_would_not_fit(minutes: float, over: bool) -> None:
    assert history((0.8, 1), (0.9, 1)).is_over(10, None, minutes) is over
    assert not History().is_over(10, None, minutes)


def test_columns_come_back() -> None:
    before = history((0.8, 1), (0.9, 2))
    assert History.from_columns(before.columns()) == before
    assert History.from_columns(History().columns()) == History()
    assert before.for_card()["val_accuracy"] == [0.8, 0.9]


def timed(seconds: list[float], progress: float) -> History:
    return History(
        tuple(
            Epoch(
                loss=1,
                accuracy=0.5,
                held_back_accuracy=0.5,
                held_back_loss=1,
                seconds=s,
                progress=progress,
            )
            for s in seconds
        )
    )


def test_the_epochs_left_are_those_that_fit() -> None:
    assert History().left(8, None, None) == 8
    assert History().left(None, 1, 7.0) == 8
    assert History().left(5, 1, 7.0) == 5
    assert History().left(None, 1, 100.0) == 1  # one is run in any case
    assert timed([10, 20], 0.3).left(None, 1.5, None) == 4
    assert timed([10, 20], 0.3).left(3, 1.5, None) == 1


@given(
    st.floats(0.5, 60), st.lists(st.floats(0.3, 3), min_size=200, max_size=200), st.floats(0.3, 3)
)
def test_the_cycle_only_goes_on_and_ends_with_the_time(
    minutes: float, seconds: list[float], guess: float
) -> None:
    """Whatever the speed does: it is over within the time, by no more than the last epoch."""
    done = History()
    for each in (s * 10 for s in seconds):
        if done.is_over(None, None, minutes):
            break
        end = done.reach(done.left(None, minutes, guess * 10))
        assert done.progress < end <= 1
        done = done.plus(timed([each], end).epochs[0])
    last = done.epochs[-1].seconds
    assert len(done) in (1, 200) or done.seconds - last <= 60 * minutes


def test_at_one_speed_each_epoch_covers_the_same_and_the_last_ends_it() -> None:
    done = History()
    while not done.is_over(None, None, 1.05):
        end = done.reach(done.left(None, 1.05, 10.0))
        done = done.plus(timed([10.0], end).epochs[0])
    assert [epoch.progress for epoch in done.epochs] == pytest.approx(np.arange(1, 7) / 6)
    assert done.progress == 1
