"""What has changed between two collections, two times, or a kept reference and new pictures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.mine.drift import Change, Drift, DriftOptions, compare
from pixelmine.mine.drift_reference import DriftReference
from pixelmine.models import load_bundle
from pixelmine.output.file import cannot_write
from pixelmine.store import Collection

from .drift_pile import Side, Sides, divide, make_pile, make_piles
from .found import Found, cleared, find, read_found
from .pile import MODEL

__all__ = ["DRIFT", "FINDING", "MinedDrift", "mine_drift", "mine_drift_since", "write_reference"]

FINDING = "drift"

DRIFT = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("change", pa.int32(), nullable=False),
        pa.field("before", pa.float64(), nullable=False),
        pa.field("after", pa.float64(), nullable=False),
        pa.field("effect", pa.float64(), nullable=False),
        pa.field("corrected_p_value", pa.float64(), nullable=False),
    ]
)
"""A row for each example picture, of the side after, of each cluster that grew. `change`: its place
among all changes, from 1. `before`, `after`: shares of the pictures of each side, 0 to 1; `effect`:
the difference."""

_EXAMPLES = 8
_FEW_GROUPS = 20
_SHOWN = 100
"""Changes that the summary holds, those of the level first; all of them are counted."""


@dataclass(frozen=True, kw_only=True)
class MinedDrift:
    """`found`: the finding. `rows`: DRIFT, through the policy."""

    found: Found
    rows: pa.Table = field(repr=False)

    @property
    def drifted(self) -> bool:
        """The one decision."""
        return bool(self.found.summary["drifted"])

    @property
    def changed(self) -> list[dict[str, Any]]:
        """What has changed, the surest first."""
        level = self.found.summary["level"]
        return [one for one in self.found.summary["changes"] if one["corrected"] < level]

    def examples(self, change: int) -> list[dict[str, Any]]:
        """Pictures of the cluster that is the change of that number, from 1."""
        return [row for row in self.rows.to_pylist() if row["change"] == change]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the figures, and the pictures of what grew."""
        return {**self.found.summary, "examples": self.rows.to_pylist()}

    def notes(self) -> list[str]:
        """Copies on both sides, groups, and what one side lacks."""
        summary = self.found.summary
        notes = []
        if copies := summary["copies"]:
            notes.append(
                f"{copies:,} pictures are on both sides, byte for byte; they hide what changed."
            )
        sides = [
            # Of an old finding it is not known.
            (summary.get(f"independent_{side}", summary[f"pictures_{side}"]), side)
            for side in ("before", "after")
        ]
        for independent, side in sides:
            pictures = summary[f"pictures_{side}"]
            if independent < pictures:
                notes.append(
                    f"The {pictures:,} pictures {side} are {independent:,} groups and single ones: "
                    "groups are compared as a whole, and counts are divided by how much pictures "
                    "of a group resemble each other (Rao and Scott's design effect)."
                )
            if independent < min(_FEW_GROUPS, pictures):
                notes.append(f"So few groups {side} say little: only large changes are seen.")
        if untested := summary["untested"]:
            notes.append(f"Not compared, since one side has none of it: {', '.join(untested)}.")
        return notes


def mine_drift(
    path: str | Path,
    other: str | Path | None = None,
    options: DriftOptions | None = None,
    *,
    before: str | None = None,
    after: str | None = None,
    model: str = MODEL,
    columns: Sequence[str] = (),
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> MinedDrift:
    """Compare what was with what is; the finding `drift` of the first collection.

    `other`: the collection after; `before` and `after` are then conditions on each. Without it they
    divide the one collection: days or conditions, see `drift_pile.Sides`. `columns`: of the table,
    to take although their names suggest that they say who. Where no side is named, what was found
    last is told, if there is any. Raises UsageError, CollectionError, ModelError.
    """
    options, progress = options or DriftOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        known = read_found(collection, FINDING)
        if known is not None and other is None and before is None and after is None:
            return MinedDrift(found=known, rows=cleared(known.rows, policy or PassPolicy()))
        if other is None:
            sides = Sides(before=before, after=after)
            old, new = divide(collection, sides, model, columns, progress)
        else:
            with Collection.open(Path(other)) as second:
                sides_of = (collection, before), (second, after)
                old, new = make_piles(*sides_of, model, columns, progress)
        asked = {"between": "sides", **_asked(old, options), "after": _asked(new, options)}

        def make() -> tuple[dict[str, Any], pa.Table]:
            copies = len(set(old.pile.pictures) & set(new.pile.pictures))
            return _summary(compare(old.pile, new.pile, options), new, copies)

        found = find(collection, FINDING, asked, make)
    return MinedDrift(found=found, rows=cleared(found.rows, policy or PassPolicy()))


def mine_drift_since(
    path: str | Path,
    reference: str | Path,
    options: DriftOptions | None = None,
    *,
    where: str | None = None,
    model: str = MODEL,
    columns: Sequence[str] = (),
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> MinedDrift:
    """Compare the pictures of a collection with a reference that `write_reference` wrote.

    The old pictures are not read. `where`: SQL over the images table: the window of new ones. Its
    vectors are reduced as those of the reference were; where these were not, as of 100,000 pictures
    or fewer, a picture of the window takes 5 kB of memory (Lite0).
    """
    options, progress = options or DriftOptions(), progress or SilentProgress()
    text = _read(Path(reference))
    known = DriftReference.from_json(text)
    if load_bundle(model).card.embedding_digest != known.model:
        raise UsageError(
            f"{reference} was made with another model than {model}: vectors of two models "
            "cannot be compared. Name its model, or write the reference anew."
        )
    with Collection.open(Path(path)) as collection:
        asked_of = (collection, model, where, columns, progress)
        new, _ = make_pile(*asked_of, basis=known.basis, whole=known.basis is None)
        asked = {"between": digest(text), **_asked(new, options)}

        def make() -> tuple[dict[str, Any], pa.Table]:
            return _summary(known.test(new.pile, options), new, None)

        found = find(collection, FINDING, asked, make)
    return MinedDrift(found=found, rows=cleared(found.rows, policy or PassPolicy()))


def write_reference(
    path: str | Path,
    out: str | Path,
    options: DriftOptions | None = None,
    *,
    where: str | None = None,
    model: str = MODEL,
    columns: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DriftReference:
    """Count the pictures of a collection, and keep that as JSON in the file `out`.

    It holds counts, cells and some projected vectors; no picture, no file's name. The values of
    labels and of columns of the table stand in it as they are. Raises UsageError where `out` is
    there already, unless `overwrite`; OutputError where it cannot be written.
    """
    out = Path(out)
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give another name, or --overwrite.")
    with Collection.open(Path(path)) as collection:
        side, made_by = make_pile(collection, model, where, columns, progress or SilentProgress())
    reference = DriftReference.make(side.pile, made_by, options, basis=side.basis)
    try:
        with replace_file(out) as temporary:
            temporary.write_text(reference.to_json(), "utf-8")
    except OSError as error:
        raise cannot_write(out, error) from error
    return reference


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The reference {path} cannot be read: {error}. Make one with: "
            "pixelmine mine drift COLLECTION --write-reference FILE."
        ) from error


def _asked(side: Side, options: DriftOptions) -> dict[str, Any]:
    """What the side was made of, by its content: a change of any of it is another question."""
    pile = side.pile
    items = [[one.name, list(map(list, one.values))] for one in pile.attributes]
    measures = {name: digest(values.tobytes()) for name, values in sorted(pile.measures.items())}
    return {
        "options": asdict(options),
        "pictures": digest(*pile.pictures),
        "groups": digest(*(group or "" for group in pile.groups)),
        "vectors": digest(np.ascontiguousarray(pile.vectors).tobytes()),
        "items": items,
        "measures": measures,
    }


def _summary(found: Drift, new: Side, copies: int | None) -> tuple[dict[str, Any], pa.Table]:
    changes = found.changes
    grown = [
        (number, one)
        for number, one in enumerate(changes, 1)
        if one.corrected < found.level and one.cells and one.grew
    ]
    summary = {
        "drifted": found.drifted,
        "p_value": found.p_value,
        "level": found.level,
        "pictures_before": found.before,
        "pictures_after": found.after,
        "independent_before": found.independent_before,
        "independent_after": found.independent_after,
        "copies": copies,
        "parts": [asdict(part) for part in found.parts],
        "classifier": asdict(found.classifier),
        "discrepancy": found.discrepancy,
        "tests": len(changes),
        "changed": len(found.changed),
        "changes": [_told(one) for one in changes[: max(_SHOWN, len(found.changed))]],
        "untested": list(found.untested),
    }
    parts = [_rows(found, new.rows, number, one) for number, one in grown]
    return summary, pa.concat_tables([DRIFT.empty_table(), *parts])


def _told(change: Change) -> dict[str, Any]:
    return {**asdict(change), "cells": list(change.cells), "grew": change.grew}


def _rows(found: Drift, rows: pa.Table, number: int, change: Change) -> pa.Table:
    """The pictures of a cluster that are nearest to its middle."""
    inside = np.flatnonzero(np.isin(found.cells, change.cells))
    nearest = inside[np.argsort(found.distances[inside], kind="stable")][:_EXAMPLES]
    picture = rows.select(["row_id", "picture_id", "uri", "member", "frame"]).take(
        pa.array(nearest)
    )
    same = {
        "part": change.part,
        "name": change.name,
        "change": number,
        "before": change.before,
        "after": change.after,
        "effect": change.effect,
        "corrected_p_value": change.corrected,
    }
    return pa.Table.from_pylist([{**one, **same} for one in picture.to_pylist()], DRIFT)
