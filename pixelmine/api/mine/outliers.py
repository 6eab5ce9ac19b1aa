"""Pictures of a collection that are unlike all others, or unlike those of their label."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.mine.outliers import Distances, OutlierOptions, far_from_label, find_outliers
from pixelmine.models import load_bundle
from pixelmine.store import Collection

from .found import Found, cleared, find
from .labelled import tied
from .near import NEAR, nearest_rows
from .pile import MODEL, Embedded, embed

__all__ = ["FINDING", "OUTLIERS", "Outliers", "mine_outliers"]

FINDING = "outliers"

OUTLIERS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("distance", pa.float32()),
        pa.field("deviations", pa.float32()),
        pa.field("outlier", pa.bool_(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("label_distance", pa.float32()),
        pa.field("label_deviations", pa.float32()),
        pa.field("label_outlier", pa.bool_(), nullable=False),
        pa.field("near", NEAR),
    ]
)
"""A row for each picture, by `rank`, 1 for the one that is least like the others.

`distance`: mean distance to the nearest others, 0 to 2, between embeddings of length 1; copies do
not count. `deviations`: from the usual distance, in standard deviations of a normal spread.
`label`: its first. `label_distance`, `label_deviations`: the same among the pictures of its label,
by what is usual in that label; null where it has none, or one that fewer than 20 carry. `near`: of
outliers of either kind, the five nearest of all, by row, each with its label and cosine, -1 to 1;
else null."""


@dataclass(frozen=True, kw_only=True)
class Outliers:
    """What was found. `rows`: of OUTLIERS, through the release gate. `top`: that are shown."""

    found: Found
    rows: pa.Table = field(repr=False)
    top: int

    def strangest(self) -> list[dict[str, Any]]:
        """The outliers, least like the others first, at most `top`."""
        return list(self.rows.filter(self.rows["outlier"]).slice(0, self.top).to_pylist())

    def far_from_label(self) -> list[dict[str, Any]]:
        """Those that are unlike the others of their label, strangest first, at most `top`."""
        rows = self.rows.filter(self.rows["label_outlier"])
        return list(
            rows.sort_by([("label_deviations", "descending")]).slice(0, self.top).to_pylist()
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.found.summary,
            "strangest": self.strangest(),
            "far_from_label": self.far_from_label(),
        }

    def notes(self) -> list[str]:
        """What a user should know."""
        failed = self.found.summary["failed"]
        return [f"Pictures that could not be looked at: {failed:,}."] if failed else []


def mine_outliers(
    path: str | Path,
    options: OutlierOptions | None = None,
    *,
    model: str = MODEL,
    where: str | None = None,
    top: int = 20,
    policy: Policy | None = None,
    any_options: bool = False,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Outliers:
    """Find the pictures that are unlike the others; the finding is `outliers`.

    `model`: whose embedding tells what is alike. `where`: SQL over the images table. `top`:
    pictures that are shown. `any_options`: see `find`. Raises UsageError for fewer than 20
    pictures, CollectionError.
    """
    options, progress = options or OutlierOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        asked = {
            "schema": str(OUTLIERS),
            "options": asdict(options),
            "model": load_bundle(model).card.embedding_digest,
            "where": where,
            "images": collection.images.version,
            "labels": collection.labels.version,
        }

        def make() -> tuple[dict[str, Any], pa.Table]:
            found = embed(collection, model, where=where, engine=engine, progress=progress)
            units = tied(collection, found.rows, groups=False)
            progress.start("neighbours", None)
            made = _make(found, units, options)
            progress.finish()
            return made

        found = find(collection, FINDING, asked, make, any_options=any_options)
    return Outliers(found=found, rows=cleared(found.rows, policy or PassPolicy()), top=top)


def _make(
    found: Embedded, units: np.ndarray, options: OutlierOptions
) -> tuple[dict[str, Any], pa.Table]:
    far, near, cosines = find_outliers(found.vectors, units, options)
    labels = [some[0] if some else None for some in found.rows["labels"].to_pylist()]
    names = sorted({label for label in labels if label is not None})
    code = {name: number for number, name in enumerate(names)}
    y = np.array([-1 if label is None else code[label] for label in labels], np.int64)
    own = far_from_label(found.vectors, units, y, options)
    rows = _rows(found, far, own, near, cosines, labels)
    strange = Counter(label for label, is_far in zip(labels, own.outlier, strict=True) if is_far)
    summary = {
        "pictures": rows.num_rows,
        "outliers": int(far.outlier.sum()),
        "label_outliers": int(own.outlier.sum()),
        "usual": far.usual,
        "threshold": far.threshold,
        "deviations": options.deviations,
        "k": options.k,
        "copies": int(len(units) - len(np.unique(units))),
        "failed": found.failed,
        "of_label": {str(name): count for name, count in strange.most_common()},
    }
    return summary, rows


def _rows(
    found: Embedded,
    far: Distances,
    own: Distances,
    near: np.ndarray,
    cosines: np.ndarray,
    labels: list[str | None],
) -> pa.Table:
    count = len(labels)
    strangeness = np.nan_to_num(far.deviations, nan=-np.inf)
    order = np.lexsort([np.arange(count), -strangeness])
    ids = found.rows["row_id"].to_pylist()
    shown = far.outlier | own.outlier
    alike = [
        nearest_rows(near[place], cosines[place], ids, labels) if shown[place] else None
        for place in order.tolist()
    ]
    columns = {
        "distance": pa.array(far.distance[order], from_pandas=True),
        "deviations": pa.array(far.deviations[order], from_pandas=True),
        "outlier": pa.array(far.outlier[order]),
        "rank": pa.array(np.arange(1, count + 1), pa.int32()),
        "label": pa.array([labels[place] for place in order.tolist()], pa.string()),
        "label_distance": pa.array(own.distance[order], from_pandas=True),
        "label_deviations": pa.array(own.deviations[order], from_pandas=True),
        "label_outlier": pa.array(own.outlier[order]),
        "near": pa.array(alike, NEAR),
    }
    table = found.rows.select(["row_id", "picture_id", "uri", "member", "frame"])
    table = table.take(pa.array(order))
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table.cast(OUTLIERS)
