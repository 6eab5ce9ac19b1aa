"""`pixelmine predict`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Engine, Json, Model, Overwrite, Precision, Runtime, Strict
from .terminal import finish, many, out, printable, run, short

__all__ = ["predict"]


def predict(
    source: Annotated[Path, typer.Argument(help="A picture, a folder, or a collection.")],
    model: Model = "efficientnet-lite0",
    top: Annotated[int, typer.Option(help="How many labels of each picture.")] = 5,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write .jsonl, .csv or .parquet.")
    ] = None,
    overwrite: Overwrite = False,
    engine: Engine = "auto",
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Recognise pictures with the bundled model or with yours.

    Every file is a row: a broken one with its reason. With --out a killed run goes on when the
    same command is given again.

        pixelmine predict holiday.jpg

        pixelmine predict photos/ --out results.jsonl
    """
    with run(as_json) as progress:
        from pixelmine.api.predict import predict as call

        show = None if as_json else _Lines(source, top)
        found = call(
            source,
            model=model,
            top=top,
            out=out_file,
            engine=engine,
            runtime=runtime,
            precision=precision,
            overwrite=overwrite,
            show=show,
            progress=progress,
        )
    counts = found.counts
    if not as_json and (out_file or counts.rows > 1):
        reasons = ", ".join(f"{count:,} {name}" for name, count in counts.reasons.most_common())
        bad = f", {counts.failed:,} failed ({reasons})" if counts.failed else ""
        where = f" Results: {short(out_file)}" if out_file else ""
        text = f"{many(counts.rows, 'picture')}: {counts.ok:,} recognised{bad}.{where}"
        progress.note(text)
    finish(found.to_dict(), as_json, strict, counts.failed)


class _Lines:
    """Shows results as they come: a small table for one picture, a line for each of many."""

    def __init__(self, source: Path, top: int) -> None:
        self.source, self.top = source, top
        self.console = out()

    def __call__(self, rows: Any) -> None:
        for row in rows.to_pylist():
            if self.source.is_file():
                self._one(row)
            else:
                self._line(row)

    def _one(self, row: dict[str, Any]) -> None:
        if row["reason"]:
            self.console.print(f"failed: {row['reason']}", style="yellow")
        for entry in row["top"] or ():
            bar = "█" * round(entry["probability"] * 30)
            share = f"{entry['probability']:6.1%}"
            self.console.print(f"{share}  {entry['label']:<28} {bar}")

    def _line(self, row: dict[str, Any]) -> None:
        """Tab-separated: path, label, probability; or path, failed, reason."""
        if row["reason"]:
            found = ("failed", row["reason"])
        else:
            decision = "|".join(row["decision"]) if row["decision"] else "?"
            found = (decision, f"{row['top'][0]['probability']:.3f}")
        print(_below(row["uri"], self.source), *map(printable, found), sep="\t")


def _below(uri: str, source: Path) -> str:
    from pixelmine.core.ids import uri_path

    path = uri_path(uri)
    root = source.absolute()
    name = path.relative_to(root) if path.is_relative_to(root) else path
    return printable(str(name))
