"""`pixelmine evaluate`."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AllowLeaks, Engine, Json, Language, Precision, Runtime
from .terminal import finish, out, run, short, table

if TYPE_CHECKING:
    from pixelmine.evaluate import Evaluation, MultiLabelEvaluation

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle or a model's name.")],
    source: Annotated[Path, typer.Argument(help="A collection, or a folder of idx files.")],
    split: Annotated[
        str | None, typer.Option(help="ID or ID:FOLD; by default the one of the training.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="A report: .html, .md or .json.")] = None,
    top: Annotated[str, typer.Option(help="Each k of top-k accuracy: 3,5.")] = "5",
    slice_by: Annotated[
        str, typer.Option(help="Columns to slice by: a,b; auto: what the collection keeps; none.")
    ] = "auto",
    allow_leaks: AllowLeaks = False,
    language: Language = "en",
    engine: Engine = "auto",
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
) -> None:
    """Measure a model on pictures it has not learnt from: part `test`, or the t10k files.

    Pictures that it was trained on are refused, and a split with copies of them.

        pixelmine evaluate digits.bundle mnist/ --report report.html
    """
    with run(as_json) as progress:
        from pixelmine.api.evaluate import evaluate_model as call
        from pixelmine.engine import EngineOptions

        found = call(
            model,
            source,
            split=split,
            report=report,
            top=_whole_numbers(top),
            slice_by=slice_by,
            allow_leaks=allow_leaks,
            engine=EngineOptions(name=engine),
            runtime=runtime,
            precision=precision,
            progress=progress,
            language=language,
            command=shlex.join(["pixelmine", *sys.argv[1:]]),
        )
        for why, count in found.left_out.items():
            progress.note(f"{count:,} pictures left out: {why}.")
        for reason, count in found.failed.items():
            progress.note(f"{count:,} pictures cannot be read any more: {reason}.")
    if not as_json:
        table(dict(_figures(found.evaluation)))
        if report:
            out().print(f"Report: {short(report)}")
    finish(found.to_dict(), as_json)


def _whole_numbers(text: str) -> list[int]:
    from pixelmine.core.errors import UsageError

    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--top must be whole numbers, as in 3,5. Got {text!r} instead.")
    return [int(part) for part in parts]


def _figures(one: "Evaluation | MultiLabelEvaluation") -> Iterator[tuple[str, str]]:
    from pixelmine.evaluate import MultiLabelEvaluation
    from pixelmine.evaluate.markdown import figure_name

    whole = one.subset_accuracy if isinstance(one, MultiLabelEvaluation) else one.accuracy
    yield "pictures", f"{whole.pictures:,}"
    for name, figure in one.figures():
        interval = "" if figure.low is None else f"   {figure.low:.4f} to {figure.high:.4f} (95 %)"
        yield figure_name(name), f"{figure.value:.4f}{interval}"
    if isinstance(one, MultiLabelEvaluation):
        yield "wrong decisions on a label", f"{one.wrong_labels:.4f}"
        return
    yield "calibration error", f"{one.calibration_error:.4f}"
    for part in one.slices[:3]:
        if part.differs and part.below > 0:
            found = f"{part.right.value:.4f}, below the others (p {part.p:.2g})"
            yield f"{part.by} {part.value}", found
