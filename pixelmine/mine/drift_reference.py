"""What is kept of pictures so that new ones can be tested against them without reading them again.

The cells are made of one half of the pictures and counted in the other: centres lie where those
pictures are dense that they were fitted to, and new ones would seem to have moved away from them.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from pixelmine.core.errors import UsageError

from .drift import Drift, DriftOptions, compare_counted
from .drift_counts import Counted, Pile, count, edges_of
from .drift_space import Space, cell_names, families, family_names, make_space

__all__ = ["DriftReference"]

_FORMAT = 1
_SAMPLE = 2000
"""Projected vectors that are kept, 256 kB as half-precision numbers, for classifier and kernel."""
_FEWEST = 100


@dataclass(frozen=True, kw_only=True)
class DriftReference:
    """What was counted of so many `pictures`: half of them for cells and vectors, all for the rest.

    `model`: digest of what made the embeddings. `names`: of the K cells and of families of them.
    """

    model: str
    pictures: int
    space: Space = field(repr=False)
    names: Mapping[tuple[int, ...], str] = field(repr=False)
    edges: Mapping[str, np.ndarray] = field(repr=False)
    counted: Counted = field(repr=False)

    @classmethod
    def make(cls, pile: Pile, model: str, options: DriftOptions | None = None) -> Self:
        """Of a pile of at least 100 pictures, which need not be read again."""
        options = options or DriftOptions()
        if len(pile) < _FEWEST:
            raise UsageError(
                f"A reference needs at least {_FEWEST} different pictures. Got {len(pile):,}."
            )
        half = len(pile) // 2
        space = make_space(pile.vectors[:half], options.cells, options.seed)
        cells = space.cells(space.project(pile.vectors))[0]
        edges = edges_of([pile.measures])
        whole = count(pile, space, edges, 0, cells, len(space.centres))
        projected = space.project(pile.vectors[half : half + _SAMPLE])
        counted = Counted(
            **{
                **vars(whole),
                "cells": np.bincount(cells[half:], minlength=len(space.centres)),
                "sample": projected.astype(np.float16).astype(np.float32),
                "folds": pile.folds()[half : half + _SAMPLE],
            }
        )
        kinds = pile.named_by()
        names = enumerate(cell_names(cells, len(space.centres), kinds))
        together = family_names(families(space.centres), cells, kinds)
        return cls(
            model=model,
            pictures=len(pile),
            space=space,
            names={(at,): name for at, name in names} | {c: n for n, c in together.items()},
            edges=edges,
            counted=counted,
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
        after = count(window, self.space, edges, _SAMPLE, cells, len(self.space.centres))
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
        )
        return cls(
            model=str(known["model"]),
            pictures=int(known["pictures"]),
            space=space,
            names={tuple(cells): name for cells, name in known["names"]},
            edges={name: np.array(v, np.float64) for name, v in known["edges"].items()},
            counted=counted,
        )


def _packed(values: np.ndarray, form: str) -> dict[str, Any]:
    data = b64encode(np.ascontiguousarray(values, form).tobytes()).decode()
    return {"shape": list(values.shape), "data": data}


def _unpacked(packed: dict[str, Any], form: str) -> np.ndarray:
    values = np.frombuffer(b64decode(packed["data"], validate=True), form)
    return values.reshape(packed["shape"]).astype(np.float32)
