"""The pictures that carry one label each: which label, and which must not judge each other."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pixelmine.core.errors import UsageError
from pixelmine.evaluate import read_hashes, tie
from pixelmine.mine.together import units_of
from pixelmine.store import Collection

__all__ = ["Labelled", "one_label", "tied"]

_SEVERAL = 0.05
"""Share of pictures with several labels above which the collection is taken for what it is."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """N pictures with one label each. `rows`: of `pile.read_pictures`. `y`: int64 (N,), `names`: K.

    `units`: int64 (N,), equal for near-duplicates and for pictures of one group. `several`:
    pictures with several labels, left out. `rare`: labels that too few pictures carry, with how
    many, left out.
    """

    rows: pa.Table = field(repr=False)
    y: np.ndarray = field(repr=False)
    names: list[str]
    units: np.ndarray = field(repr=False)
    several: int
    rare: dict[str, int]

    def take(self, places: np.ndarray) -> "Labelled":
        """Those at int64 (M,) places; labels keep their numbers."""
        return Labelled(
            rows=self.rows.take(pa.array(places)),
            y=self.y[places],
            names=self.names,
            units=self.units[places],
            several=self.several,
            rare=self.rare,
        )

    def notes(self) -> list[str]:
        """What was left out."""
        notes = []
        if self.several:
            notes.append(f"Pictures with several labels, which are left out: {self.several:,}.")
        if self.rare:
            some = ", ".join(f"{name} ({count})" for name, count in list(self.rare.items())[:5])
            more = f" and {len(self.rare) - 5:,} more" if len(self.rare) > 5 else ""
            notes.append(
                f"Labels that too few pictures carry to be learnt from the others: {some}{more}."
            )
        return notes


def one_label(collection: Collection, rows: pa.Table, least: int) -> Labelled:
    """Those of the rows that carry one label that is carried by at least `least` units.

    Raises UsageError where there are no labels, where pictures have several, or where fewer than
    two labels are left.
    """
    labels = rows["labels"].to_pylist()
    labelled = [place for place, some in enumerate(labels) if some]
    one = [place for place in labelled if len(labels[place]) == 1]
    several = len(labelled) - len(one)
    if not labelled:
        raise UsageError(
            "No picture has a label, and so none can be wrong. Give labels with: "
            "pixelmine ingest SOURCE --into COLLECTION --labels F.csv."
        )
    if several > _SEVERAL * len(labelled):
        raise UsageError(
            f"{several:,} of {len(labelled):,} labelled pictures have several labels. Only "
            "collections with one label a picture are judged."
        )
    kept = rows.take(pa.array(one, pa.int64()))
    given = [labels[place][0] for place in one]
    units = tied(collection, kept)
    carried = Counter(label for label, _ in set(zip(given, units.tolist(), strict=True)))
    names = sorted(name for name, count in carried.items() if count >= least)
    if len(names) < 2:
        raise UsageError(
            f"Labels are judged by each other: at least two must be carried by {least} pictures "
            "that are neither copies nor of one group. "
            f"Got {', '.join(f'{n} ({c})' for n, c in carried.most_common(5))}."
        )
    code = {name: number for number, name in enumerate(names)}
    places = np.array([p for p, label in enumerate(given) if label in code], np.int64)
    counts = Counter(given)
    return Labelled(
        rows=kept.take(pa.array(places)).combine_chunks(),
        y=np.array([code[given[p]] for p in places], np.int64),
        names=names,
        units=units[places],
        several=several,
        rare={name: counts[name] for name in sorted(carried) if name not in code},
    )


def tied(collection: Collection, rows: pa.Table, *, groups: bool = True) -> np.ndarray:
    """The unit of each picture, int64 (N,): near-duplicates by hash are one, and `groups`."""
    pictures = rows["picture_id"].to_pylist()
    found = read_hashes(collection, pictures)
    alike: dict[str, int] = {}
    if found is not None and found.pictures:
        alike = dict(zip(found.pictures, tie(found).label.tolist(), strict=True))
    same = [[alike.get(name) for name in pictures]]
    if groups:
        same.append([group or None for group in rows["group"].to_pylist()])
    return units_of(len(pictures), *same)
