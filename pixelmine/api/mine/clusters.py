"""The clusters of a collection's pictures: what is in the pile, named, with a map of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.api.predicted import settle
from pixelmine.core import PassPolicy, Policy
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.mine.cluster_words import WordOptions
from pixelmine.mine.clusters import ClusterOptions, Clusters, find_clusters
from pixelmine.mine.members import odd, representatives
from pixelmine.mine.plane import plane
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise
from pixelmine.store import Collection

from .cluster_naming import Named, name_nodes
from .found import Found, cleared, find, read_found
from .pile import MODEL, Embedded, embed
from .quality import FINDING as QUALITY_FINDING

__all__ = ["CLUSTERS", "CLUSTER_NAMES", "FINDING", "NAMES", "MinedClusters", "mine_clusters"]

FINDING, NAMES = "clusters", "cluster-names"

_PICTURE = (
    pa.field("row_id", pa.string(), nullable=False),
    pa.field("picture_id", pa.string(), nullable=False),
    pa.field("uri", pa.string(), nullable=False),
    pa.field("member", pa.string(), nullable=False),
    pa.field("frame", pa.int32(), nullable=False),
)

CLUSTERS = pa.schema(
    [
        *_PICTURE,
        pa.field("cluster", pa.int32()),
        pa.field("parent", pa.int32()),
        pa.field("part", pa.int32()),
        pa.field("nearest", pa.int32()),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("x", pa.float32(), nullable=False),
        pa.field("y", pa.float32(), nullable=False),
    ]
)
"""A row for each different picture. `cluster`: its number in `cluster-names`, null for an odd one;
`parent`: the group that the cluster is in; `part`: the part of it, null between the parts.
`nearest`: the cluster, or the nearest one. `probability`: share of the 15 nearest pictures that are
in that cluster, 0 to 1. `x`, `y`: on the map, 0 to 1."""

_WORDS = pa.list_(
    pa.struct(
        [
            pa.field("kind", pa.string()),
            pa.field("word", pa.string()),
            pa.field("share", pa.float64()),
            pa.field("lift", pa.float64()),
            pa.field("p_value", pa.float64()),
            pa.field("of", pa.int64()),
        ]
    )
)

CLUSTER_NAMES = pa.schema(
    [
        *_PICTURE,
        pa.field("cluster", pa.int32(), nullable=False),
        pa.field("level", pa.int8(), nullable=False),
        pa.field("parent", pa.int32()),
        pa.field("name", pa.string(), nullable=False),
        pa.field("pictures", pa.int64(), nullable=False),
        pa.field("share", pa.float64(), nullable=False),
        pa.field("words", _WORDS, nullable=False),
        pa.field("representatives", pa.list_(pa.string()), nullable=False),
        pa.field("odd", pa.list_(pa.string()), nullable=False),
        pa.field("x", pa.float32(), nullable=False),
        pa.field("y", pa.float32(), nullable=False),
    ]
)
"""A row for each cluster (`level` 2), group of clusters (1) and part of one (3); the picture is the
most typical. `parent`: what it lies in. `share`: of all pictures. `words`: what sets it apart, with
the share of its pictures, how many times as often as among all, the corrected p-value, and of how
many pictures. `representatives`, `odd`: row_ids, the most typical and the oddest first. `x`, `y`:
the median of its pictures on the map."""

_REPRESENTATIVES, _ODD = 20, 6
"""Of each cluster; colours are told from the representatives."""


@dataclass(frozen=True, kw_only=True)
class MinedClusters:
    """`found`: the finding. `rows`: CLUSTERS, `names`: CLUSTER_NAMES, through the policy."""

    found: Found
    rows: pa.Table = field(repr=False)
    names: pa.Table = field(repr=False)

    def level(self, level: int) -> list[dict[str, Any]]:
        """Groups (1), clusters (2) or parts (3), the largest first."""
        return [row for row in self.names.to_pylist() if row["level"] == level]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the figures and the nodes."""
        return {**self.found.summary, "nodes": self.names.to_pylist()}

    def notes(self) -> list[str]:
        """What to know: that there were too few, or no words to be had."""
        summary = self.found.summary
        notes = []
        if not summary["clusters"]:
            notes.append(
                f"{summary['pictures']:,} pictures fall into no clusters of at least "
                f"{summary['min_size']} each. --min-size takes a smaller number."
            )
        if summary["failed"]:
            notes.append(f"Pictures that could not be read now: {summary['failed']:,}.")
        return notes


def mine_clusters(
    path: str | Path,
    options: ClusterOptions | None = None,
    *,
    words: WordOptions | None = None,
    where: str | None = None,
    model: str = MODEL,
    policy: Policy | None = None,
    any_options: bool = False,
    progress: Progress | None = None,
) -> MinedClusters:
    """Divide a collection's pictures into named clusters; the findings `clusters`, `cluster-names`.

    Pictures that the model has not seen are looked at first. `where`: SQL over the images table.
    `any_options`: see `find`. Raises UsageError, ModelError, CollectionError.
    """
    options, words = options or ClusterOptions(), words or WordOptions()
    progress, policy = progress or SilentProgress(), policy or PassPolicy()
    with Collection.open(Path(path)) as collection:
        stage = settle(Recognise(bundle=load_bundle(model)))
        quality = read_found(collection, QUALITY_FINDING)
        asked = {
            "options": asdict(options),
            "words": asdict(words),
            "where": where,
            "model": [stage.bundle.card.digest, stage.precision],
            "quality": quality.asked if quality else None,
            "images": collection.images.version,
            "labels": collection.labels.version,
        }
        made = _Made(collection, model, where, options, words, progress)
        known = {"any_options": any_options}
        names = find(collection, NAMES, asked, lambda: made("names"), **known)
        found = find(collection, FINDING, asked, lambda: made("rows"), **known)
    return MinedClusters(
        found=found, rows=cleared(found.rows, policy), names=cleared(names.rows, policy)
    )


class _Made:
    """Both tables, made together when the first of them is asked for."""

    def __init__(
        self,
        collection: Collection,
        model: str,
        where: str | None,
        options: ClusterOptions,
        words: WordOptions,
        progress: Progress,
    ) -> None:
        self._make: Callable[[], dict[str, Any]] = lambda: _make(
            collection, model, where, options, words, progress
        )
        self._made: dict[str, Any] | None = None

    def __call__(self, name: str) -> tuple[dict[str, Any], pa.Table]:
        if self._made is None:
            self._made = self._make()
        return self._made["summary"], self._made[name]


def _make(
    collection: Collection,
    model: str,
    where: str | None,
    options: ClusterOptions,
    words: WordOptions,
    progress: Progress,
) -> dict[str, Any]:
    seen = embed(collection, model, where=where, progress=progress)
    found = find_clusters(seen.vectors, options, progress.start)
    progress.start("map")
    at = plane(found.space if found.nodes else seen.vectors, seed=options.seed)
    progress.start("names")
    shown = [
        representatives(seen.vectors, found.members(node), _REPRESENTATIVES) for node in found.nodes
    ]
    named = name_nodes(collection, seen, found, shown, words)
    progress.finish()
    count = {level: sum(node.level == level for node in found.nodes) for level in (1, 2, 3)}
    outside = int((found.cluster < 0).sum())
    summary = {
        "pictures": len(seen.vectors),
        "failed": seen.failed,
        "clusters": count[2],
        "groups": count[1],
        "parts": count[3],
        "odd": outside,
        "odd_share": round(outside / len(seen.vectors), 4),
        "min_size": found.min_size,
        "model": seen.stage.bundle.card.name,
        "options": asdict(options),
        "tried_words": named.tried,
        "level": words.level,
    }
    return {
        "summary": summary,
        "rows": _rows(seen, found, at),
        "names": _names(seen, found, named, shown, at),
    }


def _numbers(label: np.ndarray) -> pa.Array:
    return pa.array(label.astype(np.int32), pa.int32(), mask=label < 0)


def _rows(seen: Embedded, found: Clusters, at: np.ndarray) -> pa.Table:
    columns = [seen.rows[one.name] for one in _PICTURE]
    columns += [_numbers(found.cluster), _numbers(found.group), _numbers(found.part)]
    columns += [_numbers(found.nearest), pa.array(found.probability)]
    columns += [pa.array(at[:, 0]), pa.array(at[:, 1])]
    return pa.Table.from_arrays(columns, schema=CLUSTERS)


def _names(
    seen: Embedded, found: Clusters, named: Named, shown: list[np.ndarray], at: np.ndarray
) -> pa.Table:
    rows = []
    picture = seen.rows.select([one.name for one in _PICTURE])
    for node, name, said, typical in zip(found.nodes, named.names, named.words, shown, strict=True):
        members = found.members(node)
        oddest = odd(seen.vectors, members, found.probability, _ODD)
        middle = np.median(at[members], axis=0)
        rows.append(
            {
                **picture.slice(int(typical[0]), 1).to_pylist()[0],
                "cluster": node.node,
                "level": node.level,
                "parent": node.parent,
                "name": name,
                "pictures": node.pictures,
                "share": round(node.pictures / len(seen.vectors), 5),
                "words": [asdict(word) for word in said],
                "representatives": picture["row_id"].take(pa.array(typical)).to_pylist(),
                "odd": picture["row_id"].take(pa.array(oddest)).to_pylist(),
                "x": float(middle[0]),
                "y": float(middle[1]),
            }
        )
    return pa.Table.from_pylist(rows, CLUSTER_NAMES)
