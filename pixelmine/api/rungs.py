"""The rungs of a ladder: recipes trained one after the other, then all of them measured."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import PixelmineError, UsageError
from pixelmine.core.progress import Progress
from pixelmine.evaluate import Rung
from pixelmine.evaluate.cost import BATCH, Cost, measure_cost
from pixelmine.input import read, read_part
from pixelmine.store import Collection, is_collection, labelled_pictures

from .evaluate import Evaluated, evaluate_model
from .train import Epoch, train_model

__all__ = ["Climb", "Tools", "sample"]

Picture = bytes | np.ndarray


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a comparison is done with; another training is one that keeps to `train_model`."""

    train: Callable[..., dict[str, Any]] = train_model
    evaluate: Callable[..., Evaluated] = evaluate_model
    cost: Callable[..., Cost] = measure_cost
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class Climb:
    """One comparison: what of, where to, and with what. `runtime`: its name, and precision."""

    source: Path
    out: Path
    split: str | None
    seed: int
    runtime: tuple[str, str]
    progress: Progress
    on_epoch: Epoch | None
    tools: Tools
    allow_leaks: bool = False

    def rungs(self, recipes: Sequence[str], minutes: float | None) -> list[Rung]:
        """One a recipe, all trained before the first is measured, so that they are measured alike.

        `minutes`: for all trainings together.
        """
        failed = self._train_all(recipes, minutes)
        pictures = sample(self.source, self.split) if len(failed) < len(recipes) else []
        return [
            Rung(name=name, reason=failed[name]) if name in failed else self._rung(name, pictures)
            for name in recipes
        ]

    def _train_all(self, recipes: Sequence[str], minutes: float | None) -> dict[str, str]:
        """Train what is not there yet; the reason for each that failed."""
        failed: dict[str, str] = {}
        waiting = [name for name in recipes if not self._bundle(name).exists()]
        end = self.tools.clock() + 60 * (minutes or 0.0)
        for place, name in enumerate(waiting):
            left = (end - self.tools.clock()) / 60 if minutes is not None else None
            if left is not None and left <= 0:
                failed[name] = (
                    f"No time was left of the {minutes:g} minutes. The same command trains it."
                )
                continue
            self.progress.note(f"{name}: training ({place + 1} of {len(waiting)})")
            try:
                self._train(name, None if left is None else left / (len(waiting) - place))
            except PixelmineError as error:
                failed[name] = str(error)
                self.progress.note(f"{name}: {error}")
        return failed

    def _train(self, name: str, minutes: float | None) -> None:
        self.tools.train(
            self.source,
            self._bundle(name),
            recipe=name,
            split=self.split,
            seed=self.seed,
            minutes=minutes,
            allow_leaks=self.allow_leaks,
            progress=self.progress,
            on_epoch=self.on_epoch,
        )

    def _rung(self, name: str, pictures: Sequence[Picture]) -> Rung:
        self.progress.note(f"{name}: testing")
        bundle, (runtime, precision) = self._bundle(name), self.runtime
        how: dict[str, Any] = {"runtime": runtime, "precision": precision}
        try:
            found = self.tools.evaluate(
                bundle,
                self.source,
                split=self.split,
                slice_by="none",
                allow_leaks=self.allow_leaks,
                progress=self.progress,
                **how,
            )
        except PixelmineError as error:
            self.progress.note(f"{name}: {error}")
            return Rung(name=name, reason=str(error))
        card, evaluation = found.bundle.card, found.of_one_label
        return Rung(
            name=name,
            row_ids=tuple(found.row_ids),
            right=evaluation.right,
            auc=evaluation.ranking.auc if evaluation.ranking else None,
            cost=self._cost(name, pictures, how),
            train_seconds=card.training.seconds if card.training else None,
            digest=card.digest,
        )

    def _cost(self, name: str, pictures: Sequence[Picture], how: dict[str, Any]) -> Cost | None:
        try:
            return self.tools.cost(self._bundle(name), pictures, **how)
        except PixelmineError as error:
            self.progress.note(f"{name}: {error}")
            return None

    def _bundle(self, name: str) -> Path:
        return self.out / f"{name}.bundle"


def sample(source: Path, split: str | None, count: int = BATCH) -> list[Picture]:
    """Up to `count` pictures of the test part as they come: arrays, or the bytes of files."""
    if not is_collection(source):
        return list(read_part(source, "test").pixels[:count])
    with Collection.open(source) as collection:
        rows = labelled_pictures(collection, split)
        found: list[Picture] = []
        for row in rows.to_pylist():
            if row["part"] == "test" and len(found) < count and not row["frame"]:
                data = read({**row, "reason": None}, Limits(), collection.bytes)
                found += [] if isinstance(data, Reason) else [data]
    if not found:
        raise UsageError("No picture of the test part can be read any more.")
    return found
