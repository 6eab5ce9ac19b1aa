"""How odd a picture is, in parts of the known ones."""

import numpy as np
import pytest
from safetensors.numpy import save
from scipy.stats import kstest
from sklearn.covariance import ledoit_wolf

from pixelmine.classify.ood import Neighbourhood, Oddness, energy, learn_oddness
from pixelmine.core.errors import ModelError
from tests.classify.drawn import drawn


def folds(count: int) -> np.ndarray:
    return np.arange(count) % 5


@pytest.mark.parametrize("task", ["single", "multi"])
@pytest.mark.parametrize("count", [150, 2000])
def test_known_pictures_are_odd_evenly(task: str, count: int) -> None:
    worst = []
    for seed in range(8):
        data = drawn(count + 2000, seed, many=task == "multi")
        # more directions than a few pictures fill: measured on itself it would look near
        noise = np.random.default_rng(seed).normal(0, 1, (count + 2000, 60)).astype(np.float32)
        embedding = np.concatenate([data.embedding, noise], axis=1)
        seen = (data.logits[:count], embedding[:count], data.y[:count])
        oddness = learn_oddness(*seen, folds(count), task)
        worst.append(kstest(oddness(data.logits[count:], embedding[count:], task), "uniform")[0])
    assert np.mean(worst) < 1.2 / np.sqrt(count) + 0.03


def test_what_lies_elsewhere_is_odder_than_all() -> None:
    data = drawn(1000, 1)
    oddness = learn_oddness(data.logits, data.embedding, data.y, folds(1000), "single")
    far = np.zeros((5, 6), np.float32)
    far[:, 5] = 50
    assert (oddness(np.zeros((5, 4), np.float32), far, "single") == 1).all()
    sure = data.logits.max(axis=1).argmax()
    one = slice(sure, sure + 1)
    assert oddness(data.logits[one], data.embedding[one], "single")[0] < 0.6


def test_both_signs_count() -> None:
    data = drawn(1000, 1)
    oddness = learn_oddness(data.logits, data.embedding, data.y, folds(1000), "single")
    one = slice(0, 1)
    start = oddness(data.logits[one], data.embedding[one], "single")[0]
    assert oddness(data.logits[one] - 50, data.embedding[one], "single")[0] == 1 > start
    away = np.zeros((1, 6), np.float32)
    away[0, 5] = 1
    assert oddness(data.logits[one], away, "single")[0] > start


@pytest.mark.parametrize("dimensions", [6, 300])
def test_the_distance_is_the_one_of_mahalanobis(dimensions: int) -> None:
    random = np.random.default_rng(1)
    x = random.normal(0, random.uniform(0.5, 2, dimensions), (900, dimensions))
    y = random.integers(0, 3, 900)
    x[np.arange(900), y] += 4
    near = Neighbourhood.of(x.astype(np.float32), y, 3, "single")
    axes, rest = near.axes.astype(float), float(near.rest[0])
    inverse = axes @ np.diag(near.precision) @ axes.T
    inverse += rest * (np.eye(dimensions) - axes @ axes.T)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    away = unit[:20, None] - near.means[None].astype(float)
    expected = np.einsum("nkd,de,nke->nk", away, inverse, away).min(axis=1)
    np.testing.assert_allclose(near.distances(x[:20]), expected, rtol=1e-3)
    own = unit - near.means[y]
    whitened = own @ np.linalg.cholesky(inverse)
    assert np.cov(whitened.T).trace() / dimensions == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(("count", "dimensions"), [(900, 40), (60, 200), (400, 400), (300, 320)])
def test_the_covariance_is_drawn_to_a_sphere_as_by_scikit_learn(
    count: int, dimensions: int
) -> None:
    random = np.random.default_rng(2)
    x = random.normal(0, random.uniform(0.1, 2, dimensions), (count, dimensions))
    near = Neighbourhood.of(x.astype(np.float32), np.zeros(count, int), 1, "multi")
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    wanted = np.linalg.eigvalsh(ledoit_wolf(unit - unit.mean(axis=0), assume_centered=True)[0])
    found = 1 / near.precision
    many = len(found)
    assert many == min(count - (count <= dimensions), dimensions, 256)
    np.testing.assert_allclose(found, wanted[::-1][:many], rtol=1e-4)
    if many < dimensions:
        assert 1 / near.rest[0] == pytest.approx(wanted[::-1][many:].mean(), rel=1e-4)
    np.testing.assert_allclose(near.axes.T @ near.axes, np.eye(many), atol=1e-4)


def test_pictures_that_are_all_alike_are_near_to_themselves() -> None:
    same = np.ones((30, 50), np.float32)
    near = Neighbourhood.of(same, np.zeros(30, int), 1, "single")
    other = same[:1] * np.linspace(0, 1, 50, dtype=np.float32)
    assert near.distances(other)[0] > 1e6 > near.distances(same).max()


def test_the_energy_is_the_textbook_s() -> None:
    logits = np.array([[1.0, 2.0], [1000.0, 0.0]])
    assert energy(logits, "single") == pytest.approx([-2.3132617, -1000])
    assert energy(logits, "multi") == pytest.approx([-1.3132617 - 2.1269280, -1000.6931472])


def test_a_file_gives_the_same_oddness_back() -> None:
    data = drawn(300, 1)
    oddness = learn_oddness(data.logits, data.embedding, data.y, folds(300), "single")
    again = Oddness.from_bytes(oddness.to_bytes(), 6)
    found = [one(data.logits, data.embedding, "single") for one in (oddness, again)]
    np.testing.assert_array_equal(*found)
    assert found[0].dtype == np.float32


def test_of_very_many_pictures_some_stand_for_all() -> None:
    data = drawn(12_000, 1)
    oddness = learn_oddness(data.logits, data.embedding, data.y, folds(12_000), "single")
    assert len(oddness.known) == 10_000
    new = drawn(4000, 2)
    assert kstest(oddness(new.logits, new.embedding, "single"), "uniform")[0] < 0.04


def test_a_file_that_does_not_fit_is_refused() -> None:
    data = drawn(300, 1)
    oddness = learn_oddness(data.logits, data.embedding, data.y, folds(300), "single")
    good = {f"near.{name}": value for name, value in vars(oddness.near).items()}
    good |= {name: getattr(oddness, name) for name in ("middle", "spread", "known")}
    bad = [
        save({**good, "middle": oddness.middle[:1]}),
        save({**good, "known": oddness.known * np.nan}),
        save({name: value for name, value in good.items() if name != "near.axes"}),
        b"no safetensors",
    ]
    for data in (*bad, save(good)):
        with pytest.raises(ModelError, match=r"knowing\.safetensors"):
            Oddness.from_bytes(data, 5 if data == save(good) else 6)
