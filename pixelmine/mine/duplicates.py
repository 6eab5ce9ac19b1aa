"""Which pairs of pictures may be copies: by their hashes, and by their embeddings.

Candidates only: `mine.pairs` looks at the pictures and judges.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.features.pdq_turned import TURNS, Turn, turned_hashes
from pixelmine.index import distinct, near_pair_blocks, nearest
from pixelmine.index.hamming import PDQ_RADIUS

__all__ = ["Candidates", "DuplicateOptions", "alike_candidates", "hash_candidates"]

QUALITY = 50
"""Of PDQ, 0 to 100: below it the hash says little (Meta)."""
SURE = 10
"""Bits: two pictures of few pixels must be so near, see `evaluate.near`."""
_CROWD = 12
"""Pictures of one hash that are paired with each other; of more each with the first alone."""
Join = Callable[..., Iterator[tuple[np.ndarray, np.ndarray]]]
MANY_TURNS = 300_000
"""Pictures up to which turned copies are looked for unless told: it takes 13 times the join."""


@dataclass(frozen=True, kw_only=True)
class DuplicateOptions:
    """What is looked for.

    `radius`: of 256 bits (Meta's 31). `edited`: also crops, borders, text, screenshots, by
    embedding and then by what is seen: the pictures that may be are decoded once more. `turned`:
    also mirrored and turned ones; None is up to 300,000 pictures. `scene`: cosine of embeddings
    from which two different pictures are of a similar scene; None looks for none. `alike`: cosine
    from which two may be edited copies; of 1,000 planted ones .975 of 30 % crops and .999 of the
    others have more than .6 (clothing, 2026-11). `neighbours`: how many nearest of each are looked
    at.
    """

    radius: int = PDQ_RADIUS
    edited: bool = True
    turned: bool | None = None
    scene: float | None = 0.9
    alike: float = 0.6
    neighbours: int = 6

    def __post_init__(self) -> None:
        if not 0 <= self.radius <= 64:
            raise UsageError(f"radius must be 0 to 64 bits. Got {self.radius} instead.")
        for name, value in (("scene", self.scene), ("alike", self.alike)):
            if value is not None and not 0 < value <= 1:
                raise UsageError(f"{name} must be above 0 and at most 1. Got {value} instead.")
        if not 1 <= self.neighbours <= 100:
            raise UsageError(f"neighbours must be 1 to 100. Got {self.neighbours} instead.")

    def turns(self, pictures: int) -> tuple[Turn, ...]:
        """What a picture may have been turned by, of so many pictures."""
        wanted = self.turned if self.turned is not None else pictures <= MANY_TURNS
        return TURNS if wanted else TURNS[:1]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Pairs to look at.

    `pairs`: int64 (P, 2), the smaller place first. `bits`: int64 (P,). `turn`: int64 (P,), the
    place in TURNS of how the first must be turned to be like the second.
    """

    pairs: np.ndarray
    bits: np.ndarray
    turn: np.ndarray


def hash_candidates(
    hashes: np.ndarray,
    small: np.ndarray,
    new: np.ndarray,
    radius: int,
    turns: tuple[Turn, ...] = TURNS[:1],
    join: Join = near_pair_blocks,
) -> Candidates:
    """Pairs of uint8 (N, 32) hashes at most `radius` bits apart, each once, by its nearest turn.

    `small`: bool (N,), pictures of few pixels: two of them must be within 10 bits. `new`: bool
    (N,); pairs of two others are left out, they are known. `join`: what finds near pairs, called
    as `near_pair_blocks` is.
    """
    found = [np.empty((0, 4), np.int64)]
    kinds, place = distinct(hashes)
    members = _members(place, len(kinds))
    fresh = np.zeros(len(kinds), bool)
    fresh[place[new]] = True
    for number, turn in enumerate(turns):
        for a, b, bits in _kinds_near(kinds, fresh, radius, turn, join):
            for i, j, far in zip(a.tolist(), b.tolist(), bits.tolist(), strict=True):
                if i != j or number == 0:
                    found.append(_between(members[i], members[j], far, number, i == j))
        if number == 0:
            found += [
                _between(inside, inside, 0, 0, True)
                for kind, inside in enumerate(members)
                if len(inside) > 1 and fresh[kind]
            ]
    rows = np.concatenate(found)
    keep = (new[rows[:, 0]] | new[rows[:, 1]]) & (
        ~(small[rows[:, 0]] & small[rows[:, 1]]) | (rows[:, 2] <= SURE)
    )
    rows = rows[keep]
    rows = rows[np.lexsort((rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0]))]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    rows = rows[first]
    return Candidates(pairs=rows[:, :2], bits=rows[:, 2], turn=rows[:, 3])


def alike_candidates(
    vectors: np.ndarray, new: np.ndarray, neighbours: int, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of float32 (N, D) vectors of length 1, one of them `new`, bool (N,), and their cosines.

    Each new one with its nearest, from a cosine of `least`. int64 (P, 2), float32 (P,).
    """
    asked = np.flatnonzero(new)
    found = nearest(vectors, neighbours, queries=asked)
    rows = np.repeat(asked, found.places.shape[1])
    others, cosines = found.places.ravel(), found.cosines.ravel()
    kept = (others >= 0) & (cosines >= least)
    pairs = np.sort(np.stack([rows[kept], others[kept]], axis=1), axis=1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    return pairs, cosines[kept][first]


def _kinds_near(
    kinds: np.ndarray, fresh: np.ndarray, radius: int, turn: Turn, join: Join
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Near pairs of different hashes, one of them fresh; the first is the one that is turned."""
    some = np.flatnonzero(fresh)
    if turn == TURNS[0]:
        old = np.flatnonzero(~fresh)
        for pairs, bits in join(kinds[some], radius):
            yield some[pairs[:, 0]], some[pairs[:, 1]], bits
        for pairs, bits in join(kinds[some], radius, others=kinds[old]):
            yield some[pairs[:, 0]], old[pairs[:, 1]], bits
        return
    turned = turned_hashes(kinds[some], turn)
    for pairs, bits in join(turned, radius, others=kinds):
        yield some[pairs[:, 0]], pairs[:, 1], bits


def _members(place: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(place, kind="stable")
    return np.split(order, np.cumsum(np.bincount(place, minlength=count))[:-1])


def _between(a: np.ndarray, b: np.ndarray, bits: int, turn: int, same: bool) -> np.ndarray:
    """int64 (P, 4): each of `a` with each of `b`, in order; of a crowd the first stands for all."""
    if same:
        if len(a) > _CROWD:
            rows = np.stack([np.full(len(a) - 1, a[0]), a[1:]], axis=1)
        else:
            i, j = np.triu_indices(len(a), 1)
            rows = np.stack([a[i], a[j]], axis=1)
    else:
        if len(a) * len(b) > _CROWD * _CROWD:
            a, b = (a[:1], b) if len(a) <= len(b) else (a, b[:1])
        rows = np.stack([np.repeat(a, len(b)), np.tile(b, len(a))], axis=1)
    turned_over = rows[:, 0] > rows[:, 1]
    numbers = np.where(turned_over, TURNS.index(TURNS[turn].back), turn)
    return np.stack([*np.sort(rows, axis=1).T, np.full(len(rows), bits), numbers], axis=1)
