"""Clusters, their groups and parts, and what belongs to none."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from pixelmine.core.errors import UsageError
from pixelmine.mine import clusters as module_of_clusters
from pixelmine.mine import landmarks
from pixelmine.mine.clusters import ClusterOptions, Clusters, _closest, _join, find_clusters
from pixelmine.mine.spectral import spectral


def curved(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two half rings in 40 dimensions that no centre tells apart, and noise; and which is which."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi, 300)
    one = np.stack([np.cos(angle), np.sin(angle)], 1)
    two = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    flat = np.concatenate([one, two]) + 0.06 * rng.standard_normal((600, 2))
    deep = np.concatenate([flat, np.ones((600, 1))], axis=1) @ rng.standard_normal((3, 40))
    return unit(deep + 0.05 * rng.standard_normal((600, 40))), np.repeat([0, 1], 300)


def clouds(count: int, each: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.standard_normal((count, 30)), each, axis=0)
    return unit(centres + 0.4 * rng.standard_normal((count * each, 30)))


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_shapes_that_bend_are_told_apart() -> None:
    vectors, truth = curved()
    found = find_clusters(vectors, ClusterOptions(min_size=20, dimensions=4))
    pure = [np.bincount(truth[found.members(node)], minlength=2).max() / node.pictures
            for node in found.nodes if node.level == 2]  # fmt: skip
    assert min(pure) > 0.9


def test_clouds_are_clusters_in_groups_and_nothing_contradicts_itself() -> None:
    vectors = clouds(12, 60)
    found = find_clusters(vectors, ClusterOptions(min_size=20))
    check(found, len(vectors))
    truth = np.repeat(np.arange(12), 60)
    assert adjusted_mutual_info_score(truth, found.nearest) > 0.95
    assert any(node.level == 1 for node in found.nodes)


def check(found: Clusters, count: int) -> None:
    of = {1: found.group, 2: found.cluster, 3: found.part}
    assert [node.node for node in found.nodes] == list(range(len(found.nodes)))
    for node in found.nodes:
        members = found.members(node)
        assert len(members) == node.pictures > 0
        if node.parent is not None:
            parent = found.nodes[node.parent]
            assert parent.level == node.level - 1
            assert (of[parent.level][members] == parent.node).all()
    for level, label in of.items():
        assert {found.nodes[n].level for n in np.unique(label[label >= 0])} <= {level}
        sizes = [node.pictures for node in found.nodes if node.level == level]
        assert sizes == sorted(sizes, reverse=True)
    inside = found.cluster >= 0
    assert (found.nearest[inside] == found.cluster[inside]).all()
    assert (found.nearest >= 0).all()
    assert found.probability.shape == (count,)
    assert found.probability.min() >= 0
    assert found.probability.max() <= 1


def test_an_odd_one_joins_where_most_of_its_neighbours_are() -> None:
    cluster = np.array([0, 0, 0, 1, 1, -1, -1, -1])
    places = np.array([[1, 2, 3]] * 5 + [[0, 1, 3], [0, 3, -1], [5, 6, 0]])
    found = _join(cluster, places)
    assert found.tolist() == [0, 0, 0, 1, 1, 0, -1, 0], "the last one in the second round"
    best, share = _closest(found, places, np.eye(8, dtype=np.float32))
    assert best[6] in (0, 1)
    assert share[5] == pytest.approx(2 / 3)


def test_the_same_again_gives_the_same() -> None:
    vectors = clouds(6, 50)
    one, two = find_clusters(vectors), find_clusters(vectors)
    assert (one.cluster == two.cluster).all()
    assert (one.space == two.space).all()


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_too_few_to_divide(count: int) -> None:
    found = find_clusters(clouds(1, count))
    assert found.nodes == ()
    assert (found.cluster == -1).all()
    assert (found.nearest == -1).all()


@pytest.mark.parametrize("count", [10, 12, 40])
def test_few_or_equal_pictures_are_no_error(count: int) -> None:
    find_clusters(clouds(1, count))
    find_clusters(np.repeat(clouds(1, 1), count, axis=0))
    find_clusters(np.concatenate([np.repeat(clouds(1, 1), count, axis=0), clouds(1, 20, 3)]))


def test_coordinates_have_length_one_and_keep_parts_apart() -> None:
    from pixelmine.index import nearest

    vectors = clouds(3, 40)
    found = spectral(*nearest(vectors, 12), 2)
    assert found.shape == (120, 3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(120), abs=1e-5)
    alike = found @ found.T
    assert alike[:40, :40].min() > alike[:40, 40:].max()


def test_options_are_checked() -> None:
    with pytest.raises(UsageError, match="at least 2 pictures"):
        ClusterOptions(min_size=1)
    with pytest.raises(UsageError, match="dense"):
        ClusterOptions(dense=16)
    assert ClusterOptions().least(5_755) == 38
    assert ClusterOptions().least(1_000_000) == 3_536
    assert ClusterOptions(min_size=7).least(1_000_000) == 7


def test_near_copies_do_not_hide_what_there_is_besides_them() -> None:
    rng = np.random.default_rng(2)
    copies = np.repeat(clouds(5, 30), 20, axis=0)
    vectors = unit(copies + 0.004 * rng.standard_normal(copies.shape))
    found = find_clusters(vectors)
    check(found, 3_000)
    assert found.min_size > 20, "twenty copies are no cluster"
    truth = np.repeat(np.arange(5), 600)
    assert adjusted_mutual_info_score(truth, found.nearest) > 0.9


def test_few_pieces_that_are_apart_take_no_part() -> None:
    rng = np.random.default_rng(2)
    films = np.repeat(unit(rng.standard_normal((3, 30))), 25, axis=0)
    films = unit(films + 0.001 * rng.standard_normal(films.shape))
    found = find_clusters(np.concatenate([clouds(4, 300), films]), ClusterOptions(min_size=60))
    check(found, 1_275)
    truth = np.repeat(np.arange(4), 300)
    assert adjusted_mutual_info_score(truth, found.nearest[:1_200]) > 0.9


def test_of_many_a_sample_is_divided_and_the_others_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (landmarks, module_of_clusters):
        monkeypatch.setattr(module, "MOST", 400)
    vectors = clouds(6, 300)
    found = find_clusters(vectors)
    check(found, 1_800)
    truth = np.repeat(np.arange(6), 300)
    assert adjusted_mutual_info_score(truth, found.nearest) > 0.95
    assert (found.cluster >= 0).mean() > 0.9
    assert np.linalg.norm(found.space, axis=1) == pytest.approx(np.ones(1_800), abs=1e-4)
    assert (found.cluster == find_clusters(vectors).cluster).all()


def test_all_in_small_pieces_is_no_division() -> None:
    rng = np.random.default_rng(0)
    far = np.repeat(unit(rng.standard_normal((10, 300))), 130, axis=0)
    vectors = unit(far + 0.02 * rng.standard_normal(far.shape))
    found = find_clusters(vectors, ClusterOptions(min_size=200))
    assert found.nodes == ()
    assert (found.cluster == -1).all()
