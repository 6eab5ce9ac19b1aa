"""A plan for duplicates: made, looked at, applied by setting files aside, and undone.

Nothing is ever deleted. What goes is moved to COLLECTION/quarantine/ID/, and its rows get the
reason `quarantined`; what lies inside a container or behind a URL cannot be moved and gets the
reason alone. The journal is written before the first file moves, so that a killed `apply` or `undo`
goes on.
"""

import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pixelmine.core import FAILED, OK, Limits, Reason
from pixelmine.core.atomic import replace_file, write_json
from pixelmine.core.errors import CollectionError, OutputError, UsageError
from pixelmine.core.ids import content_id, digest_json, file_uri, uri_path
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.core.schema import IMAGES
from pixelmine.input import read
from pixelmine.mine.group_rows import DUPLICATES
from pixelmine.mine.plan import PlanOptions, plan_groups
from pixelmine.output.formats import no_formula
from pixelmine.store import Collection
from pixelmine.store.by_id import read_by_id

from .found import read_found
from .plan_file import REMOVE, check_known, read_plan

__all__ = ["Applied", "PlanSummary", "apply_plan", "make_plan", "show_plan", "undo_plan"]

COLUMNS = (
    *("group_id", "action", "why", "tier", "uri", "member", "frame", "width", "height", "size"),
    *("format", "labels", "row_id", "kept_row_id"),
)


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """What a plan does. `bytes`: of the files that go. `unmovable`: rows that are only marked.

    `already`: rows to remove that are gone already, set aside by another plan or failed since; they
    are left as they are. `problems`: why it cannot be applied as it is, a sentence each.
    """

    plan: str
    groups: int
    keep: int
    remove: int
    bytes: int
    unmovable: int
    tiers: dict[str, int]
    already: int = 0
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        about = ("plan", "groups", "keep", "remove", "bytes", "unmovable", "tiers", "already")
        shown = {name: getattr(self, name) for name in about}
        return {**shown, "problems": list(self.problems)}


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What was done. `id`: of the quarantine, for `undo`. `moved`: files. `marked`: rows."""

    id: str
    folder: str
    moved: int
    marked: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"id": self.id, "folder": self.folder, "moved": self.moved, "marked": self.marked}


def make_plan(
    path: str | Path,
    out: str | Path,
    options: PlanOptions | None = None,
    *,
    overwrite: bool = False,
) -> PlanSummary:
    """Write a plan of the duplicates that were found last, a CSV to look at and to change.

    Raises UsageError where nothing was looked for, or `out` is there already.
    """
    options, out = options or PlanOptions(), Path(out)
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give another --out, or --overwrite.")
    with Collection.open(Path(path)) as collection:
        found = read_found(collection, "duplicates")
        if found is None:
            raise UsageError(
                f"Duplicates were not looked for yet: run pixelmine mine duplicates {path} first."
            )
        rows = list(plan_groups(_groups(collection, found.rows), options))
        try:
            with replace_file(out) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(_cells(row) for row in rows)
        except OSError as error:
            raise OutputError(f"The plan {out} cannot be written: {error.strerror}.") from error
        return _summary(collection, out)


def show_plan(path: str | Path, plan: str | Path) -> PlanSummary:
    """What a plan would do: a dry run. Raises UsageError for a file that is no plan."""
    with Collection.open(Path(path)) as collection:
        return _summary(collection, Path(plan))


def apply_plan(path: str | Path, plan: str | Path, *, progress: Progress | None = None) -> Applied:
    """Set aside what a plan removes. Called again it goes on where it stopped.

    Nothing moves unless every picture that stays for it is there with the bytes that it had. Raises
    UsageError where the plan has problems, OutputError where a file cannot be moved.
    """
    progress = progress or SilentProgress()
    with Collection.open(Path(path)) as collection:
        rows = read_plan(plan)
        folder = _folder(collection, rows)
        journal = folder / "journal.json"
        state = _journal(folder)["state"] if journal.is_file() else ""
        if state != "applied":
            # Also of one that was begun: another plan may have been applied since.
            summary = _summary(collection, Path(plan))
            if summary.problems:
                raise UsageError(" ".join(["The plan is not applied.", *summary.problems]))
        if state not in ("begun", "applied"):
            _refuse_begun(collection, rows)
            if state == "undone":
                journal.unlink()
            _begin(collection, rows, folder, Path(plan))
        return _set_aside(collection, folder, progress)


def undo_plan(path: str | Path, name: str | None = None) -> Applied:
    """Bring back what a plan set aside; `name`: the id that `apply` gave, if not the last one.

    A file whose place is taken by now stays where it is, and OutputError says so at the end.
    """
    with Collection.open(Path(path)) as collection:
        folder = _quarantine(collection, name)
        images = pq.read_table(folder / "images.parquet").cast(IMAGES)
        back, taken = 0, []
        for move in _journal(folder)["moves"]:
            source, target = folder / move["name"], Path(move["path"])
            if not source.exists():
                continue
            if os.path.lexists(target) and not _finished(target, source):
                taken.append(move["row_id"])
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.exists():
                _move(source, target)
            back += 1
        now = _images(collection, images["row_id"].to_pylist())
        free = [
            row not in taken and now.get(row, {}).get("reason") == Reason.QUARANTINED
            for row in images["row_id"].to_pylist()
        ]
        collection.images.upsert(images.filter(pa.array(free, pa.bool_())))
        if taken:
            raise OutputError(
                f"{len(taken)} files stay in {folder}: other files lie where they were. Move those "
                "away and undo again."
            )
        write_json(folder / "journal.json", {**_journal(folder), "state": "undone"})
        return Applied(id=folder.name, folder=str(folder), moved=back, marked=sum(free))


def _groups(collection: Collection, rows: pa.Table) -> list[list[dict[str, Any]]]:
    """The rows of each group with what a policy asks for."""
    images = _images(collection, rows["row_id"].to_pylist())
    current = collection.current_labels()
    labels = dict(zip(current["row_id"].to_pylist(), current["labels"].to_pylist(), strict=True))
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows.cast(DUPLICATES).to_pylist():
        image = images.get(row["row_id"])
        if image is None or image["picture_id"] != row["picture_id"]:
            raise UsageError(
                "The collection has changed since duplicates were looked for: run pixelmine mine "
                f"duplicates {collection.path} again."
            )
        more = {
            "mtime_ns": image["mtime_ns"],
            "meta_fields": len(image["meta"] or ()),
            "labels": labels.get(row["row_id"]) or [],
        }
        groups.setdefault(row["group_id"], []).append({**row, **more})
    return list(groups.values())


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """As a spreadsheet may open it: nothing in it is a formula."""
    texts = {name: no_formula(row[name]) for name in ("uri", "member")}
    return {**row, **texts, "labels": no_formula("|".join(row["labels"]))}


def _summary(collection: Collection, plan: Path) -> PlanSummary:
    rows = read_plan(plan)
    images = _images(collection, [row["row_id"] for row in rows])
    lost = check_known(rows, set(images), plan)
    named = [row for row in rows if row["action"] == REMOVE and row["row_id"] in images]
    going = [row for row in named if images[row["row_id"]]["status"] == OK]
    problems = []
    if lost:
        problems.append(f"{lost} rows of the plan are not in the collection.")
    problems += _lost_pictures(collection, rows, images)
    files = [row for row in going if _movable(images[row["row_id"]])]
    return PlanSummary(
        plan=str(plan),
        groups=len({row.get("group_id", row["row_id"]) for row in rows}),
        keep=len(rows) - len([row for row in rows if row["action"] == REMOVE]),
        remove=len(going),
        bytes=sum(images[row["row_id"]]["size"] or 0 for row in files),
        unmovable=len(going) - len(files),
        tiers=dict(Counter(row["tier"] for row in going if row.get("tier"))),
        already=len(named) - len(going),
        problems=tuple(problems),
    )


def _lost_pictures(
    collection: Collection, rows: Sequence[dict[str, str]], images: dict[str, dict[str, Any]]
) -> list[str]:
    """Groups of which nothing would stay."""
    kept: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for row in rows:
        group = row.get("group_id") or row["row_id"]
        good = images.get(row["row_id"], {}).get("status") != FAILED
        (gone if row["action"] == REMOVE else kept)[group] += good
    empty = sorted(group for group in gone if gone[group] and not kept[group])
    if not empty:
        return []
    lost = {
        row["row_id"]
        for row in rows
        if row["action"] != REMOVE and (row.get("group_id") or row["row_id"]) in empty
    }
    said = f"Nothing would stay of {len(empty)} groups, {empty[0]} among them: "
    others = [name for name, aside in _set_aside_by(collection).items() if aside & lost]
    if others:
        said += (
            "what was to stay was set aside by another plan. Bring it back with pixelmine mine "
            f"plan undo {collection.path} {others[0]}, or "
        )
    return [f"{said}keep one of each."]


def _set_aside_by(
    collection: Collection, states: Sequence[str] = ("applied",)
) -> dict[str, set[str]]:
    """The row_ids that each plan in one of these states has set aside, by the plan's id."""
    found = {}
    for path in sorted((collection.path / "quarantine").glob("*/journal.json")):
        if _journal(path.parent)["state"] in states:
            rows = pq.read_table(path.parent / "images.parquet", columns=["row_id"])
            found[path.parent.name] = set(rows["row_id"].to_pylist())
    return found


def _refuse_begun(collection: Collection, rows: Sequence[dict[str, str]]) -> None:
    """Another plan that was stopped in the middle has moved it is not known how many of them."""
    named = {row["row_id"] for row in rows}
    for name, aside in _set_aside_by(collection, ["begun"]).items():
        if both := aside & named:
            raise UsageError(
                f"The plan is not applied. Another one, which was stopped in the middle, moves "
                f"{len(both)} of the same pictures: apply that one again, or take it back with "
                f"pixelmine mine plan undo {collection.path} {name}."
            )


def _images(collection: Collection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {
        row["row_id"]: row for row in read_by_id(collection.images, "row_id", names).to_pylist()
    }


def _movable(image: dict[str, Any]) -> bool:
    return image["uri"].startswith("file://") and not image["member"]


def _folder(collection: Collection, rows: Sequence[dict[str, str]]) -> Path:
    """Where what these rows name is set aside; another one where it was, and is back since."""
    going = [row["row_id"] for row in rows if row["action"] == REMOVE]
    images = _images(collection, going)
    name = digest_json([[row, images.get(row, {}).get("content_id")] for row in going])[:16]
    number = 1
    while True:
        folder = collection.path / "quarantine" / (name if number == 1 else f"{name}-{number}")
        applied = (folder / "journal.json").is_file() and _journal(folder)["state"] == "applied"
        if not applied or not any(image["status"] == OK for image in images.values()):
            return folder
        number += 1


def _begin(
    collection: Collection, rows: Sequence[dict[str, str]], folder: Path, plan: Path
) -> None:
    """Check what stays, then write down what will be done, before anything is."""
    images = _images(collection, [row["row_id"] for row in rows])
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row.get("group_id") or row["row_id"], []).append(row)
    moves: list[dict[str, str]] = []
    listed: list[dict[str, Any]] = []
    for group in groups.values():
        good = [row for row in group if images[row["row_id"]]["status"] == OK]
        going = [images[row["row_id"]] for row in good if row["action"] == REMOVE]
        if not going:
            continue
        stays = [images[row["row_id"]] for row in good if row["action"] != REMOVE]
        read_again = (read(image, Limits(), collection.bytes) for image in stays)
        if all(isinstance(data, Reason) for data in read_again):
            raise UsageError(
                f"What is to stay for {going[0]['uri']} cannot be read or has changed. Nothing was "
                "moved: mine duplicates again."
            )
        listed += going
        for image in going:
            if (
                image["frame"] == 0
                and _movable(image)
                and not _is_needed(collection, image, going, stays)
            ):
                path = uri_path(image["uri"])
                name = f"files/{len(moves):07d}{path.suffix[:16]}"
                moves.append({"row_id": image["row_id"], "path": str(path), "name": name})
    (folder / "files").mkdir(parents=True, exist_ok=True)
    with replace_file(folder / "images.parquet") as temporary:
        pq.write_table(pa.Table.from_pylist(listed, IMAGES), temporary)
    about = {"plan": file_uri(plan), "state": "begun", "moves": moves}
    write_json(folder / "journal.json", about)


def _is_needed(
    collection: Collection,
    image: dict[str, Any],
    going: Sequence[dict[str, Any]],
    stays: Sequence[dict[str, Any]],
) -> bool:
    """Whether a file must stay where it is, though its row goes.

    It is no file of its own (a link, or a link leads to it from what stays), or other frames of it
    stay.
    """
    path = uri_path(image["uri"])
    if path.is_symlink() or not path.is_file():
        return True
    for other in stays:
        there = uri_path(other["uri"]) if _movable(other) else None
        if there is not None and there.exists() and there.samefile(path):
            return True
    gone = {one["row_id"] for one in going}
    frames = collection.images.read(["row_id"], f"uri = '{image['uri']}' AND status = '{OK}'")
    return not set(frames["row_id"].to_pylist()) <= gone


def _set_aside(collection: Collection, folder: Path, progress: Progress) -> Applied:
    journal = _journal(folder)
    images = pq.read_table(folder / "images.parquet").cast(IMAGES).to_pylist()
    by_row = {row["row_id"]: row for row in images}
    progress.start("set aside", len(journal["moves"]))
    moved, back = 0, set()
    for move in journal["moves"]:
        source, target = Path(move["path"]), folder / move["name"]
        if not target.exists() and source.exists():
            if not _unchanged(source, by_row[move["row_id"]]):
                raise OutputError(
                    f"{source} has changed since it was looked at, and was not moved. {moved} "
                    "files were: bring them back with pixelmine mine plan undo, and ingest again."
                )
            _move(source, target)
        elif source.exists() and not _finished(target, source):
            back.add(move["row_id"])  # another file lies there by now: it is no part of this
        moved += target.exists()
        progress.advance(1)
    gone = [
        {**row, "status": FAILED, "reason": str(Reason.QUARANTINED)}
        for row in images
        if row["row_id"] not in back
    ]
    collection.images.upsert(pa.Table.from_pylist(gone, IMAGES))
    write_json(folder / "journal.json", {**journal, "state": "applied"})
    progress.finish()
    return Applied(id=folder.name, folder=str(folder), moved=moved, marked=len(gone))


def _finished(whole: Path, rest: Path) -> bool:
    """Take away what a move to another disk has left, where both are the same file's bytes."""
    if whole.stat().st_size != rest.stat().st_size:
        return False
    if content_id(whole.read_bytes()) != content_id(rest.read_bytes()):
        return False
    rest.unlink()
    return True


def _unchanged(path: Path, image: dict[str, Any]) -> bool:
    """The same size and time are taken for the same bytes, as listing does; else they are read."""
    stat = path.stat()
    if (stat.st_size, stat.st_mtime_ns) == (image["size"], image["mtime_ns"]):
        return True
    return bool(content_id(path.read_bytes()) == image["content_id"])


def _move(source: Path, target: Path) -> None:
    """By name; to another disk by a copy that is whole before the source goes."""
    try:
        source.rename(target)
    except OSError:
        with replace_file(target) as temporary:
            shutil.copy2(source, temporary)
        stat = source.stat()
        os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        source.unlink()


def _journal(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "journal.json").read_text("utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise CollectionError(f"{folder}/journal.json cannot be read: {error}.") from error


def _quarantine(collection: Collection, name: str | None) -> Path:
    folders = sorted(
        (path.parent for path in (collection.path / "quarantine").glob("*/journal.json")),
        key=lambda folder: (folder / "journal.json").stat().st_mtime_ns,
    )
    here = [f for f in folders if name is None or f.name.startswith(name)]
    left = [f for f in here if _journal(f)["state"] != "undone"]
    if not left:
        known = ", ".join(folder.name for folder in folders) or "none"
        raise UsageError(f"There is no applied plan {name or ''} to undo. There are: {known}.")
    return left[-1]
