import pytest

from pixelmine.train.history import Epoch, History


def history(*held: tuple[float, float], seconds: float = 10.0) -> History:
    epochs = (
        Epoch(loss=1, accuracy=0.5, held_back_accuracy=a, held_back_loss=b, seconds=seconds)
        for a, b in held
    )
    return History(tuple(epochs))


def test_the_best_epoch_is_the_most_accurate_then_of_lower_loss_then_the_first() -> None:
    assert history((0.8, 0.1), (0.9, 0.3), (0.9, 0.2), (0.9, 0.2), (0.7, 0.1)).best == 2


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
