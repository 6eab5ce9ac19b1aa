"""The cleaned collection leaves: good pictures, a plan applied, with their current labels."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from pixelmine.core import Cleared, PassPolicy, Policy, Reason, Withheld, clear
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import OutputError, SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.evaluate.names import file_name
from pixelmine.output.export import EXPORTED, FORMS, Batch, FormOptions, open_form
from pixelmine.output.export.forms import Form
from pixelmine.output.export.names import ENDINGS
from pixelmine.output.export.rows import SKIPPED
from pixelmine.output.file import cannot_write
from pixelmine.preprocess.sniff import sniff
from pixelmine.store import Collection

from .export_pictures import Read, read_pictures
from .export_place import check_apart, check_place
from .export_rows import Chosen, choose

__all__ = ["Export", "ExportOptions", "export_collection"]

_BATCH_ROWS = 256
_BATCH_BYTES = 32 * 2**20
_TABLE_ROWS = 8192
_READ_ROWS = 1024


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """`form`: `folder`, `webdataset`, `parquet` or `csv`.

    `where`: SQL over images. `plan`: a CSV, see `api.mine.plan_file`. `labels`: `current` or
    `none`. `split`: `ID` or `ID:FOLD`. `with_bytes`: of Parquet, whether the pictures are in it.
    `shard_bytes`, `shard_pictures`: see `FormOptions`. `overwrite`: replace an earlier export.
    """

    form: str
    where: str | None = None
    plan: str | Path | None = None
    labels: str = "current"
    split: str | None = None
    with_bytes: bool = True
    shard_bytes: int = FormOptions.shard_bytes
    shard_pictures: int = FormOptions.shard_pictures
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_one_of("--as", self.form, FORMS)
        check_one_of("--labels", self.labels, ("current", "none"))
        if not self.with_bytes and self.form != "parquet":
            raise UsageError("--no-bytes goes with --as parquet.")
        FormOptions(shard_bytes=self.shard_bytes, shard_pictures=self.shard_pictures)

    @property
    def reads(self) -> bool:
        """Whether the pictures themselves are written."""
        return self.form != "csv" and self.with_bytes


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was written. `good` = `selected` + all of `left_out`; `selected` = `written` + skipped.

    `left_out`: by why (`plan`, `split`). `skipped`: by reason. `bytes`: of the pictures written.
    `unmatched`: rows of the plan that the collection does not have. `about`: what the form says.
    """

    out: str
    form: str
    good: int
    left_out: dict[str, int]
    selected: int
    written: int
    skipped: dict[str, int]
    unlabelled: int
    labels: int
    bytes: int
    unmatched: int = 0
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "out": self.out,
            "as": self.form,
            **{name: getattr(self, name) for name in _SAID},
            **self.about,
        }

    def notes(self) -> list[str]:
        """What a user should know."""
        notes = []
        if self.unmatched:
            notes.append(
                f"Rows of the plan that this collection does not have: {self.unmatched:,}."
            )
        if self.skipped:
            total = sum(self.skipped.values())
            why = ", ".join(f"{name} {count:,}" for name, count in self.skipped.items())
            notes.append(f"Pictures that could not be read and are not in it: {total:,} ({why}).")
        if folders := self.about.get("folders"):
            first, name = next(iter(folders.items()))
            notes.append(
                f"Labels that are no names of folders: {len(folders):,}, as {first!r}, which lies "
                f"in {name!r}. manifest.csv has them as they are."
            )
        return notes


_SAID = (
    *("good", "left_out", "selected", "written", "skipped", "unlabelled", "labels", "bytes"),
    "unmatched",
)


def export_collection(
    path: str | Path,
    out: str | Path,
    options: ExportOptions,
    *,
    policy: Policy | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write the chosen pictures of a collection to `out`, which appears whole at the end.

    `policy`: what may leave; each row and each picture's bytes pass it. Raises UsageError,
    CollectionError, SourceError where not one picture can be read, OutputError.
    """
    policy, progress = policy or PassPolicy(), progress or SilentProgress()
    out = Path(os.path.abspath(out))
    with Collection.open(path) as collection:
        check_place(out, options.form, collection, options.overwrite)
        chosen = choose(
            collection,
            where=options.where,
            plan=options.plan,
            split=options.split,
            labels=options.labels == "current",
        )
        check_apart(out, collection.images.read(["uri"]))
        _check_labels(chosen, options)
        job = _Job(chosen, options, policy)
        try:
            with open_form(options.form, out, job.form_options()) as form:
                about = job.run(form, collection, progress)
        except OSError as error:
            raise cannot_write(out, error) from error
    return job.said(out, about)


class _Job:
    """Counts, while pictures go by."""

    def __init__(self, chosen: Chosen, options: ExportOptions, policy: Policy) -> None:
        self._chosen, self._options, self._policy = chosen, options, policy
        self._skipped: list[Read] = []
        self._written = self._bytes = 0

    def form_options(self) -> FormOptions:
        options = self._options
        return FormOptions(
            labelled=options.labels == "current",
            several=self._chosen.several,
            classes=self._classes(),
            with_bytes=options.with_bytes,
            shard_bytes=options.shard_bytes,
            shard_pictures=options.shard_pictures,
        )

    def run(self, form: Form, collection: Collection, progress: Progress) -> dict[str, Any]:
        progress.start("export", self._chosen.rows.num_rows)
        if self._options.reads:
            for some in self._batches(
                read_pictures(self._chosen.batches(_READ_ROWS), collection.bytes), progress
            ):
                if (batch := self._batch(some)).names:
                    form.write(batch)
        else:
            for rows in self._chosen.batches(_TABLE_ROWS):
                form.write(self._table(rows))
                progress.advance(rows.num_rows)
        progress.finish()
        if not self._written:
            raise SourceError(
                f"None of the {self._chosen.rows.num_rows:,} pictures can be read "
                f"({', '.join(f'{n} {c:,}' for n, c in self._reasons().items())}). Nothing was "
                "written. Are the files where they were when they were ingested?"
            )
        form.finish(self._skipped_rows())
        return dict(form.about())

    def said(self, out: Path, about: dict[str, Any]) -> Export:
        labels = self._chosen.rows["labels"]
        return Export(
            out=str(out),
            form=self._options.form,
            good=self._chosen.good,
            left_out=dict(self._chosen.left_out),
            selected=self._chosen.rows.num_rows,
            written=self._written,
            skipped=self._reasons(),
            unlabelled=labels.null_count if self._options.labels == "current" else 0,
            labels=len(self._chosen.classes),
            bytes=self._bytes,
            unmatched=self._chosen.unmatched,
            about=about,
        )

    def _batches(self, pictures: Iterator[Read], progress: Progress) -> Iterator[list[Read]]:
        """Good ones, some MB of them at a time; the others are noted."""
        some: list[Read] = []
        weight = 0
        for one in pictures:
            if isinstance(one.data, Reason):
                self._skipped.append(one)
                progress.advance(1, bad=1)
                continue
            some.append(one)
            weight += len(one.data)
            progress.advance(1)
            if len(some) >= _BATCH_ROWS or weight >= _BATCH_BYTES:
                yield some
                some, weight = [], 0
        if some:
            yield some

    def _let_out(self, read: Sequence[Read]) -> tuple[list[Read], list[Cleared[bytes]]]:
        """What may leave; the others are noted with the policy's reason."""
        some, pictures = [], []
        for one in read:
            try:
                if isinstance(one.data, bytes):
                    pictures.append(clear(one.data, self._policy))
                    some.append(one)
            except Withheld as withheld:
                self._skipped.append(replace(one, data=withheld.reason))
        return some, pictures

    def _batch(self, read: Sequence[Read]) -> Batch:
        some, pictures = self._let_out(read)
        # A policy may give other bytes: what they are is said of what leaves.
        formats = [sniff(left.item) or one.format for one, left in zip(some, pictures, strict=True)]
        told = [
            {**one.row, "format": name, "width": one.width, "height": one.height}
            for one, name in zip(some, formats, strict=True)
        ]
        rows = self._cleared(pa.RecordBatch.from_pylist(told, EXPORTED))
        self._written += len(some)
        self._bytes += sum(len(one.item) for one in pictures)
        return Batch(
            rows=rows,
            pictures=pictures,
            names=_names(rows.item),
            endings=[ENDINGS.get(name, ("bin",))[0] for name in formats],
        )

    def _table(self, rows: pa.RecordBatch) -> Batch:
        cleared = self._cleared(rows.select(EXPORTED.names).cast(EXPORTED))
        self._written += rows.num_rows
        blank = [""] * rows.num_rows
        return Batch(rows=cleared, pictures=(), names=blank, endings=blank)

    def _skipped_rows(self) -> Iterator[Cleared[pa.RecordBatch]]:
        for start in range(0, len(self._skipped), _TABLE_ROWS):
            some = self._skipped[start : start + _TABLE_ROWS]
            told = [{**one.row, "reason": one.data} for one in some]
            yield self._cleared(pa.RecordBatch.from_pylist(told, SKIPPED))

    def _classes(self) -> list[str]:
        """The labels as the policy lets them leave; none where it takes them."""
        labels = [[label] for label in self._chosen.classes]
        column = pa.array(labels, pa.list_(pa.string()))
        rows = clear(pa.RecordBatch.from_arrays([column], ["labels"]), self._policy).item
        return sorted({x for row in rows.to_pylist() for x in row.get("labels") or ()})

    def _cleared(self, rows: pa.RecordBatch) -> Cleared[pa.RecordBatch]:
        cleared = clear(rows, self._policy)
        if cleared.item.num_rows != rows.num_rows:
            raise OutputError(
                f"The policy made {cleared.item.num_rows} rows of {rows.num_rows}: which picture "
                "belongs to which is not known any more. Choose pictures with --where instead."
            )
        return cleared

    def _reasons(self) -> dict[str, int]:
        return dict(Counter(str(one.data) for one in self._skipped).most_common())


def _check_labels(chosen: Chosen, options: ExportOptions) -> None:
    if options.form == "folder" and options.labels == "current" and chosen.several:
        raise UsageError(
            "Some pictures have several labels, and a class folder says that a picture shows one "
            "thing and no other. Use --as webdataset, parquet or csv, which hold all labels, or "
            "--labels none for the pictures alone."
        )


def _names(rows: pa.RecordBatch) -> list[str]:
    """What each picture is called, by what the policy has left."""
    return [_name(row) for row in rows.to_pylist()]


def _name(row: dict[str, Any]) -> str:
    uri, member, frame = row.get("uri") or "", row.get("member") or "", row.get("frame") or 0
    name = file_name(uri, member) if uri or member else (row.get("row_id") or "picture")[:16]
    if uri and member and not PurePosixPath(name).suffix:  # a number in a table or an array
        name = f"{PurePosixPath(file_name(uri)).stem}-{name}"
    if frame:
        name = f"{PurePosixPath(name).stem}-frame-{frame:06d}.png"
    return name
