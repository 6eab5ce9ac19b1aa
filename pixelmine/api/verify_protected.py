"""Look again at what `protect` wrote: whether anything is left that its rules take out."""

import json
import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pixelmine.core.errors import SourceError
from pixelmine.core.ids import uri_path
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.engine import EngineOptions, Run
from pixelmine.input import SourceOptions
from pixelmine.privacy.picture_rules import PictureRules

from .protect_stage import Protect
from .sources import open_sources
from .work import work_through

__all__ = ["Left", "verify_protected"]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was found in N protected pictures. `files`: to what is left in each, worst first.

    `found`: boxes by kind that a detector is sure of. `unsure`: pictures where one is unsure.
    `metadata`: pictures that still have some. `failed`: pictures that cannot be read.
    """

    pictures: int
    found: dict[str, int]
    unsure: int
    metadata: int
    failed: int
    files: dict[str, list[str]] = field(repr=False)

    @property
    def clean(self) -> bool:
        """Whether nothing is left that anything is sure of."""
        return not (self.found or self.metadata or self.failed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = ("pictures", "found", "unsure", "metadata", "failed", "clean", "files")
        return {name: getattr(self, name) for name in names}


def verify_protected(
    out: str | Path,
    *,
    engine: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Left:
    """Run the detectors of a protected folder's rules over it again, and look for metadata.

    Detectors that missed something once may miss it again: what this finds is left for certain,
    what it does not find may be. Raises SourceError where `protect` did not write the folder.
    """
    folder, progress = Path(out).absolute(), progress or SilentProgress()
    stage = Protect(rules=_rules(folder), uid_key=secrets.token_bytes(32), frames="auto")
    source = open_sources([folder / "pictures"], SourceOptions())
    found: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    files: dict[str, list[str]] = {}
    with (
        TemporaryDirectory(prefix="pixelmine-") as state,
        Run.open(Path(state), {"job": "verify", "source": source.uri}) as run,
    ):
        run.list(source.list)
        work = work_through(
            run, stage, tuple, engine or EngineOptions(), progress, "verify", lambda: None
        )
        for row in (row for batch in work for row in batch.to_pylist()):
            totals["pictures"] += 1
            if left := _left(row, found, totals):
                files[uri_path(row["uri"]).relative_to(folder).as_posix()] = left
    return Left(
        pictures=totals["pictures"],
        found=dict(found),
        unsure=totals["unsure"],
        metadata=totals["metadata"],
        failed=totals["failed"],
        files=dict(sorted(files.items())),
    )


def _left(row: dict[str, Any], found: Counter[str], totals: Counter[str]) -> list[str]:
    if row["reason"] is not None:
        totals["failed"] += 1
        return [str(row["reason"])]
    sure = Counter(one["kind"] for one in row["found"] or () if one["sure"])
    found.update(sure)
    totals["unsure"] += row["verdict"] == "unsure"
    removed = row["removed"] if row["how"] == "lossless" and not sure else []
    totals["metadata"] += bool(removed)
    return [f"{count} {kind}" for kind, count in sure.items()] + list(removed or ())


def _rules(folder: Path) -> PictureRules:
    try:
        told = json.loads((folder / "rules.json").read_text("utf-8"))
        rules = PictureRules.read(told["rules"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{folder} was not written by `pixelmine protect`: it has no rules.json that can be "
            "read."
        ) from error
    return rules.model_copy(update={"regions": [], "unsure": "review"})
