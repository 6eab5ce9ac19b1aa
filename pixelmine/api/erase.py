"""A picture leaves a collection, with all that was made of it, and cannot come back.

    find_to_erase   which rows, which others of the same bytes, what looks like them and stays
    erase           does it; killed at any moment, the same call, or any other one, goes on

What lies elsewhere is not reached: exports, result files, reports, copies of the collection; the
user's own files only where `originals` says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pixelmine.core.atomic import write_json
from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.store import Collection

from .audited import audit
from .erase_find import Near, ToErase, find_to_erase
from .erase_models import Learnt
from .erase_steps import STEPS, Unfinished, check_quiet, name_of

__all__ = ["Erased", "Near", "ToErase", "erase", "find_to_erase"]


@dataclass(frozen=True, kw_only=True)
class Erased:
    """`receipt`: what is kept in the collection at `path`, without a name or a place in it.

    `left`: the user's own files that were asked to go and did not, and why.
    """

    path: Path
    receipt: dict[str, Any] = field(repr=False)
    left: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"receipt": self.receipt, "path": str(self.path), "left": list(self.left)}


def erase(
    found: ToErase,
    *,
    originals: bool = False,
    models: Sequence[Learnt] = (),
    progress: Progress | None = None,
) -> list[Erased]:
    """Erase what was found; an erasure that was stopped before is finished first.

    `originals`: delete the user's own files too, where a row is a whole file on this machine that
    has the bytes it had. `models`: those that have learnt of it, for the receipt. Nothing else may
    work on the collection meanwhile. Gives what came of each erasure. Raises UsageError where a run
    or a plan is half done, CollectionError, OutputError.
    """
    progress, done = progress or SilentProgress(), list[Erased]()
    with Collection.open(found.collection) as collection:
        check_quiet(collection)
        job = Unfinished.read(found.collection)
        covered = job is not None and job.covers(found)
        if job is not None:
            if covered and originals:
                job.delete_too(found)
            done.append(_work_through(collection, job, models if covered else (), progress))
        if found.rows and not covered:
            job = Unfinished.of(found, originals)
            done.append(_work_through(collection, job, models, progress))
    if not done:
        raise UsageError("There is nothing to erase.")
    return done


def _work_through(
    collection: Collection, job: Unfinished, models: Sequence[Learnt], progress: Progress
) -> Erased:
    progress.start("erase", len(STEPS))
    job.save()
    for step in STEPS.values():
        try:
            step(collection, job)
        finally:  # what it has counted so far; after a kill a receipt may say too few
            job.save()
        progress.advance(1)
    erased = _receipt(collection, job, models)
    job.path.unlink()
    progress.finish()
    return erased


def _receipt(collection: Collection, job: Unfinished, models: Sequence[Learnt]) -> Erased:
    counts = {name: count for name, count in sorted(job.counts.items()) if count}
    head = audit(
        "erase",
        counts=counts,
        about={"collection": collection.id, "tombstones": digest_json(job.tombstones)},
    )
    now = datetime.now(UTC)
    receipt = {
        "erased": now.isoformat(timespec="seconds"),
        "begun": job.begun,
        "gone_on_with": job.resumed,
        "collection": collection.id,
        "rows": len(job.rows),
        "contents": len(job.contents),
        "never_read": job.unread,
        "counts": counts,
        "originals_left": len(job.left),
        "findings": job.findings,
        "tombstones": job.tombstones,
        "versions": {name_of(collection, one): one.version for one in collection.tables()},
        "models": [{"name": one.name, "digest": one.digest} for one in models],
        "audit_head": head,
    }
    folder, name = job.path.parent, now.strftime("%Y%m%dT%H%M%SZ")
    path, number = folder / f"{name}.json", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.json"
    write_json(path, receipt)
    return Erased(path=path, receipt=json.loads(json.dumps(receipt)), left=tuple(job.left))
