"""Duplicates in a collection, in groups that do not chain, each with what says so."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import OK, PassPolicy, Policy
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.evaluate import read_hashes
from pixelmine.features.pdq_turned import back_in_words
from pixelmine.mine.duplicates import DuplicateOptions
from pixelmine.mine.group_rows import BYTES, DUPLICATES, MIDDLE, TIERS, diameter, tier_counts
from pixelmine.mine.groups import stars
from pixelmine.mine.pairs import RULES, SCENE
from pixelmine.models import load_bundle
from pixelmine.store import Collection

from .decisions import said_apart
from .found import Found, cleared, find
from .pairs import Judged, copies_of, judge_pairs
from .pile import MODEL, read_pictures

__all__ = ["FINDING", "Duplicates", "mine_duplicates"]

FINDING = "duplicates"

_PLACE = ("row_id", "uri", "member", "frame", "picture_id", "width", "height", "size", "format")
_EVIDENCE = (
    *("bits", "cosine", "correlation", "colour", "inliers", "overlap", "scale", "turned", "turn"),
)

SCENES = pa.schema(
    [
        *(DUPLICATES.field(name) for name in ("row_id", "picture_id", "uri", "member", "frame")),
        pa.field("group_id", pa.int64(), nullable=False),
        pa.field("group_rows", pa.int32(), nullable=False),
        pa.field("cosine", pa.float32()),
    ]
)
"""Pictures of a similar scene that are no copies. `cosine`: with the middle, null for it."""


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """Groups of copies: `found` as it is kept, its cleared `rows`, DUPLICATES, `scenes`, SCENES.

    `alike`: the finding `similar-scenes`.
    """

    found: Found
    alike: Found
    rows: pa.Table = field(repr=False)
    scenes: pa.Table = field(repr=False)

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of both, as JSON."""
        return {**self.found.summary, "similar_scenes": self.alike.summary}

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the figures, and the groups with their rows."""
        groups: dict[int, list[dict[str, Any]]] = {}
        for row in self.rows.to_pylist():
            shown = {name: value for name, value in row.items() if value is not None}
            groups.setdefault(row["group_id"], []).append(shown)
        return {**self.summary, "groups_found": list(groups.values())}

    def notes(self) -> list[str]:
        """What a user should know."""
        one = self.summary
        notes = []
        if one["without_hash"]:
            notes.append(
                f"{one['without_hash']:,} pictures show too little for a hash: of these only the "
                "same bytes and what their embedding proposes are found."
            )
        if not one["turned"]:
            notes.append("Mirrored and turned copies were not looked for: add --turned.")
        if one["unreadable"]:
            notes.append(f"{one['unreadable']:,} pictures could not be read again to be compared.")
        return notes


def mine_duplicates(
    path: str | Path,
    options: DuplicateOptions | None = None,
    *,
    model: str = MODEL,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
    policy: Policy | None = None,
    any_options: bool = False,
) -> Duplicates:
    """Find copies: same bytes, same pixels, saved again or resized, edited; and similar scenes.

    Pairs that were judged before are not judged again. What is found is kept as the findings
    `duplicates` and `similar-scenes`. `any_options`: see `find`. Raises
    CollectionError, UsageError, ModelError.
    """
    options = options or DuplicateOptions()
    engine, progress = engine or EngineOptions(), progress or SilentProgress()
    known_as = ""
    if options.edited or options.scene is not None:
        known_as = load_bundle(model).card.embedding_digest
    with Collection.open(Path(path)) as collection:
        asked = {
            "options": asdict(options),
            "model": known_as,
            "rules": RULES,
            "images": collection.images.version,
            "decisions": collection.decisions.version,
        }
        made: list[tuple[Judged, set[tuple[str, str]]]] = []

        def judged() -> tuple[Judged, set[tuple[str, str]]]:
            if not made:
                rows = read_pictures(collection)
                pairs = judge_pairs(collection, rows, options, (model, known_as), engine, progress)
                made.append((pairs, said_apart(collection)))
            return made[0]

        def copies() -> tuple[dict[str, Any], pa.Table]:
            return _copies(collection, options, *judged())

        def scenes() -> tuple[dict[str, Any], pa.Table]:
            rows = _scenes(judged()[0])
            return {"groups": _groups(rows), "pictures": rows.num_rows}, rows

        found = find(collection, FINDING, asked, copies, any_options=any_options)
        alike = find(collection, "similar-scenes", asked, scenes, any_options=any_options)
    policy = policy or PassPolicy()
    return Duplicates(
        found=found,
        alike=alike,
        rows=cleared(found.rows, policy),
        scenes=cleared(alike.rows, policy),
    )


def _copies(
    collection: Collection,
    options: DuplicateOptions,
    judged: Judged,
    apart: set[tuple[str, str]],
) -> tuple[dict[str, Any], pa.Table]:
    middle, by = copies_of(judged, apart)
    rows = _rows(collection, judged, middle, by)
    table = pa.Table.from_pylist(list(_numbered(collection, rows)), DUPLICATES)
    copies = table.filter(pc.not_equal(table["tier"], MIDDLE))
    pictures = collection.images.count(f"status = '{OK}'")
    hashes = read_hashes(collection, judged.rows["picture_id"].to_pylist())
    summary = {
        "pictures": pictures,
        "different": judged.rows.num_rows,
        "groups": _groups(table),
        "copies": copies.num_rows,
        "bytes_of_copies": pc.sum(copies["size"]).as_py() or 0,
        "tiers": tier_counts(copies["tier"].to_pylist()),
        "largest": pc.max(table["group_rows"]).as_py() or 0,
        "turned": len(options.turns(judged.rows.num_rows)) > 1,
        "edited": options.edited,
        "radius": options.radius,
        "without_hash": hashes.without if hashes is not None else judged.rows.num_rows,
        "pairs_looked_at": judged.looked_at,
        "unreadable": judged.unreadable,
        "said_not_to_be": len(apart),
    }
    return summary, table


def _rows(
    collection: Collection, judged: Judged, middle: np.ndarray, by: np.ndarray
) -> list[list[dict[str, Any]]]:
    """The rows of each group of two or more, its middle first."""
    names = judged.rows["picture_id"].combine_chunks()
    images = collection.images.read(_PLACE, f"status = '{OK}'").sort_by("row_id")
    place = pc.index_in(images["picture_id"], value_set=names).to_numpy()
    stands = set(judged.rows["row_id"].to_pylist())
    evidence = judged.pairs.select(_EVIDENCE).to_pylist()
    kinds = judged.pairs["kind"].to_pylist()
    of_group: dict[int, list[dict[str, Any]]] = {}
    sizes = np.bincount(middle[place], minlength=len(names))
    for row, at in zip(images.to_pylist(), place.tolist(), strict=True):
        at_middle = int(middle[at])
        if sizes[at_middle] < 2:
            continue
        first = row["row_id"] in stands
        if at == at_middle:
            found = {"tier": MIDDLE if first else BYTES}
        else:
            found = {"tier": kinds[by[at]], **evidence[by[at]]}
            if at < at_middle:  # it is the first of the pair: say how the middle lies in it
                found |= _other_way(found)
        of_group.setdefault(at_middle, []).append({**row, **found, "first": first})
    order = {MIDDLE: 0, **{name: rank for rank, name in enumerate(TIERS, 1)}}
    groups = []
    for rows in of_group.values():
        rows.sort(key=lambda row: (order[row["tier"]], not row["first"], row["uri"], row["row_id"]))
        groups.append(rows)
    return groups


def _other_way(found: dict[str, Any]) -> dict[str, Any]:
    """The evidence of a pair as it is seen from its second picture."""
    scale, turned = found["scale"], found["turned"]
    return {
        "scale": 1 / scale if scale else None,
        "turned": -turned if turned is not None else None,
        "turn": back_in_words(found["turn"]),
    }


def _numbered(
    collection: Collection, groups: list[list[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """The largest group first, with what holds for each as a whole."""
    groups.sort(key=lambda rows: (-len(rows), rows[0]["uri"], rows[0]["row_id"]))
    members = {row["picture_id"] for rows in groups for row in rows}
    hashes = read_hashes(collection, members) if members else None
    at = {name: n for n, name in enumerate(hashes.pictures)} if hashes is not None else {}
    for number, rows in enumerate(groups, 1):
        inside = sorted({at[row["picture_id"]] for row in rows if row["picture_id"] in at})
        agrees = [row["correlation"] for row in rows if row.get("correlation") is not None]
        whole = {
            "group_id": number,
            "group_rows": len(rows),
            "diameter": diameter(hashes.hashes[inside]) if hashes is not None else None,
            "weakest": min(agrees, default=None),
        }
        for row in rows:
            yield {**row, **whole}


def _scenes(judged: Judged) -> pa.Table:
    """Stars of pairs that are alike and no copies, one row for each picture."""
    kinds = np.array(judged.pairs["kind"].to_pylist(), object)
    number = np.flatnonzero(kinds == SCENE)
    cosines = pc.fill_null(judged.pairs["cosine"], 0.0).to_numpy()
    places = judged.places()[number]
    n = judged.rows.num_rows
    middle = stars(n, places, cosines[number], np.zeros(n))
    alike = {(int(a), int(b)): float(cosines[m]) for (a, b), m in zip(places, number, strict=True)}
    sizes = np.bincount(middle, minlength=n)
    order = sorted(np.flatnonzero(sizes > 1).tolist(), key=lambda at: (-sizes[at], at))
    group_of = {at: group for group, at in enumerate(order, 1)}
    found = []
    for place in np.flatnonzero(sizes[middle] > 1).tolist():
        at = int(middle[place])
        pair = (min(at, place), max(at, place))
        row = judged.rows.slice(place, 1).select(SCENES.names[:5]).to_pylist()[0]
        group = {"group_id": group_of[at], "group_rows": int(sizes[at])}
        found.append({**row, **group, "cosine": alike.get(pair), "is_middle": at == place})
    found.sort(key=lambda row: (row["group_id"], not row["is_middle"], -(row["cosine"] or 0.0)))
    return pa.Table.from_pylist(found, SCENES)


def _groups(rows: pa.Table) -> int:
    return int(pc.max(rows["group_id"]).as_py() or 0)
