"""Mixup and CutMix, on batches whose pixels say which picture they come from."""

import numpy as np
import pytest

from pixelmine.preprocess.augment import CutMix, Mixup

COUNT, SIDE = 40, 16


def batch_and_labels(count=COUNT, height=SIDE, width=SIDE):
    """Picture i is level 6 i all over, and of class i."""
    levels = 6 * np.arange(count, dtype=np.uint8)
    batch = np.broadcast_to(levels[:, None, None, None], (count, height, width, 3)).copy()
    return batch, np.eye(count, dtype=np.float32)


@pytest.mark.parametrize("step", [Mixup(alpha=1.0), CutMix(), Mixup(alpha=0.2), CutMix(alpha=9)])
def test_the_labels_say_what_share_of_the_pixels_is_whose(step):
    batch, labels = batch_and_labels()
    found, mixed = step(batch, labels, np.random.default_rng(3))
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-6)
    assert ((mixed > 0).sum(axis=1) <= 2).all()
    means = found.reshape(COUNT, -1).mean(axis=1)
    within = 0.51 if isinstance(step, Mixup) else 1e-3  # Mixup rounds its levels
    np.testing.assert_allclose(means, mixed @ (6.0 * np.arange(COUNT)), atol=within)
    assert (np.diag(mixed) < 1).mean() > 0.5


def test_mixup_lays_one_picture_over_another():
    batch, labels = batch_and_labels()
    noise = np.random.default_rng(0).integers(0, 256, batch.shape).astype(np.uint8)
    found, mixed = Mixup(alpha=1.0)(noise, labels, np.random.default_rng(3))
    expected = np.einsum("ij,jhwc->ihwc", mixed.astype(float), noise)
    assert np.abs(found - expected).max() <= 0.51


def test_cutmix_paints_one_box():
    batch, labels = batch_and_labels()
    found, mixed = CutMix()(batch, labels, np.random.default_rng(3))
    for index in range(COUNT):
        other = found[index, ..., 0] != batch[index, ..., 0]
        rows, columns = other.any(axis=1), other.any(axis=0)
        np.testing.assert_array_equal(other, rows[:, None] & columns)
        if other.any():
            (partner,) = np.unique(found[index, other])
            assert mixed[index, partner // 6] == pytest.approx(other.mean())


def test_a_box_has_the_proportions_of_the_picture():
    batch, labels = batch_and_labels(height=16, width=64)
    found = [CutMix(alpha=5)(batch, labels, np.random.default_rng(seed))[0] for seed in range(9)]
    other = np.concatenate([pictures[..., 0] != batch[..., 0] for pictures in found])
    edges = other[:, [0, -1]].any(axis=(1, 2)) | other[:, :, [0, -1]].any(axis=(1, 2))
    whole = other[~edges & other.any(axis=(1, 2))]  # others may have been cut off
    rows, columns = whole.any(axis=2).sum(axis=1), whole.any(axis=1).sum(axis=1)
    assert len(whole) > 20
    assert np.abs(columns - 4 * rows).max() <= 4  # both sides are rounded


@pytest.mark.parametrize("kind", [Mixup, CutMix])
def test_about_as_many_are_mixed_as_asked(kind):
    batch, labels = batch_and_labels()
    found, mixed = kind(probability=0)(batch, labels, np.random.default_rng(1))
    np.testing.assert_array_equal(found, batch)
    np.testing.assert_array_equal(mixed, labels)
    counts = [
        (np.diag(kind(alpha=5, probability=0.3)(batch, labels, np.random.default_rng(i))[1]) < 1)
        for i in range(30)
    ]
    assert 0.23 < np.mean(counts) < 0.33  # a picture's partner may be itself


@pytest.mark.parametrize(("alpha", "spread"), [(0.2, 0.42), (1.0, 0.289), (8.0, 0.121)])
def test_shares_are_of_the_beta_distribution(alpha, spread):
    batch, labels = batch_and_labels()
    shares = []
    for seed in range(60):
        _, mixed = Mixup(alpha=alpha)(batch, labels, np.random.default_rng(seed))
        partner = (mixed * (1 - labels)).max(axis=1)
        shares += partner[partner > 0].tolist()
    assert np.std(shares) == pytest.approx(spread, rel=0.1)


def test_soft_labels_may_be_mixed_again():
    batch, labels = batch_and_labels()
    rng = np.random.default_rng(1)
    _, mixed = CutMix()(*Mixup(alpha=1.0)(batch, labels, rng), rng)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-6)
    assert (mixed > 0).sum(axis=1).max() > 2
