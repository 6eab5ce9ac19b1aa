import pytest
from scipy.stats import binomtest

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import Rate, wilson


@pytest.mark.parametrize(
    ("hits", "pictures", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_the_published_one(hits, pictures, low, high):
    assert wilson(hits, pictures) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("pictures", [1, 2, 7, 100, 10_000])
def test_wilson_is_scipys(pictures):
    for hits in {0, 1, pictures // 2, pictures}:
        expected = binomtest(hits, pictures).proportion_ci(method="wilson")
        assert wilson(hits, pictures) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_interval_holds_the_value_and_stays_within_0_and_1():
    for hits in range(51):
        rate = Rate(hits=hits, pictures=50)
        assert 0 <= rate.low <= rate.value <= rate.high <= 1


@pytest.mark.parametrize(("hits", "pictures"), [(0, 0), (-1, 5), (6, 5)])
def test_an_impossible_rate_is_refused(hits, pictures):
    with pytest.raises(UsageError, match="at least one picture"):
        Rate(hits=hits, pictures=pictures)
