"""Labels of a collection that are probably wrong, with what the picture probably shows."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import PassPolicy, Policy
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions
from pixelmine.mine.label_errors import Suspicions, suspect
from pixelmine.mine.out_of_fold import Opinions, out_of_fold
from pixelmine.models import load_bundle
from pixelmine.store import Collection

from .found import Found, cleared, find
from .labelled import Labelled, one_label
from .near import NEAR, nearest_rows
from .pile import MODEL, read_pictures
from .vectors import FEATURES, Features, Vectors, choose_features, read_vectors

__all__ = [
    "FINDING",
    "LABEL_ERRORS",
    "LabelErrorOptions",
    "LabelErrors",
    "judge",
    "mine_label_errors",
    "rejected",
]

FINDING = "label-errors"

LABEL_ERRORS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("picture_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("given", pa.string(), nullable=False),
        pa.field("suggested", pa.string(), nullable=False),
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("given_probability", pa.float32(), nullable=False),
        pa.field("votes", pa.float32(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("suspected", pa.bool_(), nullable=False),
        pa.field("rejected", pa.bool_(), nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("near", NEAR),
    ]
)
"""A row for each picture that was judged, by `rank`, 1 for the label that is most probably wrong.

`suggested`: the most probable label other than the `given`. `probability`, `given_probability`: of
the two, by models that have not seen the picture, 0 to 1. `votes`: the share of the neighbours'
votes that are for the suggested label, 0 to 1. `score`: probability / (probability +
given_probability). `suspected`: whether it is among as many as confident learning takes for wrong,
and nobody has rejected this suggestion; `rejected`: whether somebody has. `near`: of suspected
pictures, the five nearest that voted, each by its row with its label and cosine, -1 to 1; else
null."""

_FOLDS = 5
_UNSURE = 0.85
"""Agreement below which the estimate counts doubt for mistakes: of clothing's 17 kinds, .74, a
quarter of the labels are suspected."""


@dataclass(frozen=True, kw_only=True)
class LabelErrorOptions:
    """What labels are judged by.

    `features`: `embedding`, `designed`, `both`, or `auto`, which takes what agrees best with the
    given labels. `model`: whose embedding. `seed`: of the folds.
    """

    features: Features = "auto"
    model: str = MODEL
    seed: int = 0

    def __post_init__(self) -> None:
        check_one_of("features", self.features, FEATURES)


@dataclass(frozen=True, kw_only=True)
class LabelErrors:
    """What was found. `rows`: of LABEL_ERRORS, through the release gate. `top`: that are shown."""

    found: Found
    rows: pa.Table = field(repr=False)
    top: int

    def worst(self) -> list[dict[str, Any]]:
        """The suspected, most probably wrong first, at most `top`."""
        return list(
            self.rows.filter(self.rows["suspected"]).sort_by("rank").slice(0, self.top).to_pylist()
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**self.found.summary, "worst": self.worst()}

    def notes(self) -> list[str]:
        """What a user should know."""
        return list(self.found.summary["notes"])


def mine_label_errors(
    path: str | Path,
    options: LabelErrorOptions | None = None,
    *,
    where: str | None = None,
    top: int = 20,
    policy: Policy | None = None,
    any_options: bool = False,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> LabelErrors:
    """Find labels that are probably wrong; the finding is `label-errors`.

    `where`: SQL over the images table. `top`: suspected pictures that are shown. `any_options`:
    see `find`. Raises UsageError where the labels cannot be judged, CollectionError.
    """
    options, progress = options or LabelErrorOptions(), progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        asked = {
            "schema": str(LABEL_ERRORS),
            "model": load_bundle(options.model).card.embedding_digest,
            "options": asdict(options),
            "where": where,
            "images": collection.images.version,
            "labels": collection.labels.version,
            "decisions": collection.decisions.version,
        }
        found = find(
            collection,
            FINDING,
            asked,
            lambda: _make(collection, options, where, engine, progress),
            any_options=any_options,
        )
    return LabelErrors(found=found, rows=cleared(found.rows, policy or PassPolicy()), top=top)


def judge(vectors: np.ndarray, labelled: Labelled, seed: int) -> tuple[Opinions, Suspicions]:
    """What others think of each label, and which are suspected."""
    opinions = out_of_fold(vectors, labelled.y, labelled.units, folds=_FOLDS, seed=seed)
    return opinions, suspect(opinions.probabilities, labelled.y)


def rejected(collection: Collection) -> set[tuple[str, str]]:
    """The suggestions, as picture_id and label, that somebody has rejected and not taken back."""
    rows = collection.decisions.read(where=f"about = '{FINDING}'").sort_by("time").to_pylist()
    latest: dict[str, set[str]] = {}
    for row in rows:
        said = latest.setdefault(row["first"], set())
        verdict, _, label = row["decision"].partition(":")
        if verdict == "rejected":
            said.add(label)
        else:
            said.clear()
    return {(picture, label) for picture, labels in latest.items() for label in labels}


def _make(
    collection: Collection,
    options: LabelErrorOptions,
    where: str | None,
    engine: EngineOptions | None,
    progress: Progress,
) -> tuple[dict[str, Any], pa.Table]:
    labelled = one_label(collection, read_pictures(collection, where), _FOLDS)
    features, tried = options.features, dict[str, float]()
    if features == "auto":
        features, tried = choose_features(
            collection, labelled, options.model, seed=options.seed, engine=engine, progress=progress
        )
    vectors = read_vectors(
        collection,
        labelled.rows,
        features,
        options.model,
        where=where,
        engine=engine,
        progress=progress,
    )
    if vectors.failed:
        at = pc.index_in(
            vectors.rows["picture_id"], value_set=labelled.rows["picture_id"].combine_chunks()
        )
        labelled = labelled.take(at.to_numpy())
        if len(np.unique(labelled.y)) < len(labelled.names):
            raise UsageError(
                f"{vectors.failed:,} labelled pictures cannot be read any more, and of a label "
                "none is left. See: pixelmine collection verify COLLECTION."
            )
    progress.start("judge", None)
    opinions, found = judge(vectors.vectors, labelled, options.seed)
    progress.finish()
    table = _rows(labelled, opinions, found, rejected(collection))
    return _summary(table, labelled, opinions, found, vectors, options, tried), table


def _rows(
    labelled: Labelled, opinions: Opinions, found: Suspicions, no: set[tuple[str, str]]
) -> pa.Table:
    names = np.array(labelled.names, object)
    order = found.order
    of = labelled.rows.select(["row_id", "picture_id", "uri", "member", "frame"])
    pictures, ids = of["picture_id"].to_pylist(), of["row_id"].to_pylist()
    suggested = [labelled.names[code] for code in found.suggested.tolist()]
    refused = np.array([pair in no for pair in zip(pictures, suggested, strict=True)], bool)
    suspected = found.suspected & ~refused
    given = names[labelled.y].tolist()
    near = [
        nearest_rows(opinions.near[place], opinions.cosines[place], ids, given)
        if suspected[place]
        else None
        for place in order.tolist()
    ]
    columns = {
        "given": np.array(given, object),
        "suggested": names[found.suggested],
        "probability": found.probability,
        "given_probability": found.given,
        "votes": opinions.votes[np.arange(len(suspected)), found.suggested],
        "score": found.score,
        "suspected": suspected,
        "rejected": refused,
    }
    table = of.take(pa.array(order))
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values[order], LABEL_ERRORS.field(name).type))
    table = table.append_column("rank", pa.array(np.arange(1, len(order) + 1), pa.int32()))
    return table.append_column("near", pa.array(near, NEAR)).cast(LABEL_ERRORS)


def _summary(
    table: pa.Table,
    labelled: Labelled,
    opinions: Opinions,
    found: Suspicions,
    vectors: Vectors,
    options: LabelErrorOptions,
    tried: dict[str, float],
) -> dict[str, Any]:
    suspects = table.filter(table["suspected"])
    pairs = Counter(
        zip(suspects["given"].to_pylist(), suspects["suggested"].to_pylist(), strict=True)
    )
    judged = Counter(table["given"].to_pylist())
    wrong = Counter(suspects["given"].to_pylist())
    notes = labelled.notes()
    if vectors.failed:
        notes.append(f"Labelled pictures that cannot be read any more: {vectors.failed:,}.")
    agreement = float(opinions.agreement(labelled.y).mean())
    if agreement < _UNSURE:
        notes.append(
            f"Others agree with {agreement:.0%} of the labels only: labels mean nearly the same, "
            "or cannot be told by these features. Many that are suspected may be right; look at "
            "the first before accepting more."
        )
    if tried:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in tried.items())
        notes.append(f"Judged by {vectors.features}; agreement with the labels: {shares}.")
    return {
        "pictures": table.num_rows,
        "labels": len(labelled.names),
        "suspected": suspects.num_rows,
        "estimated": found.wrong,
        "rejected": int(np.sum(table["rejected"].to_numpy())),
        "agreement": agreement,
        "features": vectors.features,
        "tried": tried,
        "model": None if vectors.features == "designed" else options.model,
        "tied": int(len(labelled.y) - len(np.unique(labelled.units))),
        "of_label": {
            name: {"pictures": judged[name], "suspected": wrong[name]} for name in labelled.names
        },
        "confused": [
            {"given": given, "suggested": other, "pictures": count}
            for (given, other), count in pairs.most_common(20)
        ],
        "notes": notes,
    }
