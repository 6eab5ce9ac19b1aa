"""`pixelmine predict`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    AllowPrivate,
    Engine,
    Frames,
    Idle,
    Json,
    Model,
    Overwrite,
    PictureColumn,
    Precision,
    Query,
    RayAddress,
    Runtime,
    Strict,
    Watch,
)
from .terminal import finish, many, out, printable, run, short

if TYPE_CHECKING:
    from pixelmine.api.explain import Explained

__all__ = ["predict"]

_NAMED = 8
"""Labels of a prediction set that are named."""

_ODD = 0.99
"""A picture odder than so many is pointed out."""


def predict(
    source: Annotated[
        str,
        typer.Argument(
            help="A picture, folder, archive, table, URL, database or stream; or a collection."
        ),
    ],
    model: Model = "efficientnet-lite0",
    top: Annotated[int, typer.Option(help="How many labels of each picture.")] = 5,
    out_file: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE|URL",
            help="A .jsonl, .csv, .parquet or .arrow file, a folder/ of Parquet, a database, a "
            "broker or a webhook.",
        ),
    ] = None,
    partition_by: Annotated[
        str | None, typer.Option(help="With a folder/ of Parquet: the column to divide by.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Where a run towards a URL remembers what it delivered.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="Of one picture: a .png of where the model sees the label."),
    ] = None,
    explain_label: Annotated[
        str | None, typer.Option(help="With --explain: another label than the best.")
    ] = None,
    near_in: Annotated[
        Path | None,
        typer.Option(help="With --explain: a collection whose most alike pictures are shown."),
    ] = None,
    overwrite: Overwrite = False,
    picture_column: PictureColumn = None,
    query: Query = None,
    frames: Frames = "auto",
    allow_private: AllowPrivate = False,
    watch: Watch = False,
    idle: Idle = None,
    engine: Engine = "auto",
    ray_address: RayAddress = None,
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Recognise pictures with the bundled model or with yours.

    Every file is a row: a broken one with its reason. With --out a killed run goes on when the
    same command is given again.

        pixelmine predict holiday.jpg

        pixelmine predict holiday.jpg --explain why.png

        pixelmine predict photos/ --out results.jsonl

        pixelmine predict photos.zip --out "postgresql://me@localhost/shop?table=answers"

        pixelmine predict nats://localhost/pictures --out nats://localhost/answers
    """
    with run(as_json) as progress:
        from pixelmine.api.endless import predict_endless
        from pixelmine.api.predict import predict as call
        from pixelmine.core.errors import UsageError
        from pixelmine.engine import EngineOptions
        from pixelmine.input import SourceOptions
        from pixelmine.input.feeds import is_feed

        if explain is not None:
            others = (
                out_file,
                partition_by,
                state,
                picture_column,
                query,
                watch,
                idle,
                ray_address,
            )
            if any(others) or is_feed(source) or (frames, engine) != ("auto", "auto"):
                raise UsageError(
                    "--explain takes one picture, and of the other options --model, --top, "
                    "--runtime, --precision, --allow-private and --overwrite."
                )
            from pixelmine.api.explain import explain_picture

            shown = explain_picture(
                model,
                source,
                collection=near_in,
                out=explain,
                label=explain_label,
                top=top,
                runtime=runtime,
                precision=precision,
                allow_private=allow_private,
                overwrite=overwrite,
            )
            if not as_json:
                _explained(shown, explain)
            finish(shown.to_dict(), as_json)
            return
        if explain_label is not None or near_in is not None:
            raise UsageError("--explain-label and --near-in go with --explain FILE.png.")
        options = SourceOptions(
            picture_column=picture_column, query=query, allow_private=allow_private
        )
        asked: dict[str, Any] = {
            "model": model,
            "top": top,
            "out": out_file,
            "state": state,
            "options": options,
            "frames": frames,
            "runtime": runtime,
            "precision": precision,
            "overwrite": overwrite,
            "show": None if as_json else _Lines(source, top),
            "progress": progress,
        }
        if watch or is_feed(source):
            found = predict_endless(source, idle_s=idle, **asked)
        else:
            place = EngineOptions(name=engine, ray_address=ray_address)
            found = call(source, partition_by=partition_by, engine=place, **asked)
    counts = found.counts
    if not as_json and (out_file or counts.rows > 1):
        reasons = ", ".join(f"{count:,} {name}" for name, count in counts.reasons.most_common())
        bad = f", {counts.failed:,} failed ({reasons})" if counts.failed else ""
        where = (
            f" Results: {found.out if '://' in found.out else short(found.out)}"
            if found.out
            else ""
        )
        text = f"{many(counts.rows, 'picture')}: {counts.ok:,} recognised{bad}.{where}"
        progress.note(text)
    finish(found.to_dict(), as_json, strict, counts.failed)


def _explained(shown: "Explained", path: Path) -> None:
    """One picture's answer with its reasons."""
    console = out()
    _answer(console, shown.answer)
    for near in shown.near:
        name = printable(" ".join(filter(None, (near.uri, near.member))))
        labels = printable(", ".join(near.labels))
        console.print(f"alike {near.similarity:.2f}  {labels:<28} {name}")
    console.print(f"Explanation of {printable(shown.label)}: {short(path)}")


def _answer(console: Any, row: Mapping[str, Any]) -> None:
    """A small table of the best labels, and what is to be said of the decision."""
    for entry in row["top"] or ():
        bar = "█" * round(entry["probability"] * 30)
        share = f"{entry['probability']:6.1%}"
        console.print(f"{share}  {printable(entry['label']):<28} {bar}")
    decision, inside = row["decision"], row["set"]
    if decision is None:
        console.print("Not decided: the model is not sure enough.", style="yellow")
    elif decision != [entry["label"] for entry in row["top"][:1]]:
        console.print(f"Labels: {printable(', '.join(decision)) or 'none'}")
    if inside is not None and set(inside) != set(decision or ()):
        more = f" and {len(inside) - _NAMED} more" if len(inside) > _NAMED else ""
        named = printable(", ".join(inside[:_NAMED])) or "none of them"
        console.print(f"It may be: {named}{more}")
    if row["ood"] is not None and row["ood"] > _ODD:
        console.print(
            f"Odder than {row['ood']:.1%} of the pictures that it was judged on.", style="yellow"
        )


class _Lines:
    """Shows results as they come: a small table for one picture, a line for each of many."""

    def __init__(self, source: str, top: int) -> None:
        self.root, self.top = Path(source).absolute(), top
        self.single = self.root.is_file()
        self.console = out()

    def __call__(self, rows: Any) -> None:
        for row in rows.to_pylist():
            if self.single and not row["member"] and not row["frame"]:
                self._one(row)
            else:
                self._line(row)

    def _one(self, row: dict[str, Any]) -> None:
        if row["reason"]:
            self.console.print(f"failed: {row['reason']}", style="yellow")
        else:
            _answer(self.console, row)

    def _line(self, row: dict[str, Any]) -> None:
        """Tab-separated: path, label, probability; or path, failed, reason."""
        if row["reason"]:
            found = ("failed", row["reason"])
        else:
            decision = "?" if row["decision"] is None else "|".join(row["decision"]) or "-"
            found = (decision, f"{row['top'][0]['probability']:.3f}")
        print(_place(row, self.root), *map(printable, found), sep="\t")


def _place(row: dict[str, Any], root: Path) -> str:
    """A picture's name as its user knows it: below the source, the member, which frame."""
    from pixelmine.core.ids import uri_path

    name = row["uri"]
    if name.startswith("file://"):
        path = uri_path(name)
        inside = path != root and path.is_relative_to(root)
        name = str(path.relative_to(root)) if inside else str(path)
        name = row["member"] if path == root and row["member"] else name
    elif row["member"]:
        name = f"{name} {row['member']}"
    frame = f" [{row['frame']}]" if row["frame"] else ""
    return printable(name + frame)
