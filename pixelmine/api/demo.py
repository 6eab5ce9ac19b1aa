"""The demo: the whole way from messy pictures to recognised results, offline."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core import PassPolicy, Reason
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import uri_path
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import RESULTS
from pixelmine.evaluate import Headline, Pile, Report, SplitOptions, write_report
from pixelmine.evaluate.texts import LANGUAGES, Language
from pixelmine.input.labels import LabelOptions
from pixelmine.store import Collection, labelled_pictures

from .demo_pictures import Mess, copy_photographs, write_digits
from .evaluate import Evaluated, evaluate_model
from .ingest import Ingested, ingest
from .predict import Predicted, predict
from .split import split
from .thumbnails import gallery
from .train import train_model

__all__ = ["run_demo"]

_MARK = ".pixelmine-demo"


def run_demo(
    folder: str | Path, *, language: Language = "en", progress: Progress | None = None
) -> dict[str, Any]:
    """Run the demo into a folder of its own; gives its figures and the report's path.

    An earlier demo in that folder is replaced; any other folder is refused.
    """
    check_one_of("language", language, LANGUAGES)
    begun = time.monotonic()
    demo = _Demo(Path(folder).absolute(), progress or SilentProgress())
    demo.begin()
    photographs = demo.photographs()
    mess = write_digits(demo.folder / "digits")
    ingested = demo.ingest(mess)
    split_id = demo.train()
    found = demo.evaluate()
    recognised = demo.recognise(split_id)
    report = _report(found, photographs, ingested, demo.commands, language)
    write_report(demo.folder / "report.html", report)
    figures = _figures(found, mess, recognised)
    demo.progress.note(
        f"Accuracy {figures['accuracy']:.3f} against the labels as given. Of the "
        f"{figures['mistakes']} mistakes {figures['planted']} are wrong labels that were planted; "
        f"against the right labels it is {figures['true_accuracy']:.3f}."
    )
    seconds = round(time.monotonic() - begun, 1)
    return {"report": str(demo.folder / "report.html"), **figures, "seconds": seconds}


class _Demo:
    """The steps, each shown as the command that does the same."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder, self.progress = folder, progress
        self.commands: list[str] = []

    def begin(self) -> None:
        foreign = self.folder.exists() and not (self.folder / _MARK).is_file()
        if foreign and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise UsageError(f"{self.folder} holds something else. Give --out a new folder.")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / _MARK).touch()

    def photographs(self) -> pa.Table:
        """RESULTS of the photographs, as the result file has them."""
        count = copy_photographs(self.folder / "photographs")
        self._step(
            f"{count} photographs and drawings, recognised by the bundled model",
            "pixelmine predict photographs --out photographs.jsonl",
        )
        out = self.folder / "photographs.jsonl"
        predict(self.folder / "photographs", out=out, progress=self.progress)
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        rows.sort(key=lambda row: row["uri"])
        for row in rows:
            best = row["top"][0]
            name = uri_path(row["uri"]).name
            self.progress.note(f"  {name:<18} {best['label']}, {best['probability']:.0%}")
        return pa.Table.from_pylist(rows, RESULTS)

    def ingest(self, mess: Mess) -> Ingested:
        self._step(
            f"{mess.pictures:,} handwritten digits as files, with {mess.copies} copies, "
            f"{mess.broken} broken files and {len(mess.wrong)} wrong labels planted",
            "pixelmine ingest digits --into digits.pixels --labels labels.csv",
        )
        labels = LabelOptions(labels=str(self.folder / "labels.csv"))
        into = self.folder / "digits.pixels"
        found = ingest([self.folder / "digits"], into, labels=labels, progress=self.progress)
        reasons = ", ".join(f"{count} {name}" for name, count in found.counts.reasons.items())
        self.progress.note(f"  {found.counts.ok:,} good, {found.counts.failed} failed ({reasons})")
        return found

    def train(self) -> str:
        """Split and train; gives the split id."""
        self._step("Divided so that copies stay on one side", "pixelmine split digits.pixels")
        split_id, parts = split(self.folder / "digits.pixels", SplitOptions())
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(parts.items()))
        self.progress.note(f"  {told}")
        self._step(
            "A small convolutional network (Conv 32, Conv 64, Dense 128), 10 epochs",
            f"pixelmine train digits.pixels --split {split_id[:8]} --out digits.bundle",
        )
        source, out = self.folder / "digits.pixels", self.folder / "digits.bundle"
        train_model(source, out, split=split_id, progress=self.progress)
        return split_id

    def evaluate(self) -> Evaluated:
        self._step(
            "How good is it on pictures that it has not seen?",
            "pixelmine evaluate digits.bundle digits.pixels --report report.html",
        )
        bundle = self.folder / "digits.bundle"
        return evaluate_model(bundle, self.folder / "digits.pixels", progress=self.progress)

    def recognise(self, split_id: str) -> Predicted:
        """The held-out pictures as a folder of files, to results."""
        count = self._copy_held_out(split_id)
        self._step(
            f"{count} held-out pictures, recognised by the new model",
            "pixelmine predict held-out --model digits.bundle --out held-out.jsonl",
        )
        return predict(
            self.folder / "held-out",
            model=self.folder / "digits.bundle",
            out=self.folder / "held-out.jsonl",
            progress=self.progress,
        )

    def _step(self, text: str, command: str) -> None:
        self.commands.append(command)
        self.progress.note(f"{text}\n  $ {command}")

    def _copy_held_out(self, split_id: str) -> int:
        (self.folder / "held-out").mkdir()
        with Collection.open(self.folder / "digits.pixels") as collection:
            rows = labelled_pictures(collection, split_id).to_pylist()
        paths = [uri_path(row["uri"]) for row in rows if row["part"] == "test"]
        for path in paths:
            shutil.copyfile(path, self.folder / "held-out" / path.name)
        return len(paths)


def _figures(found: Evaluated, mess: Mess, recognised: Predicted) -> dict[str, Any]:
    mistakes = found.of_one_label.mistakes
    names = [(uri_path(mistake.uri).name, mistake.answer) for mistake in mistakes]
    planted = [name for name, _ in names if name in mess.wrong]
    healed = sum(mess.truth[name] == answer for name, answer in names)
    accuracy = found.of_one_label.accuracy
    tested = set(mess.wrong) & {uri_path(uri).name for uri in found.uris}
    missed = len(tested) - len(planted)  # a wrong label that the model agrees with
    return {
        "accuracy": accuracy.value,
        "accuracy_interval": [accuracy.low, accuracy.high],
        "tested": accuracy.pictures,
        "recognised": recognised.counts.ok,
        "mistakes": len(mistakes),
        "planted": len(planted),
        "true_accuracy": (accuracy.hits + healed - missed) / accuracy.pictures,
    }


def _report(
    found: Evaluated,
    photographs: pa.Table,
    ingested: Ingested,
    commands: list[str],
    language: Language,
) -> Report:
    policy = PassPolicy()
    reasons = {Reason(name): count for name, count in ingested.counts.reasons.items()}
    pile = Pile(pictures=ingested.listed, failed=reasons)
    base = found.report(policy, tuple(commands), language)
    headline = Headline(
        model=found.bundle.card.name, pile=pile, accuracy=found.of_one_label.accuracy
    )
    return replace(base, headline=headline, gallery=gallery(photographs, policy), pile=pile)
