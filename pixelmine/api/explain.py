"""Why a model answers what it answers: where it looks, and what it has learnt that from."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from pixelmine.classify.activation import explain
from pixelmine.core import PassPolicy, Policy, clear
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError, SourceError, UsageError
from pixelmine.input import SourceOptions
from pixelmine.looking import preparing
from pixelmine.models import load_bundle
from pixelmine.pipeline import Recognise, load_model
from pixelmine.store import Collection

from .predicted import embeddings_table, settle
from .sources import open_sources
from .thumbnails import Thumbnails

__all__ = ["Explained", "Near", "explain_picture"]

_PLACE = ["row_id", "uri", "member", "frame", "offset", "length", "size", "mtime_ns"]
_COLUMNS = [*_PLACE, "content_id", "picture_id"]
_INCHES = 2.2
_LINE = 0.16


@dataclass(frozen=True, kw_only=True)
class Near:
    """A known picture. `similarity`: the cosine of the two embeddings. `row`: of IMAGES."""

    uri: str
    member: str
    labels: list[str]
    similarity: float
    row: dict[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = ("uri", "member", "labels", "similarity")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class Explained:
    """An answer with its reasons.

    `answer`: `top`, `decision`, `set`, `ood`. `label`: what is explained. `heat`: float32 (H, W), 0
    to 1, over `pixels`, uint8 (H, W, C): the picture as the model gets it. `near`: nearest first.
    """

    uri: str
    model: str
    answer: dict[str, Any]
    label: str
    heat: np.ndarray = field(repr=False)
    pixels: np.ndarray = field(repr=False)
    near: list[Near]
    out: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON, without the arrays."""
        about = {"uri": self.uri, "model": self.model, **self.answer, "label": self.label}
        return {**about, "near": [one.to_dict() for one in self.near], "explanation": self.out}


def explain_picture(
    model: str | Path,
    picture: str | Path,
    *,
    collection: str | Path | None = None,
    out: str | Path | None = None,
    label: str | None = None,
    near: int = 6,
    top: int = 5,
    runtime: str = "auto",
    precision: str = "auto",
    allow_private: bool = False,
    overwrite: bool = False,
    policy: Policy | None = None,
) -> Explained:
    """Explain what a model says of one picture; of several frames the first.

    `label`: what to explain, if not the best label. `collection`: one that this model has
    predicted; of its pictures, where the bundle names them of those it was trained on, the `near`
    most alike are shown. `out`: a PNG of it all, which must not be there yet, unless `overwrite`.
    `top`, `runtime`, `precision`, `allow_private`: as `predict` has them. Raises UsageError,
    SourceError, ModelError, CollectionError, OutputError.
    """
    policy = policy or PassPolicy()
    if out is not None and Path(out).suffix.lower() != ".png":
        raise UsageError(f"An explanation is a .png file. Got {str(out)!r} instead.")
    if out is not None and Path(out).exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give another --explain, or --overwrite.")
    bundle = load_bundle(str(model))
    stage = settle(Recognise(bundle=bundle, runtime=runtime, precision=precision))
    loaded = load_model(bundle, stage.runtime, stage.precision)
    uri, pixels = _look(picture, stage, SourceOptions(allow_private=allow_private))
    found = loaded.network.run(loaded.take(pixels))
    logits, embedding = found.logits.mean(0, keepdims=True), found.embedding.mean(0, keepdims=True)
    answer = loaded.head.answers(logits, embedding, top)[0]
    label = label if label is not None else str(answer["top"][0]["label"])
    heat = explain(loaded, pixels, label, bundle.files["model.onnx"])
    known = _nearest(Path(collection), stage, embedding[0], near) if collection else []
    shown = Explained(
        uri=_cleared([{"uri": uri}], policy)[0]["uri"],
        model=bundle.card.name,
        answer=answer,
        label=label,
        heat=heat,
        pixels=pixels if pixels.ndim == 3 else pixels[-1],
        near=_near_cleared(known, policy),
        out=str(out) if out is not None else None,
    )
    if out is not None:
        _write(shown, Path(out), collection, policy)
    return shown


def _cleared(rows: list[dict[str, Any]], policy: Policy) -> list[dict[str, Any]]:
    """Rows through the release gate; what a policy takes away is empty."""
    let = clear(pa.RecordBatch.from_pylist(rows), policy).item.to_pylist()
    return [
        {name: row.get(name, "") for name in before} for before, row in zip(rows, let, strict=True)
    ]


def _near_cleared(known: list[Near], policy: Policy) -> list[Near]:
    if not known:
        return []
    names = ("uri", "member", "labels")
    rows = _cleared([{name: getattr(one, name) for name in names} for one in known], policy)
    return [
        replace(one, **{**row, "labels": row["labels"] or []})
        for one, row in zip(known, rows, strict=True)
    ]


def _look(picture: str | Path, stage: Recognise, options: SourceOptions) -> tuple[str, np.ndarray]:
    """A picture's URI, and its pixels as the preprocessing gives them."""
    rows = next(open_sources([picture], options).list())
    if rows.num_rows != 1:
        raise UsageError(f"One picture is explained at a time. {picture} holds more.")
    as_pixels = stage.bundle.card.model_copy(update={"features": None})
    looks = preparing(as_pixels, stage)
    try:
        look = next(looks(rows.to_pylist()))
        found = next(look.pixels(), None)
        if found is None:
            reason = next(look.rows())["reason"]
            raise SourceError(f"{picture} cannot be explained: {reason}.")
        return str(look.row["uri"]), found
    finally:
        looks.close()


def _nearest(path: Path, stage: Recognise, embedding: np.ndarray, count: int) -> list[Near]:
    """The known pictures most alike, each once."""
    with Collection.open(path) as collection:
        best = _most_alike(collection, stage, embedding, count)
        if not best:
            name = stage.bundle.card.name
            raise UsageError(
                f"{path} holds no picture that {name} has predicted, and learnt from where it says "
                f"from which. Predict it first: pixelmine predict {path} --model {name}."
            )
        rows = {
            row["picture_id"]: row
            for row in collection.images.read(_COLUMNS, _among("picture_id", best)).to_pylist()
        }
        ids = [row["row_id"] for row in rows.values()]
        said = collection.labels.read(["row_id", "labels", "time"], _among("row_id", ids))
    labels = {row["row_id"]: row["labels"] for row in said.sort_by("time").to_pylist()}
    return [
        Near(
            uri=row["uri"],
            member=row["member"],
            labels=labels.get(row["row_id"], []),
            similarity=best[picture],
            row=row,
        )
        for picture in best
        if (row := rows.get(picture)) is not None
    ]


def _most_alike(
    collection: Collection, stage: Recognise, embedding: np.ndarray, count: int
) -> dict[str, float]:
    """picture_id to cosine, the highest first."""
    best: list[tuple[str, float]] = []
    table = embeddings_table(collection, stage)
    for batch in table.scan(["picture_id", "values"]):
        values = batch["values"].flatten().to_numpy().reshape(batch.num_rows, -1)
        size = np.linalg.norm(values, axis=1) * np.linalg.norm(embedding)
        alike = (values @ embedding / np.maximum(size, 1e-12)).tolist()
        names = batch["picture_id"].to_pylist()
        known = set(names)
        if "seen.bin" in stage.bundle.files:
            known = set(stage.bundle.has_seen(names))
        best += [pair for pair in zip(names, alike, strict=True) if pair[0] in known]
        best = sorted(best, key=lambda pair: (-pair[1], pair[0]))[:count]
    return dict(best)


def _among(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _write(shown: Explained, out: Path, collection: str | Path | None, policy: Policy) -> None:
    """One row: the picture, where the label is seen, then the nearest known pictures."""
    tiles = [(_rgb(shown.pixels), _title(shown)), (_overlay(shown), f"where: {shown.label}")]
    if collection is not None:
        with Collection.open(collection) as opened:
            thumbnails = Thumbnails.of_rows([near.row for near in shown.near], opened.bytes)
        for index, near in enumerate(shown.near):
            title = f"{', '.join(near.labels)}\nalike {near.similarity:.2f}"
            tiles.append((thumbnails.at(index), title))
    try:
        with replace_file(out) as temporary:
            _draw([(clear(pixels, policy).item, title) for pixels, title in tiles], temporary)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}.") from error


def _title(shown: Explained) -> str:
    best, answer = shown.answer["top"][0], shown.answer
    lines = [f"{best['label']} {best['probability']:.1%}"]
    if answer["decision"] is None:
        lines.append("not decided")
    if answer["ood"] is not None:
        lines.append(f"odder than {answer['ood']:.1%}")
    return "\n".join(lines)


def _overlay(shown: Explained) -> np.ndarray:
    """Grey, with warm colours where the label is seen; uint8 (H, W, 3) RGB."""
    grey = cv2.cvtColor(cv2.cvtColor(_rgb(shown.pixels), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    heat = np.round(shown.heat * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = 0.7 * shown.heat[..., None]
    return np.asarray(np.round((1 - share) * grey + share * colours), np.uint8)


def _rgb(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _draw(tiles: list[tuple[np.ndarray, str]], path: Path) -> None:
    from matplotlib.figure import Figure

    lines = max(title.count("\n") + 1 for _, title in tiles)
    height = _INCHES + (lines + 1) * _LINE
    figure = Figure(figsize=(_INCHES * len(tiles), height))
    places = np.atleast_1d(figure.subplots(1, len(tiles)))
    edges = {"left": 0.0, "right": 1.0, "bottom": 0.0, "top": _INCHES / height}
    figure.subplots_adjust(**edges, wspace=0.04)
    for axes, (pixels, title) in zip(places, tiles, strict=True):
        axes.imshow(pixels, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    figure.savefig(path, format="png", dpi=140)
