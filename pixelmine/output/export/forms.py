"""The writer that a form's name asks for; what it writes appears whole at the end, or not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.atomic import replace_file, replace_folder
from pixelmine.core.checks import check_positive

from .folder import FolderForm
from .parquet import ParquetForm
from .rows import Batch
from .shards import ShardsForm
from .table import TableForm

__all__ = ["FORMS", "Form", "FormOptions", "Written", "open_form", "skipped_path"]

Written = dict[str, object]
"""What a form says of itself at the end, as JSON."""


class Form(Protocol):
    """Takes batches in order, then what could not be read."""

    def write(self, batch: Batch) -> None:
        """Add pictures."""
        ...

    def finish(self, skipped: Iterable[Cleared[pa.RecordBatch]]) -> None:
        """Complete it. `skipped`: batches of SKIPPED; read to its end."""
        ...

    def close(self) -> None:
        """Let go of what is open, also after a failure."""
        ...

    def about(self) -> Written:
        """What else there is to say, when it is complete."""
        ...


@dataclass(frozen=True, kw_only=True)
class FormOptions:
    """How a form is written.

    `labelled`: whether labels are written; `several`: whether a picture may have more than one;
    `classes`: all labels, in order. `with_bytes`: of Parquet. `shard_bytes`: 1 GB, which a disk
    reads in seconds and a failed copy can be sent again; `shard_pictures`: 10,000, as img2dataset
    has them; a shard is full when either is reached.
    """

    labelled: bool = True
    several: bool = False
    classes: Sequence[str] = ()
    with_bytes: bool = True
    shard_bytes: int = 10**9
    shard_pictures: int = 10_000

    def __post_init__(self) -> None:
        check_positive("shard_bytes", self.shard_bytes)
        check_positive("shard_pictures", self.shard_pictures)


@contextmanager
def open_form(form: str, path: Path, options: FormOptions) -> Iterator[Form]:
    """A writer of one of FORMS; `path` appears when the block succeeds, replacing what is there."""
    with FORMS[form](path, options) as made, closing(made):
        yield made


@contextmanager
def _folder(path: Path, options: FormOptions) -> Iterator[Form]:
    with replace_folder(path) as temporary:
        yield FolderForm(temporary, options.labelled)


@contextmanager
def _shards(path: Path, options: FormOptions) -> Iterator[Form]:
    with replace_folder(path) as temporary:
        yield ShardsForm(
            temporary,
            classes=() if options.several else options.classes,
            several=options.several,
            max_bytes=options.shard_bytes,
            max_pictures=options.shard_pictures,
        )


@contextmanager
def _parquet(path: Path, options: FormOptions) -> Iterator[Form]:
    beside = skipped_path(path)
    with replace_file(path) as temporary, replace_file(beside) as notes:
        yield ParquetForm(temporary, notes, with_bytes=options.with_bytes, several=options.several)
    if beside.stat().st_size == 0:
        beside.unlink()


@contextmanager
def _csv(path: Path, options: FormOptions) -> Iterator[Form]:
    with replace_file(path) as temporary:
        yield TableForm(temporary, options.several)


FORMS: dict[str, Callable[[Path, FormOptions], AbstractContextManager[Form]]] = {
    "folder": _folder,
    "webdataset": _shards,
    "parquet": _parquet,
    "csv": _csv,
}


def skipped_path(path: Path) -> Path:
    """Of an export that is one file: the table of what could not be read."""
    return path.with_name(f"{path.stem}.skipped.csv")
