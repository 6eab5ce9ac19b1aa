"""Pictures that look the same: PDQ hashes at most 31 bits apart, tied so that they stay together.

What is tied to one picture is tied to what that one is tied to, and so on. Such a chain can grow
through pictures that only resemble their neighbours. One that holds more than a twentieth of the
pictures is cut by a smaller radius, bit by bit, until no piece of it is so large; but not below 10
bits, where pictures are copies beyond doubt: so many copies stay together.

Pictures of fewer pixels than the hash is made of look alike sooner: of MNIST's 70,000 digits of
28x28, 1,652 lie within 31 bits of another one, and 4 within 10 (2026-11). Two such are tied by 10.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.features import FEATURES
from pixelmine.index import components, distinct, near_pair_blocks, spanning_forest
from pixelmine.index.hamming import PDQ_RADIUS
from pixelmine.store import Collection

__all__ = ["Chain", "Hashes", "Ties", "read_hashes", "tie", "tie_notes"]

QUALITY = 50
"""Of 100: a hash below it says little (Meta)."""
SURE = 10
"""Bits: what a copy that was compressed again or made smaller differs by."""
SIDE = 64
"""Pixels each way that the hash is made of; a picture with a shorter side has less to tell."""
LARGEST = 0.05
"""Share of the pictures that one chain may hold: a part of a tenth then has room for two."""
SMALL = 50
"""Pictures: a chain up to it is never cut, however few there are in all."""


@dataclass(frozen=True, kw_only=True)
class Hashes:
    """N different pictures with a hash that says enough: `hashes` uint8 (N, 32).

    `small`: bool (N,), those with a side under 64 pixels. `without`: how many pictures have none,
    or one that says little.
    """

    pictures: list[str]
    hashes: np.ndarray
    small: np.ndarray
    without: int


@dataclass(frozen=True, kw_only=True)
class Chain:
    """`pictures` that hang together at 31 bits and were cut: at `radius`, into `pieces`.

    `largest`: pictures of the largest piece, which may still be more than a twentieth of all.
    """

    pictures: int
    radius: int
    pieces: int
    largest: int


@dataclass(frozen=True, kw_only=True)
class Ties:
    """N pictures and what they are tied to.

    `label`: int64 (N,), the same for pictures that must stay together. `place`: int64 (N,), which
    of the U different hashes each has. `pairs`: int64 (E, 2), the nearest pairs of different hashes
    that tie them (a spanning forest, uncut), and `distances`, int64 (E,), in bits.
    """

    pictures: list[str]
    label: np.ndarray
    place: np.ndarray
    pairs: np.ndarray
    distances: np.ndarray
    chains: tuple[Chain, ...]


def read_hashes(collection: Collection, pictures: Iterable[str]) -> Hashes | None:
    """The hashes of these pictures, sorted by picture_id; None where the collection has none."""
    feature = FEATURES.get("pdq")()
    table = collection.feature(feature.producer, feature.fields)
    if not table.exists:
        return None
    wanted = pa.array(sorted(set(pictures)), pa.string())
    schema = pa.schema([table.schema.field(name) for name in ("picture_id", "pdq")])
    found = pa.Table.from_batches(
        [
            rows.filter(
                pc.and_(
                    pc.is_in(rows["picture_id"], value_set=wanted),
                    pc.greater_equal(rows["pdq_quality"], QUALITY),
                )
            ).select(schema.names)
            for rows in table.scan([*schema.names, "pdq_quality"])  # sealed ones take no condition
        ],
        schema,
    ).sort_by("picture_id")
    hashes = np.frombuffer(b"".join(found["pdq"].to_pylist()), np.uint8).reshape(-1, 32)
    names = found["picture_id"].to_pylist()
    few = collection.images.read(["picture_id"], f"width < {SIDE} OR height < {SIDE}")
    small = pc.is_in(found["picture_id"], value_set=few["picture_id"].combine_chunks())
    return Hashes(
        pictures=names,
        hashes=hashes,
        small=small.to_numpy(),
        without=len(wanted) - len(names),
    )


def tie(found: Hashes, radius: int = PDQ_RADIUS) -> Ties:
    """Tie pictures whose hashes are at most `radius` bits apart; chains that grow large are cut."""
    hashes, place = distinct(found.hashes)
    large = np.zeros(len(hashes), bool)
    large[place[~found.small]] = True
    blocks = (
        _sure(pairs, distances, large) for pairs, distances in near_pair_blocks(hashes, radius)
    )
    pairs, distances = spanning_forest(len(hashes), blocks)
    whole = components(len(hashes), pairs)
    weight = np.bincount(place, minlength=len(hashes))
    most = max(LARGEST * len(place), SMALL)
    label, radii = _cut(whole, pairs, distances, weight, most, radius)
    return Ties(
        pictures=found.pictures,
        label=label[place],
        place=place,
        pairs=pairs,
        distances=distances,
        chains=tuple(_chains(whole, label, radii, weight, most)),
    )


def tie_notes(ties: Ties) -> list[str]:
    """What to tell the user: how much is tied, and of chains that were cut, a sentence each."""
    sizes = np.bincount(ties.label)
    several = sizes[sizes > 1]
    notes = [
        f"{chain.pictures:,} pictures hang together as near-duplicates, more than a part should "
        f"hold in one piece: {chain.radius} bits apart at most instead of {PDQ_RADIUS}, they are "
        f"{chain.pieces:,} pieces, the largest of {chain.largest:,} pictures."
        for chain in ties.chains
    ]
    if len(several):
        notes.insert(
            0,
            f"Near-duplicates kept together: {several.sum():,} pictures in {len(several):,} "
            f"{'set' if len(several) == 1 else 'sets'}.",
        )
    return notes


def _sure(
    pairs: np.ndarray, distances: np.ndarray, large: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Those pairs that tie: of two small pictures only the nearest."""
    keep = large[pairs].any(axis=1) | (distances <= SURE)
    return pairs[keep], distances[keep]


def _cut(
    label: np.ndarray,
    pairs: np.ndarray,
    distances: np.ndarray,
    weight: np.ndarray,
    most: float,
    radius: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The labels (U,) when large components were cut, and the radius (U,) that each was cut at."""
    radii = np.full(len(label), radius)
    for smaller in range(radius - 1, SURE - 1, -1):
        large = np.bincount(label, weight)[label] > most
        if not large.any():
            break
        radii[large] = smaller
        label = components(len(label), pairs[distances <= radii[pairs[:, 0]]])
    return label, radii


def _chains(
    whole: np.ndarray, label: np.ndarray, radii: np.ndarray, weight: np.ndarray, most: float
) -> Iterable[Chain]:
    sizes = np.bincount(whole, weight)
    for chain in np.flatnonzero(sizes > most):
        inside = np.flatnonzero(whole == chain)
        pieces = np.unique(label[inside], return_inverse=True)[1]
        yield Chain(
            pictures=int(sizes[chain]),
            radius=int(radii[inside].min()),
            pieces=int(pieces.max()) + 1,
            largest=int(np.bincount(pieces, weight[inside]).max()),
        )
