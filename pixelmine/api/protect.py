"""Copies without what shows who somebody is: faces, plates, text masked, metadata taken out."""

import os
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core import Limits
from pixelmine.core.errors import RunError, UsageError
from pixelmine.core.ids import file_uri
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import LISTING
from pixelmine.engine import EngineOptions, Run
from pixelmine.input import SourceOptions
from pixelmine.preprocess import Frames
from pixelmine.privacy.picture_rules import PictureRules
from pixelmine.privacy.pseudonym import Pseudonyms
from pixelmine.protecting import check_detectors
from pixelmine.store import Collection, is_collection
from pixelmine.store.keys import MasterKeys, derive

from .audited import audit
from .protect_folder import ProtectFolder, is_protected
from .protect_stage import Protect
from .sources import open_sources
from .work import work_through

__all__ = ["Protected", "protect"]

PURPOSE = "picture-name"
_KEY_FILE = "names.key"


@dataclass(frozen=True, kw_only=True)
class Protected:
    """What came of it. `rows` = `written` + all of `reasons`.

    `found`: masked or unsure boxes by kind. `verdicts`: pictures by verdict. `how`: pictures by
    `lossless` and `encoded`. `weaker`: kinds whose mask can be undone in part.
    """

    out: str
    rows: int
    written: int
    reasons: dict[str, int]
    found: dict[str, int]
    verdicts: dict[str, int]
    how: dict[str, int]
    rules: PictureRules = field(repr=False)
    known_names: bool = False

    @classmethod
    def of(cls, out: Path, counts: Counter[str], rules: PictureRules, known: bool) -> "Protected":
        """From what the folder counted."""

        def some(prefix: str) -> dict[str, int]:
            found = {n.removeprefix(prefix): c for n, c in counts.items() if n.startswith(prefix)}
            return {name: count for name, count in sorted(found.items()) if count}

        return cls(
            out=str(out),
            rows=counts["rows"],
            written=counts["written"],
            reasons=some("reason:"),
            found=some("found:"),
            verdicts=some("verdict:"),
            how=some("how:"),
            rules=rules,
            known_names=known,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = ("out", "rows", "written", "reasons", "found", "verdicts", "how")
        return {
            **{name: getattr(self, name) for name in names},
            "rules": self.rules.model_dump(mode="json"),
        }

    def notes(self) -> list[str]:
        """What a user should know before the pictures leave."""
        notes = []
        if unsure := self.verdicts.get("unsure", 0):
            verb = {
                "review": "were written; somebody has to look at them",
                "mask": "were masked where something may be",
                "withhold": "were kept back",
            }[self.rules.unsure]
            notes.append(f"Pictures with something unsure in them: {unsure:,} {verb}: review.csv.")
        if self.rules.weaker:
            notes.append(
                f"Masks of {', '.join(self.rules.weaker)} are functions of the pixels and can be "
                "undone in part. `fill` cannot."
            )
        if self.rules.looks_for:
            notes.append(
                "Detectors miss some. Look at a sample before the pictures leave, and check with: "
                "pixelmine privacy verify OUT."
            )
        if not self.known_names:
            notes.append(
                "Names were made with a key that is gone now: nobody can tell which picture was "
                "which. To keep that possible, set PIXELMINE_KEY_FILE."
            )
        return notes


def protect(
    source: str | Path,
    *,
    out: str | Path,
    rules: PictureRules | None = None,
    options: SourceOptions | None = None,
    frames: str = "auto",
    engine: EngineOptions | None = None,
    limits: Limits | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Protected:
    """Write protected copies of the pictures of a source or a collection to a new folder `out`.

    Files are named by a keyed pseudonym of where they came from; `manifest.csv` has a row for each
    picture, with the reason where there is none, and `review.csv` what somebody has to look at. A
    killed run goes on when it is called again. The source is only read.

    Raises SourceError, ModelError, OutputError, RunError, UsageError.
    """
    rules, progress = rules or PictureRules(), progress or SilentProgress()
    check_detectors(rules)
    place = Path(os.path.abspath(out))
    state = place.with_name(place.name + ".run")
    _check_place(place, overwrite)
    collection = _collection(source)
    kept = None if collection is None else Collection.open(collection).bytes.folder
    options = replace(options or SourceOptions(), leave_out=(place, state))
    reading: dict[str, Any] = {
        "limits": limits or Limits(),
        "frames": Frames(which=frames).which,
        "kept": kept,
        "allow_private": options.allow_private,
    }
    listing, known_as = _listing(source, collection, options)
    asked = {"job": "protect", "source": known_as, "rules": rules.digest, "frames": frames}
    keys = MasterKeys.from_environment()
    with Run.open(state, {**asked, "out": file_uri(place)}, overwrite) as run:
        key = _key(run, keys)
        names = Pseudonyms(key, PURPOSE)
        stage = Protect(rules=rules, uid_key=derive(key, "dicom-uid"), **reading)
        folder = ProtectFolder(run.folder)
        listed = run.list(listing)
        work = work_through(
            run, stage, folder.start, engine or EngineOptions(), progress, "protect", _nothing
        )
        for batch in work:
            rows = batch.to_pylist()
            folder.write(rows, [names.of(row["listed"]) for row in rows])
        counts = folder.finish({"rules": rules.model_dump(mode="json")})
        if counts["files"] != listed:
            raise RunError(
                f"{listed:,} files were listed and {counts['files']:,} written or refused: {state} "
                "changed meanwhile. Run the same command again with --overwrite."
            )
        with suppress(FileNotFoundError):  # the user's own key lies elsewhere
            (run.folder / _KEY_FILE).unlink()
        folder.publish(place)
    shutil.rmtree(state)
    done = Protected.of(place, counts, rules, keys is not None)
    audit(
        "protect",
        policy=rules.digest,
        counts={"rows": done.rows, "written": done.written, **done.found},
    )
    return done


def _check_place(place: Path, overwrite: bool) -> None:
    """Nothing is replaced but what `protect` wrote, and that only when told."""
    if not place.exists():
        return
    if not overwrite:
        raise UsageError(f"{place} is there already. Give --overwrite to replace it.")
    if not is_protected(place):
        raise UsageError(
            f"{place} was not written by `pixelmine protect`, and is not replaced. Give --out a "
            "new folder."
        )


def _collection(source: str | Path) -> Path | None:
    path = Path(os.path.abspath(source))
    return path if "://" not in str(source) and is_collection(path) else None


def _listing(
    source: str | Path, collection: Path | None, options: SourceOptions
) -> tuple[Callable[[], Iterable[pa.RecordBatch]], str]:
    if collection is not None:
        return partial(_good_rows, collection), file_uri(collection)
    opened = open_sources([source], options)
    return opened.list, opened.uri


def _good_rows(path: Path) -> Iterator[pa.RecordBatch]:
    """The good pictures of a collection as LISTING: once for each file."""
    columns = [name for name in LISTING.names if name not in _NOT_KEPT]
    with Collection.open(path) as collection:
        for rows in collection.images.scan(columns, "status = 'ok' AND frame = 0"):
            yield pa.RecordBatch.from_pylist(rows.to_pylist(), LISTING)


_NOT_KEPT = ("label", "address", "data", "reason")


def _key(run: Run, keys: MasterKeys | None) -> bytes:
    """The user's key for names; without one a key of this run's own, gone when it is done."""
    if keys is not None:
        return keys.purpose_key(PURPOSE)
    path = run.folder / _KEY_FILE
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def _nothing() -> None:
    """Every batch is committed when it is written."""
