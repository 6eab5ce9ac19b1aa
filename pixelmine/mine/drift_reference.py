"""What is kept of pictures so that new ones can be tested against them without reading them again.

The cells are made of one half of the pictures and counted in the other: centres lie where those
pictures are dense that they were fitted to, and new ones would seem to have moved away from them.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from pixelmine.core.errors import UsageError

from .design_effect import Effects
from .drift import Drift, DriftOptions, compare_counted
from .drift_counts import Counted, Pile, count, edges_of
from .drift_space import Space, cell_names, families, family_names, make_space
from .principal import Basis

__all__ = ["DriftReference"]

_FORMAT = 2
_SAMPLE = 2000
"""Projected vectors that are kept, 256 kB as half-precision numbers, for classifier and kernel."""
_FEWEST = 100


@dataclass(frozen=True, kw_only=True)
class DriftReference:
    """What was counted of so many `pictures`: half of them for cells and vectors, all for the rest.

    `model`: digest of what made the embeddings. `names`: of the K cells and of families of them.
    `basis`: what they were reduced by, as those of new pictures must be; None: they were not.
    """

    model: str
    pictures: int
    space: Space = field(repr=False)
    names: Mapping[tuple[int, ...], str] = field(repr=False)
    edges: Mapping[str, np.ndarray] = field(repr=False)
    counted: Counted = field(repr=False)
    basis: Basis | None = field(default=None, repr=False)

    @classmethod
    def make(
        cls,
        pile: Pile,
        model: str,
        options: DriftOptions | None = None,
        *,
        basis: Basis | None = None,
    ) -> Self:
        """Of a pile of at least 100 pictures, and two groups, which need not be read again.

        `basis`: what its vectors were reduced by, if they were.
        """
        options = options or DriftOptions()
        if len(pile) < _FEWEST:
            raise UsageError(
                f"A reference needs at least {_FEWEST} different pictures. Got {len(pile):,}."
            )
        fitted = pile.first_half()
        if fitted.all():
            raise UsageError(
                "A reference is made of one half of the pictures and counted in the other; a group "
                "is never divided. All of these are of one group."
            )
        space = make_space(pile.vectors[fitted], options.cells, options.seed)
        cells = space.cells(space.project(pile.vectors))[0]
        edges = edges_of([pile.measures])
        kinds = pile.named_by()
        single = enumerate(cell_names(cells, len(space.centres), kinds))
        together = family_names(families(space.centres), cells, kinds)
        names = {(at,): name for at, name in single} | {c: n for n, c in together.items()}
        half = pile.take(np.flatnonzero(~fitted))
        whole = count(pile, space, edges, 0, cells, list(names))
        other = count(half, space, edges, _SAMPLE, cells[~fitted], list(names))
        counted = replace(
            whole,
            cells=other.cells,
            sample=other.sample.astype(np.float16).astype(np.float32),
            folds=other.folds,
            units=other.units,
            effects=replace(whole.effects, cells=other.effects.cells),
        )
        return cls(
            model=model,
            pictures=len(pile),
            space=space,
            names=names,
            edges=edges,
            counted=counted,
            basis=basis,
        )

    def test(self, window: Pile, options: DriftOptions | None = None) -> Drift:
        """Compare new pictures with what was counted. Raises UsageError for fewer than 5."""
        options = options or DriftOptions()
        if len(window) < 5:
            raise UsageError(f"A window needs at least 5 different pictures. Got {len(window):,}.")
        if window.vectors.shape[1] != len(self.space.middle):
            raise UsageError(
                f"The reference was made of vectors of {len(self.space.middle)} numbers. "
                f"Got {window.vectors.shape[1]} instead: name the model that it was made with."
            )
        cells, distances = self.space.cells(self.space.project(window.vectors))
        edges = dict(self.edges)
        after = count(window, self.space, edges, _SAMPLE, cells, list(self.names))
        return compare_counted(self.counted, after, self.names, edges, cells, distances, options)

    def to_json(self) -> str:
        """As text: counts as they are, arrays in base64; no picture, no name of a file."""
        counted = self.counted
        return json.dumps(
            {
                "format": _FORMAT,
                "kind": "pixelmine drift reference",
                "model": self.model,
                "pictures": self.pictures,
                "middle": _packed(self.space.middle, "<f4"),
                "directions": _packed(self.space.directions, "<f4"),
                "centres": _packed(self.space.centres, "<f4"),
                "names": [[list(cells), name] for cells, name in self.names.items()],
                "edges": {name: edges.tolist() for name, edges in self.edges.items()},
                "cells": counted.cells.tolist(),
                "items": {name: dict(items) for name, items in counted.items.items()},
                "known": dict(counted.known),
                "kinds": dict(counted.kinds),
                "histograms": {n: counts.tolist() for n, counts in counted.histograms.items()},
                "sample": _packed(counted.sample, "<f2"),
                "folds": counted.folds.astype(int).tolist(),
                "units": counted.units.tolist(),
                "independent": counted.independent,
                "effects": _told(counted.effects),
                "basis": None
                if self.basis is None
                else {
                    "middle": _packed(self.basis.middle, "<f4"),
                    "directions": _packed(self.basis.directions, "<f4"),
                },
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` gave. Raises UsageError for anything else."""
        try:
            known = json.loads(text)
            if known["kind"] != "pixelmine drift reference" or known["format"] != _FORMAT:
                raise ValueError("of another kind or version")
            made = cls._of(known)
            if len(made.counted.cells) != len(made.space.centres):
                raise ValueError("its cells and their counts do not fit")
            if made.basis is not None and made.basis.directions.shape != (
                made.basis.wide,
                len(made.space.middle),
            ):
                raise ValueError("its basis and its cells do not fit")
            return made
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"This is no reference for drift that this Pixelmine can read ({error}). Make it "
                "anew with: pixelmine mine drift COLLECTION --write-reference FILE."
            ) from error

    @classmethod
    def _of(cls, known: dict[str, Any]) -> Self:
        space = Space(
            middle=_unpacked(known["middle"], "<f4"),
            directions=_unpacked(known["directions"], "<f4"),
            centres=_unpacked(known["centres"], "<f4"),
        )
        counted = Counted(
            pictures=int(known["pictures"]),
            cells=np.array(known["cells"], np.int64),
            items=known["items"],
            known=known["known"],
            kinds=known["kinds"],
            histograms={n: np.array(v, np.int64) for n, v in known["histograms"].items()},
            sample=_unpacked(known["sample"], "<f2"),
            folds=np.array(known["folds"], bool),
            units=np.array(known["units"], np.int64),
            independent=int(known["independent"]),
            effects=_effects(known["effects"]),
        )
        return cls(
            model=str(known["model"]),
            pictures=int(known["pictures"]),
            space=space,
            names={tuple(cells): name for cells, name in known["names"]},
            edges={name: np.array(v, np.float64) for name, v in known["edges"].items()},
            counted=counted,
            basis=None
            if known["basis"] is None
            else Basis(
                middle=_unpacked(known["basis"]["middle"], "<f4"),
                directions=_unpacked(known["basis"]["directions"], "<f4"),
            ),
        )


def _told(effects: Effects) -> dict[str, Any]:
    cells = effects.cells
    return {
        "cells": None if cells is None else [[list(cell), one] for cell, one in cells.items()],
        "items": effects.items,
        "measures": effects.measures,
    }


def _effects(known: dict[str, Any]) -> Effects:
    cells = known["cells"]
    return Effects(
        cells=None if cells is None else {tuple(cell): float(one) for cell, one in cells},
        items=known["items"],
        measures=known["measures"],
    )


def _packed(values: np.ndarray, form: str) -> dict[str, Any]:
    data = b64encode(np.ascontiguousarray(values, form).tobytes()).decode()
    return {"shape": list(values.shape), "data": data}


def _unpacked(packed: dict[str, Any], form: str) -> np.ndarray:
    values = np.frombuffer(b64decode(packed["data"], validate=True), form)
    return values.reshape(packed["shape"]).astype(np.float32)
