"""The plot of the map."""

from base64 import b64decode

import numpy as np

from pixelmine.mine.map_plot import _LINE, _apart, map_plot


def test_the_plot_has_each_name_and_follows_the_page() -> None:
    rng = np.random.default_rng(0)
    cluster = rng.integers(-1, 3, 300)
    x, y = rng.random(300), rng.random(300)
    names = {0: "Dress", 1: "Shoes & hats", 2: "a name that is too long to be written on it"}
    source = map_plot(x, y, cluster, names)
    assert source == map_plot(x, y, cluster, names)
    svg = b64decode(source.partition(",")[2]).decode()
    assert "Dress" in svg
    assert "Shoes &amp; hats" in svg
    assert "a name that is too long t…" in svg
    assert "var(--ink)" in svg
    assert len(svg) < 300_000


def test_names_do_not_lie_on_each_other() -> None:
    placed = _apart([(0.5, 0.5)] * 8, ["name"] * 8)
    heights = sorted(y for _, y in placed)
    assert min(np.diff(heights)) >= _LINE * 0.999
    assert placed[0] == (0.5, 0.5)


def test_many_points_are_drawn_as_a_sample() -> None:
    rng = np.random.default_rng(0)
    many = 60_000
    source = map_plot(rng.random(many), rng.random(many), np.zeros(many, int), {0: "all"})
    assert len(source) < 1_500_000


def test_names_in_any_script_are_text_that_the_reader_has_a_font_for():
    source = map_plot(np.array([0.2, 0.7]), np.array([0.5, 0.5]), np.array([0, 0]), {0: "多为白色"})
    assert "多为白色" in b64decode(source.partition(",")[2]).decode()
