"""Groups that do not chain: a middle, and what is directly tied to it.

Connected components would tie A to C because both resemble B. A star has only members that resemble
its middle themselves (Hochbaum and Shmoys 1985 cover a graph so): two members are never more than
two steps apart, and each has its own evidence.
"""

import numpy as np

__all__ = ["stars"]


def stars(n: int, pairs: np.ndarray, strength: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """The middle of each of `n` places, int64 (n,): itself where it is a middle, or alone.

    `pairs`: int64 (P, 2), what is tied, each pair once. `strength`: float (P,), how surely: a place
    between two middles goes to the surer one. `rank`: float (n,): of places with as many ties the
    one with the higher rank becomes a middle first; of equal rank the first.
    """
    middle = np.arange(n)
    if len(pairs) == 0:
        return middle
    both = np.concatenate([pairs, pairs[:, ::-1]])
    sure = np.concatenate([strength, strength])
    order = np.lexsort((both[:, 1], both[:, 0]))
    both, sure = both[order], sure[order]
    starts = np.searchsorted(both[:, 0], np.arange(n + 1))
    ties = np.diff(starts)
    covered = np.zeros(n, bool)
    is_middle = np.zeros(n, bool)
    for place in np.lexsort((np.arange(n), -rank, -ties)):
        if ties[place] == 0:
            break
        if not covered[place]:
            is_middle[place] = True
            covered[both[starts[place] : starts[place + 1], 1]] = True
            covered[place] = True
    for place in np.flatnonzero(~is_middle & (ties > 0)):
        near = slice(starts[place], starts[place + 1])
        middles = is_middle[both[near, 1]]
        best = np.where(middles, sure[near], -np.inf).argmax()
        middle[place] = both[near, 1][best]
    return middle
