"""Whether two samples come from one source: of shares, of numbers, of vectors.

Each test keeps its level whatever the data: shares by Fisher's exact test, numbers by Kolmogorov
and Smirnov's on bins (which only makes it more careful), vectors by a classifier on pictures that
it was not fitted to, and by permutations. Pictures that belong together are not independent: counts
are divided by their design effect (`mine.design_effect`), and permutations take whole units.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from pixelmine.evaluate.interval import Z_95, wilson

from .exact import enriched

__all__ = [
    "Separated",
    "Shift",
    "compare_histograms",
    "compare_shares",
    "kernel_test",
    "separate",
]

_FEATURES = 512
"""Random Fourier features: the error of the kernel is about 1 / sqrt(512), 4 %."""
_PAIRS = 2000
"""Pairs of pictures of which the median distance sets the width of the kernel."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """`effect` with its 95 % interval: after less before. `p_value`: two-sided."""

    before: float
    after: float
    effect: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Separated:
    """How well a classifier tells the samples apart on pictures that it was not fitted to.

    `auc`: .5 (not at all) to 1, with its 95 % interval. `p_value`: one-sided.
    """

    auc: float
    low: float
    high: float
    p_value: float


def compare_shares(
    before: int, of_before: int, after: int, of_after: int, design: float = 1.0
) -> Shift:
    """Two shares: Fisher's exact test, doubled; R. G. Newcombe's interval of the difference.

    Statistics in Medicine 17 (1998), 873-890, method 10. Both samples hold at least one. `design`:
    the design effect that the counts are divided by, 1 or more; the shares stay.
    """
    first, second = before / of_before, after / of_after
    before, of_before = _divided(before, of_before, design)
    after, of_after = _divided(after, of_after, design)
    low_first, high_first = _around(first, wilson(before, of_before))
    low_second, high_second = _around(second, wilson(after, of_after))
    more = _tail(after, of_after, before + after, of_before + of_after)
    less = _tail(before, of_before, before + after, of_before + of_after)
    effect = second - first
    return Shift(
        before=first,
        after=second,
        effect=effect,
        low=effect - sqrt((second - low_second) ** 2 + (high_first - first) ** 2),
        high=effect + sqrt((high_second - second) ** 2 + (first - low_first) ** 2),
        p_value=min(1.0, 2 * min(more, less)),
    )


def compare_histograms(
    before: np.ndarray, after: np.ndarray, design: float = 1.0
) -> tuple[float, float, float, float]:
    """Two int64 (B,) counts in the same bins, lowest first: p-value, effect and its 95 % interval.

    Kolmogorov and Smirnov's test on the bins. The effect is Cliff's delta, -1 to 1: how much more
    often a number of after is above one of before than below it (N. Cliff, Psychological Bulletin
    114 (1993), 494-509), its variance by DeLong's method. `design`: the design effect, 1 or more.
    """
    from scipy.stats import kstwobign

    many, few = float(before.sum()), float(after.sum())
    distance = float(np.abs(np.cumsum(before) / many - np.cumsum(after) / few).max())
    p_value = float(kstwobign.sf(sqrt(many * few / (many + few) / design) * distance))
    below = (np.cumsum(before) - before / 2) / many  # of each bin, how much of before is below it
    above = 1 - (np.cumsum(after) - after / 2) / few
    auc = float(below @ after) / few
    error = sqrt(design * (_variance(below, after) / few + _variance(above, before) / many))
    effect = 2 * auc - 1
    return (
        p_value,
        effect,
        max(-1.0, effect - 2 * Z_95 * error),
        min(1.0, effect + 2 * Z_95 * error),
    )


def separate(
    vectors: np.ndarray,
    after: np.ndarray,
    fold: np.ndarray,
    units: np.ndarray | None = None,
    permutations: int = 499,
    seed: int = 1,
) -> Separated:
    """A classifier two-sample test, cross-fitted; D. Lopez-Paz, M. Oquab, ICLR 2017.

    `vectors`: float32 (N, D), of about unit variance. `after`: bool (N,). `fold`: bool (N,): a
    logistic regression is fitted to each and tested on the other, where its scores are compared by
    Mann and Whitney's test; the p-value is twice the smaller of the two, which is right however
    they hang together. `units`: int64 (N,), equal for pictures that belong together and lie in one
    fold; where there are such, the test is by permutations of whole units instead.
    """
    from sklearn.linear_model import LogisticRegression

    block = _blocks(units, after)
    p_values, parts = [], []
    for tested in (fold, ~fold):
        fitted = ~tested
        if min(len(np.unique(after[fitted])), len(np.unique(after[tested]))) < 2:
            continue
        model = LogisticRegression(C=0.01, class_weight="balanced", max_iter=300)
        scores = model.fit(vectors[fitted], after[fitted]).decision_function(vectors[tested])
        auc, p_value = _ranked(scores, after[tested], block[tested], permutations, seed)
        p_values.append(p_value)
        parts.append((auc, _auc_error(scores, after[tested], block[tested])))
    if not parts:
        return Separated(auc=0.5, low=0.0, high=1.0, p_value=1.0)
    auc = float(np.mean([part[0] for part in parts]))
    error = sqrt(sum(part[1] ** 2 for part in parts)) / len(parts)
    return Separated(
        auc=auc,
        low=max(0.0, auc - Z_95 * error),
        high=min(1.0, auc + Z_95 * error),
        p_value=min(1.0, len(p_values) * min(p_values)),
    )


def kernel_test(
    vectors: np.ndarray,
    after: np.ndarray,
    permutations: int,
    seed: int,
    units: np.ndarray | None = None,
) -> tuple[float, float]:
    """Maximum mean discrepancy, squared, and its p-value by permutations.

    A. Gretton et al., Journal of Machine Learning Research 13 (2012), 723-773; the Gaussian kernel
    of the median distance by random Fourier features (A. Rahimi, B. Recht, NIPS 2007). `vectors`:
    float32 (N, D). `after`: bool (N,). `units`: int64 (N,), equal for pictures that belong together
    and change sides together; None where each is alone. The p-value is at least 1 / (permutations
    + 1).
    """
    rng = np.random.default_rng(seed)
    count, dimensions = vectors.shape
    pairs = rng.integers(0, count, (2, _PAIRS))
    apart = np.linalg.norm(vectors[pairs[0]] - vectors[pairs[1]], axis=1)
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    waves = (rng.normal(size=(dimensions, _FEATURES // 2)) / width).astype(np.float32)
    turned = vectors @ waves
    features = np.hstack([np.cos(turned), np.sin(turned)]) / np.float32(sqrt(_FEATURES / 2))
    features -= features.mean(axis=0)
    block = _blocks(units, after)
    new = _sides(block, after, permutations, rng)[:, block]
    many = new.sum(axis=1, keepdims=True)
    weights = np.where(new, 1 / many, -1 / (count - many)).astype(np.float32)
    apart_by = np.square(weights @ features).sum(axis=1)
    at_least = int((apart_by[1:] >= apart_by[0] * (1 - 1e-6)).sum())
    return float(apart_by[0]), (1 + at_least) / (1 + permutations)


def _blocks(units: np.ndarray | None, after: np.ndarray) -> np.ndarray:
    """int64 (N,), from 0: what changes sides together. A unit on both sides is two blocks.

    These resemble each other, which only makes the tests more careful.
    """
    if units is None:
        return np.arange(len(after))
    return np.unique(2 * units + after, return_inverse=True)[1].astype(np.int64)


def _sides(
    block: np.ndarray, after: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Bool (1 + permutations, B): whether each block is of after; first as it is."""
    side = np.zeros(int(block.max()) + 1, bool)
    side[block] = after
    return np.stack([side, *(rng.permutation(side) for _ in range(permutations))])


def _ranked(
    scores: np.ndarray, after: np.ndarray, block: np.ndarray, permutations: int, seed: int
) -> tuple[float, float]:
    """The AUC of scores, and the chance of it or more where nothing differs."""
    from scipy.stats import mannwhitneyu, rankdata

    codes, place = np.unique(block, return_inverse=True)
    if len(codes) == len(scores):
        new, old = scores[after], scores[~after]
        found = mannwhitneyu(new, old, alternative="greater", method="asymptotic")
        return float(found.statistic) / (len(new) * len(old)), float(found.pvalue)
    sides = _sides(place, after, permutations, np.random.default_rng(seed)).astype(np.float64)
    many = sides @ np.bincount(place)
    above = sides @ np.bincount(place, rankdata(scores)) - many * (many + 1) / 2
    auc = above / (many * (len(scores) - many))
    at_least = int((auc[1:] >= auc[0] - 1e-9).sum())
    return float(auc[0]), (1 + at_least) / (1 + permutations)


def _divided(some: int, of: int, design: float) -> tuple[int, int]:
    """Counts that say as much as these would if the pictures were independent; at least 1."""
    if design <= 1:
        return some, of
    whole = max(1, round(of / design))
    return min(whole, round(whole * some / of)), whole


def _around(share: float, interval: tuple[float, float]) -> tuple[float, float]:
    return min(share, interval[0]), max(share, interval[1])


def _tail(both: int, first: int, second: int, count: int) -> float:
    found = enriched(*(np.array([value]) for value in (both, first, second, count)))
    return float(found[0])


def _variance(values: np.ndarray, counts: np.ndarray) -> float:
    mean = float(values @ counts) / counts.sum()
    return float(np.square(values - mean) @ counts) / max(float(counts.sum()) - 1, 1.0)


def _auc_error(scores: np.ndarray, after: np.ndarray, block: np.ndarray) -> float:
    """Standard error by DeLong's method, of blocks by N. A. Obuchowski's.

    Biometrics 53 (1997), 567-578.
    """
    new, old = scores[after], scores[~after]
    ranks_new = np.searchsorted(np.sort(old), new) / len(old)
    ranks_old = np.searchsorted(np.sort(new), old) / len(new)
    both = ((ranks_new, block[after]), (ranks_old, block[~after]))
    return sqrt(sum(_mean_variance(ranks, blocks) for ranks, blocks in both))


def _mean_variance(values: np.ndarray, block: np.ndarray) -> float:
    """Of the mean, where values of one block are not independent."""
    place = np.unique(block, return_inverse=True)[1]
    return float(np.square(np.bincount(place, values - values.mean())).sum()) / len(values) ** 2
