import pytest

from pixelmine.evaluate.percent import points
from pixelmine.evaluate.quantity import duration, p_value, size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0000853, "85.3 µs"),
        (0.000999, "999 µs"),
        (0.0009999, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (1.234, "1.23 s"),
        (99.99, "1 min 40 s"),
        (250, "4 min 10 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_times(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (17, "17 B"),
        (913_000, "913 kB"),
        (999_900, "1.00 MB"),
        (18.6e6, "18.6 MB"),
        (2e9, "2.00 GB"),
    ],
)
def test_sizes(count, said):
    assert size(count) == said


def test_p_values():
    assert [p_value(p) for p in (0.0004, 0.0123, 1.0)] == ["<0.001", "0.012", "1"]


def test_points_have_no_negative_zero():
    assert [points(d) for d in (0.0123, -0.0123, -0.0001)] == ["1.2", "-1.2", "0.0"]
