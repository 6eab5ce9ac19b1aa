"""The density hierarchy, against scikit-learn's HDBSCAN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from pixelmine.index import nearest
from pixelmine.mine.density import chosen, hierarchy, leaves, spanning_tree


def clouds(seed: int, sizes: list[int], spread: float = 0.12, odd: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((len(sizes), 8))
    found = [c + spread * rng.standard_normal((n, 8)) for c, n in zip(centres, sizes, strict=True)]
    found.append(rng.standard_normal((odd, 8)))
    whole = np.concatenate(found)
    return np.asarray(whole / np.linalg.norm(whole, axis=1, keepdims=True), np.float32)


def divided(vectors: np.ndarray, min_size: int, dense: int) -> np.ndarray:
    places, cosines = nearest(vectors, len(vectors) - 1)
    found = hierarchy(len(vectors), *spanning_tree(vectors, places, cosines, dense), min_size)
    return found.members(chosen(found))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.integers(5, 12), st.integers(2, 6))
def test_the_whole_graph_gives_what_scikit_learn_gives(seed: int, least: int, dense: int) -> None:
    vectors = clouds(seed, [30, 50, 20], spread=0.3, odd=15)
    want = HDBSCAN(min_cluster_size=least, min_samples=dense + 1, copy=True).fit_predict(
        vectors.astype(np.float64)
    )
    found = divided(vectors, least, dense)
    assert adjusted_rand_score(want, found) > 0.9, "equal distances can be taken either way"
    assert abs((want < 0).sum() - (found < 0).sum()) <= 4


def test_few_neighbours_find_the_same_clouds_and_join_their_parts() -> None:
    sizes = [60, 40, 30]
    vectors = clouds(3, sizes)
    places, cosines = nearest(vectors, 6)
    pairs, distances = spanning_tree(vectors, places, cosines, 3)
    assert len(pairs) == len(vectors) - 1, "a tree of all, though the clouds share no neighbours"
    found = hierarchy(len(vectors), pairs, distances, 10)
    truth = np.repeat(np.arange(3), sizes)
    label = found.members(chosen(found))
    kept = label >= 0
    assert kept.mean() > 0.9
    assert adjusted_rand_score(truth[kept], label[kept]) == 1


def test_clusters_lie_in_each_other() -> None:
    far = clouds(5, [40, 40], spread=0.02)
    near = far[:40] + np.float32(0.15) * far[40:]
    vectors = np.concatenate([far, near / np.linalg.norm(near, axis=1, keepdims=True)])
    places, cosines = nearest(vectors, 20)
    found = hierarchy(120, *spanning_tree(vectors, places, cosines, 4), 10)
    assert found.size[-1] == 120
    assert found.parent[-1] == -1
    assert (found.parent[:-1] > np.arange(len(found.parent) - 1)).all()
    for cluster, parent in enumerate(found.parent[:-1]):
        assert found.size[cluster] <= found.size[parent]
    inner = leaves(found)
    assert inner.sum() >= 3
    assert not chosen(found)[-1], "all in one is no division"
    assert set(found.members(np.ones(len(inner), bool))) == {len(inner) - 1}


def test_one_cloud_and_equal_vectors_make_no_division() -> None:
    same = np.repeat(clouds(0, [1]), 30, axis=0)
    places, cosines = nearest(same, 5)
    found = hierarchy(30, *spanning_tree(same, places, cosines, 3), 5)
    assert not chosen(found).any()
    assert (found.members(chosen(found)) == -1).all()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_fewer_than_a_cluster_is_none(count: int) -> None:
    pairs = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1).reshape(-1, 2)
    found = hierarchy(count, pairs, np.ones(count - 1), 5)
    assert len(found.parent) == 0
    assert (found.members(chosen(found)) == -1).all()
