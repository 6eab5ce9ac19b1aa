"""Which members show best what a cluster is: in its middle, unlike each other; and the odd ones."""

import numpy as np

__all__ = ["odd", "representatives"]

_MIDDLE = 0.5
"""Share of the members, those nearest to the mean, that representatives are taken from."""
_LOOKED_AT = 2_000
"""Members nearest to the mean that are looked at at most."""


def representatives(vectors: np.ndarray, members: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of `members`, the most typical first, int64.

    `vectors`: float32 (N, D) of length 1. The first is nearest to the members' mean; each next one
    is, of the half nearest to it, the one farthest from those taken (Gonzalez 1985), so that they
    show the width of the cluster without its rim.
    """
    if len(members) == 0:
        return members
    own = vectors[members]
    close = own @ own.mean(axis=0)
    half = min(max(count, round(_MIDDLE * len(members))), _LOOKED_AT)
    middle = np.argsort(-close, kind="stable")[:half]
    taken = [0]
    alike = own[middle] @ own[middle[0]]
    while len(taken) < min(count, len(middle)):
        alike[taken] = np.inf
        taken.append(int(np.argmin(alike)))
        alike = np.maximum(alike, own[middle] @ own[middle[taken[-1]]])
    return np.asarray(members[middle[taken]])


def odd(
    vectors: np.ndarray, members: np.ndarray, probability: np.ndarray, count: int
) -> np.ndarray:
    """Up to `count` of `members` that belong to it least, the oddest first, int64.

    By `probability`, float32 (N,), then by how far they are from the members' mean.
    """
    if len(members) == 0:
        return members
    own = vectors[members]
    close = own @ own.mean(axis=0)
    return np.asarray(members[np.lexsort((close, probability[members]))[:count]])
