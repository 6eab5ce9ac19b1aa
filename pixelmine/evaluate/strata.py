"""Give every part its share of every label, and move as few units as that takes.

U units in K parts; L labels; P pairs of a row and one of its labels.
"""

import numpy as np

__all__ = ["apportion", "spread"]


def spread(
    unit: np.ndarray, label: np.ndarray, wished: np.ndarray, rank: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """The part of each unit, int64 (U,).

    `unit`, `label`: int64 (P,), the unit of a row, and a label that the row has. `wished`: int64
    (U,), where a unit goes unless that part has its share of the unit's labels. `rank`: (U,), who
    comes first among units of one size; larger ones come before. `shares`: float64 (K,), of the
    parts. A unit that must move goes where it exceeds the shares least.
    """
    order = np.argsort(unit, kind="stable")
    inside, start = np.unique(unit[order], return_index=True)
    labels = np.split(label[order], start[1:])
    counts = np.diff(start, append=len(order))
    room = apportion(np.bincount(label), shares)
    place = wished.astype(np.int64)
    several = np.flatnonzero(counts > 1)
    for at in several[np.lexsort((rank[inside[several]], -counts[several]))]:
        held, copies = np.unique(labels[at], return_counts=True)
        part = _fit(room[:, held], copies, place[inside[at]])
        place[inside[at]] = part
        room[part, held] -= copies
    single = counts == 1
    _spread_singles(inside[single], label[order[start[single]]], place, rank, room)
    return place


def apportion(totals: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """How many of each label go to each part: int64 (K, L); `totals` (L,), `shares` (K,).

    Each is its exact share rounded up or down, by turns, so that the parts are met over all labels
    too. A first part of half or more has one at least of each label: training then knows them all.
    """
    exact = shares[:, None] * totals
    given = np.floor(exact + 1e-9).astype(np.int64)
    if shares[0] >= 0.5:
        given[0] = np.maximum(given[0], np.minimum(totals, 1))
    owed = np.zeros(len(shares))
    for label in range(len(totals)):
        missing = int(totals[label] - given[:, label].sum())
        owed += exact[:, label] - given[:, label]
        first = np.argsort(-owed, kind="stable")[:missing]
        given[first, label] += 1
        owed[first] -= 1
    return np.asarray(given)


def _fit(room: np.ndarray, copies: np.ndarray, wished: int) -> int:
    """The part that a unit of `copies` (l,) rows of its labels fits into best; `room`: (K, l)."""
    beyond = np.maximum(copies - np.maximum(room, 0), 0).sum(axis=1)
    if beyond[wished] == beyond.min():
        return int(wished)
    return int(np.lexsort((-room.sum(axis=1), beyond))[0])


def _spread_singles(
    units: np.ndarray, label: np.ndarray, place: np.ndarray, rank: np.ndarray, room: np.ndarray
) -> None:
    """Units of one row with one label: all of a label at once. Changes `place`."""
    order = np.lexsort((rank[units], label))
    units, label = units[order], label[order]
    ends = np.searchsorted(label, np.arange(room.shape[1] + 1))
    for one in range(room.shape[1]):
        here = units[ends[one] : ends[one + 1]]
        left = np.maximum(room[:, one], 0)
        wishing = [here[place[here] == part] for part in range(len(left))]
        moved = np.concatenate([some[most:] for some, most in zip(wishing, left, strict=True)])
        moved = moved[np.argsort(rank[moved])]
        left -= [min(len(some), most) for some, most in zip(wishing, left, strict=True)]
        place[moved] = _by_turns(left)[: len(moved)]


def _by_turns(counts: np.ndarray) -> np.ndarray:
    """Each part as often as its count says, evenly mixed."""
    part = np.repeat(np.arange(len(counts)), counts)
    turn = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    return np.asarray(part[np.argsort(turn, kind="stable")])
