"""Rules among what is known of a collection's pictures, shortcuts among them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.mine.associations import Associations, Rule, RuleOptions, find_rules
from pixelmine.mine.items import make_items
from pixelmine.store import Collection

from .attributes import attributes
from .found import Found, cleared, find, read_found
from .guesses import guesses
from .pile import MODEL, read_pictures
from .quality import FINDING as QUALITY_FINDING

__all__ = ["ASSOCIATIONS", "FINDING", "MinedAssociations", "mine_associations"]

FINDING = "associations"

ASSOCIATIONS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("rule", pa.int32(), nullable=False),
        pa.field("example", pa.bool_(), nullable=False),
        pa.field("antecedent", pa.list_(pa.string()), nullable=False),
        pa.field("consequent", pa.string(), nullable=False),
        pa.field("shortcut", pa.bool_(), nullable=False),
        pa.field("pictures", pa.int64(), nullable=False),
        pa.field("support", pa.float64(), nullable=False),
        pa.field("confidence", pa.float64(), nullable=False),
        pa.field("lift", pa.float64(), nullable=False),
        pa.field("leverage", pa.float64(), nullable=False),
        pa.field("p_value", pa.float64(), nullable=False),
        pa.field("corrected_p_value", pa.float64(), nullable=False),
        pa.field("groups", pa.int64()),
    ]
)
"""A row for each example picture of each rule, by rule. `rule`: 1 is the least likely by chance.
`example`: whether the picture follows the rule; false: it has the antecedent only. `pictures`:
that have all of it; `groups`: of how many groups these are, null where there are none. `support`,
`confidence`: shares, 0 to 1. `lift`: times as often as at large. `leverage`: share of all pictures
above chance. `p_value`: exact; `corrected_p_value`: for all rules that could have been."""

_EXAMPLES, _COUNTER = 4, 2
"""Pictures of each rule that follow it, and that do not."""


@dataclass(frozen=True, kw_only=True)
class MinedAssociations:
    """`found`: the finding. `rows`: ASSOCIATIONS, through the policy."""

    found: Found
    rows: pa.Table = field(repr=False)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Each rule once, with its example pictures as `examples` and `counterexamples`."""
        rules: dict[int, dict[str, Any]] = {}
        picture = ("row_id", "picture_id", "uri", "member", "frame")
        for row in self.rows.to_pylist():
            one = {name: row.pop(name) for name in picture if name in row}
            follows = row.pop("example")
            rule = rules.setdefault(row["rule"], {**row, "examples": [], "counterexamples": []})
            rule["examples" if follows else "counterexamples"].append(one)
        return list(rules.values())

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.found.summary, "rules": self.rules}

    def notes(self) -> list[str]:
        """What was cut, what tells what, and what was not there."""
        summary = self.found.summary
        notes = [f"Left out: {said}" for said in summary["cut"]]
        for first, second in summary["functions"]:
            says = f"{first} tells {second} nearly always: rules between them are left out."
            if second in ("label", "predicted") and first not in ("label", "predicted"):
                says += f" A model may learn {first} instead of what a picture shows."
            notes.append(says)
        if len(summary["attributes"]) < 2:
            notes.append(
                "Rules need two kinds of things known of a picture. Known here: "
                f"{', '.join(summary['attributes']) or 'none'}. Give labels or a table at ingest, "
                "run: pixelmine mine quality COLLECTION, or use --predict."
            )
        return notes


def mine_associations(
    path: str | Path,
    options: RuleOptions | None = None,
    *,
    where: str | None = None,
    model: str = MODEL,
    predict: bool = False,
    columns: Sequence[str] = (),
    policy: Policy | None = None,
    any_options: bool = False,
    progress: Progress | None = None,
) -> MinedAssociations:
    """Find what goes with what in a collection; the finding is `associations`.

    `where`: SQL over the images table. `model`: whose predictions are items too, where there are
    any; `predict`: make them. `columns`: of the table that was ingested, to take although their
    names suggest that they say who. `any_options`: see `find`. Raises UsageError, CollectionError,
    ModelError.
    """
    options, progress = options or RuleOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        rows = read_pictures(collection, where)
        said = guesses(collection, rows, model, predict=predict, progress=progress)
        quality = read_found(collection, QUALITY_FINDING)
        asked = {
            "options": asdict(options),
            "where": where,
            "columns": sorted(columns),
            "model": model if said is not None else None,
            "predicted": None if said is None else digest_json(said),
            "quality": quality.asked if quality else None,
            "images": collection.images.version,
            "labels": collection.labels.version,
        }

        def make() -> tuple[dict[str, Any], pa.Table]:
            return _make(collection, rows, said, columns, options)

        found = find(collection, FINDING, asked, make, any_options=any_options)
    return MinedAssociations(found=found, rows=cleared(found.rows, policy or PassPolicy()))


def _make(
    collection: Collection,
    rows: pa.Table,
    said: Sequence[str | None] | None,
    columns: Sequence[str],
    options: RuleOptions,
) -> tuple[dict[str, Any], pa.Table]:
    known = attributes(collection, rows, said, columns)
    items = make_items(known, options.items)
    found = find_rules(items, options)
    summary = {
        "pictures": rows.num_rows,
        "attributes": [one.name for one in known],
        "items": len(items.items),
        "least_pictures": options.items.pictures(rows.num_rows),
        "tested": found.tested,
        "frequent": found.frequent,
        "redundant": found.redundant,
        "level": options.level,
        "found": len(found.rules),
        "shortcuts": sum(rule.shortcut for rule in found.rules),
        "cut": list(items.cut),
        "functions": [list(pair) for pair in items.functions],
    }
    parts = [_rows(rows, found, rule, number) for number, rule in enumerate(found.rules, 1)]
    return summary, pa.concat_tables([ASSOCIATIONS.empty_table(), *parts])


def _rows(rows: pa.Table, found: Associations, rule: Rule, number: int) -> pa.Table:
    items = found.items.items
    follow = found.having([*rule.antecedent, rule.consequent])
    against = found.having(rule.antecedent, without=rule.consequent)
    groups = rows["group"].take(pa.array(follow)).drop_null().unique()
    shown = np.concatenate([_spread(follow, _EXAMPLES), _spread(against, _COUNTER)])
    same = {
        "rule": number,
        "antecedent": [str(items[at]) for at in rule.antecedent],
        "consequent": str(items[rule.consequent]),
        "shortcut": rule.shortcut,
        "pictures": rule.both,
        "support": rule.support,
        "confidence": rule.confidence,
        "lift": rule.lift,
        "leverage": rule.leverage,
        "p_value": rule.p_value,
        "corrected_p_value": rule.corrected,
        "groups": len(groups) or None,
    }
    examples = min(len(follow), _EXAMPLES)
    pictures = rows.select(["row_id", "picture_id", "uri", "member", "frame"]).take(pa.array(shown))
    told = [
        {**picture, **same, "example": place < examples}
        for place, picture in enumerate(pictures.to_pylist())
    ]
    return pa.Table.from_pylist(told, ASSOCIATIONS)


def _spread(places: np.ndarray, most: int) -> np.ndarray:
    """Up to `most` of them, evenly over all."""
    if len(places) <= most:
        return places
    at = np.linspace(0, len(places) - 1, most).astype(int)
    return np.asarray(places[at])
