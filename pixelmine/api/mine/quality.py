"""Pictures of a collection that are bad as pictures: blurred, dark, noisy, odd, written on."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.mine.quality import ISSUES, Flagged, QualityOptions, find_issues
from pixelmine.store import Collection

from .found import Found, cleared, find
from .measures import measures_of
from .pile import read_pictures

__all__ = ["FINDING", "QUALITY", "Quality", "mine_quality"]

FINDING = "quality"

QUALITY = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("issue", pa.string(), nullable=False),
        pa.field("value", pa.float32(), nullable=False),
        pa.field("threshold", pa.float32(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
    ]
)
"""A row for each issue of each picture, by issue, worst first. `value`, `threshold`: in the unit of
the issue's measure (for `odd-size` the threshold is a factor from the median of the megapixels).
`score`: deviations beyond the threshold, 0 up. `rank`: 1 is the worst of its issue."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """`found`: the finding. `rows`: QUALITY, through the policy. `top`: shown of each issue."""

    found: Found
    rows: pa.Table = field(repr=False)
    top: int

    @property
    def issues(self) -> dict[str, dict[str, Any]]:
        """By issue: `flagged`, `threshold`, `usual`, `nature`, `unit`."""
        return dict(self.found.summary["issues"])

    def worst(self, issue: str) -> list[dict[str, Any]]:
        """The first rows of an issue."""
        rows = [row for row in self.rows.to_pylist() if row["issue"] == issue]
        return rows[: self.top]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the figures, and the worst pictures of each issue."""
        return {**self.found.summary, "worst": {name: self.worst(name) for name in self.issues}}

    def notes(self) -> list[str]:
        """What to know: issues that were not looked for, and what is the collection's nature."""
        summary = self.found.summary
        notes = []
        if missing := summary["not_looked_for"]:
            notes.append(
                f"Not looked for: {', '.join(missing)}. Their measures are not in the collection, "
                "which an older version filled: ingest the same sources into it again."
            )
        notes += [
            f"Most pictures lie beyond the guard for {name}: that is the nature of this "
            "collection, and only those far from the others are flagged."
            for name, about in self.issues.items()
            if about["nature"]
        ]
        if summary["few"]:
            notes.append(
                f"{summary['pictures']:,} pictures say too little about what is usual here: only "
                "what is bad in any collection is flagged."
            )
        if summary["unmeasured"]:
            notes.append(f"Pictures without measures: {summary['unmeasured']:,}.")
        return notes


def mine_quality(
    path: str | Path,
    options: QualityOptions | None = None,
    *,
    where: str | None = None,
    top: int = 5,
    policy: Policy | None = None,
    any_options: bool = False,
    progress: Progress | None = None,
) -> Quality:
    """Find the pictures of a collection that are bad as pictures; the finding is `quality`.

    `where`: SQL over the images table. `top`: pictures that are shown of each issue.
    `any_options`: see `find`. Raises UsageError, CollectionError.
    """
    options, progress = options or QualityOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        asked = {
            "issues": [asdict(issue) for issue in ISSUES],
            "options": asdict(options),
            "where": where,
            "images": collection.images.version,
            "labels": collection.labels.version,
            "features": collection.producers("features"),
        }
        found = find(
            collection,
            FINDING,
            asked,
            lambda: _make(collection, options, where),
            any_options=any_options,
        )
    return Quality(found=found, rows=cleared(found.rows, policy or PassPolicy()), top=top)


def _make(
    collection: Collection, options: QualityOptions, where: str | None
) -> tuple[dict[str, Any], pa.Table]:
    rows = read_pictures(collection, where)
    pictures = rows["picture_id"].to_pylist()
    measures = measures_of(collection, pictures)
    found = find_issues(measures, options)
    looked_for = {one.issue.name for one in found}
    table = pa.concat_tables([_rows(rows, one) for one in found], promote_options="none")
    several = Counter(table["picture_id"].to_pylist())
    summary = {
        "pictures": rows.num_rows,
        "flagged": len(several),
        "with_several_issues": sum(count > 1 for count in several.values()),
        "few": rows.num_rows < options.few,
        "unmeasured": int(np.isnan(measures["brightness"]).sum()),
        "not_looked_for": [issue.name for issue in ISSUES if issue.name not in looked_for],
        "issues": {
            one.issue.name: {
                "flagged": len(one.at),
                "measure": one.issue.measure,
                "worse": one.issue.worse,
                "unit": one.issue.unit,
                "threshold": one.threshold,
                "usual": one.usual,
                "nature": one.nature,
            }
            for one in found
        },
    }
    return summary, table


def _rows(rows: pa.Table, found: Flagged) -> pa.Table:
    of = rows.select(["row_id", "picture_id", "uri", "member", "frame"]).take(pa.array(found.at))
    count = len(found.at)
    more = {
        "issue": [found.issue.name] * count,
        "value": found.values,
        "threshold": np.full(count, np.nan if found.threshold is None else found.threshold),
        "score": found.scores,
        "rank": np.arange(1, count + 1),
    }
    for name, values in more.items():
        of = of.append_column(name, pa.array(values).cast(QUALITY.field(name).type))
    return of.cast(QUALITY)
