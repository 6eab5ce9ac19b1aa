"""The ladder: several recipes on the same split, and which of them is enough."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pixelmine import __version__
from pixelmine.core.atomic import write_json
from pixelmine.core.checks import check_one_of, check_positive
from pixelmine.core.errors import RunError, SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.evaluate import (
    Ladder,
    Provenance,
    Report,
    check_form,
    make_ladder,
    write_report_as,
)
from pixelmine.evaluate.texts import Language
from pixelmine.input import is_idx_folder
from pixelmine.store import Collection, find_split, is_collection
from pixelmine.train.recipe import recipe_names

from .rungs import Climb, Tools
from .train import Epoch

__all__ = ["Compared", "compare_recipes"]

_ASKED = "compare.json"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The ladder, and the folder with the bundle of each recipe."""

    ladder: Ladder
    out: Path
    split: str | None
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        about = {"out": str(self.out), "split": self.split, "seed": self.seed}
        return {**about, **self.ladder.to_dict()}

    def report(self, command: str | None = None, language: Language = "en") -> Report:
        """The page: the verdict, accuracy against cost, and the table."""
        return Report(
            language=language,
            ladder=self.ladder,
            provenance=Provenance(
                date=datetime.now(UTC).isoformat(timespec="seconds"),
                split_id=self.split,
                seed=self.seed,
                versions={"pixelmine": __version__},
                commands=(command,) if command else (),
            ),
        )


def compare_recipes(
    source: str | Path,
    recipes: Sequence[str],
    *,
    out: str | Path,
    split: str | None = None,
    seed: int = 1,
    minutes: float | None = None,
    margin: float | None = None,
    allow_leaks: bool = False,
    runtime: str = "auto",
    precision: str = "auto",
    report: str | Path | None = None,
    language: Language = "en",
    command: str | None = None,
    progress: Progress | None = None,
    on_epoch: Epoch | None = None,
    tools: Tools | None = None,
) -> Compared:
    """Train each recipe on the same pictures, test all on the same part, and say which is enough.

    `source`: a collection, which needs `split` (`ID` or `ID:FOLD`), or an idx folder. `out`: a
    folder for the bundles; what is there from the same comparison is not trained again, and a
    training that was stopped goes on. `minutes`: for all trainings together; what one leaves over
    goes to the next. `margin`: how much less accurate is still enough, 0 to 1 (`Ladder`). A recipe
    that fails becomes a row with its reason. `report`: a file as `FORMS`
    has them, a page in `language`. Raises
    UsageError, SourceError, and RunError where `out` holds another comparison.
    """
    check_form(report)
    source, out = Path(source), Path(out)
    _check(source, recipes, split, minutes, margin)
    split = _whole(source, split)
    _open(out, {"source": str(source.absolute()), "split": split, "seed": seed})
    work = Climb(
        source=source,
        out=out,
        split=split,
        seed=seed,
        runtime=(runtime, precision),
        progress=progress or SilentProgress(),
        on_epoch=on_epoch,
        tools=tools or Tools(),
        allow_leaks=allow_leaks,
    )
    found = Compared(
        ladder=make_ladder(work.rungs(recipes, minutes), margin), out=out, split=split, seed=seed
    )
    if report is not None:
        write_report_as(
            Path(report),
            page=lambda: found.report(command, language),
            markdown=found.ladder.to_markdown,
            data=found.to_dict,
        )
    return found


def _check(
    source: Path,
    recipes: Sequence[str],
    split: str | None,
    minutes: float | None,
    margin: float | None,
) -> None:
    if not source.exists():
        raise SourceError(f"There is no collection and no folder of idx files at {source}.")
    if not recipes or len(set(recipes)) != len(recipes):
        raise UsageError(f"recipes must be names, each once. Got {', '.join(recipes)!r} instead.")
    for name in recipes:
        check_one_of("recipe", name, recipe_names())
    if minutes is not None:
        check_positive("minutes", minutes)
    if margin is not None and not 0 <= margin < 1:
        raise UsageError(f"margin must be a share from 0 up to 1. Got {margin:g} instead.")
    if is_collection(source) and split is None:
        raise UsageError(
            "A collection needs a split, so that all recipes are tested on the same pictures: "
            f"pixelmine split {shlex.quote(str(source))}, then --split ID."
        )
    if not is_collection(source) and not is_idx_folder(source):
        raise UsageError(f"{source} is neither a collection nor an idx folder.")
    if not is_collection(source) and split is not None:
        raise UsageError("--split goes with a collection; an idx folder's test part is t10k.")


def _whole(source: Path, split: str | None) -> str | None:
    """The split's whole name, as a card holds it."""
    if split is None:
        return None
    prefix, colon, fold = split.partition(":")
    with Collection.open(source) as collection:
        return find_split(collection, prefix) + colon + fold


def _open(out: Path, asked: dict[str, Any]) -> None:
    """Make the folder, or see that it holds the same comparison."""
    path = out / _ASKED
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}. Give --out a new folder.") from error
        if before != asked:
            differs = ", ".join(key for key in asked if before.get(key) != asked[key])
            raise RunError(
                f"{out} holds a comparison with another {differs}: its models cannot be compared "
                "with those of this one. Give --out a new folder."
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} holds something else. Give --out a new folder.")
    write_json(path, asked)
