"""`pixelmine evaluate`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Engine, Json, Language, Precision, Runtime
from .terminal import finish, out, run, short, table

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle or a model's name.")],
    source: Annotated[Path, typer.Argument(help="A collection, or a folder of idx files.")],
    split: Annotated[
        str | None, typer.Option(help="ID or ID:FOLD; by default the one of the training.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report.")] = None,
    language: Language = "en",
    engine: Engine = "auto",
    runtime: Runtime = "auto",
    precision: Precision = "auto",
    as_json: Json = False,
) -> None:
    """Measure a model on pictures it has not learnt from: part `test`, or the t10k files.

    Pictures that it was trained on are refused.

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
        one = found.evaluation
        rate = one.accuracy
        interval = f"{rate.low:.4f} to {rate.high:.4f} (95 %)"
        shown = {
            "pictures": f"{rate.pictures:,}",
            "accuracy": f"{rate.value:.4f}   {interval}",
            **({"top 5": f"{one.top5.value:.4f}"} if one.top5 else {}),
            "balanced accuracy": f"{one.balanced_accuracy:.4f}",
            "macro F1": f"{one.macro_f1:.4f}",
            "calibration error": f"{one.calibration_error:.4f}",
        }
        table(shown)
        if report:
            out().print(f"Report: {short(report)}")
    finish(found.to_dict(), as_json)
