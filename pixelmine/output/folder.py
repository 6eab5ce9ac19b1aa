"""A folder of numbered result files for a run that does not end: each is complete when it appears.

    OUT/000001.jsonl, OUT/000002.jsonl, ...       in the order in which the rows came
    STATE/parts/000003.parquet                    rows on their way into OUT/000003.jsonl
    STATE/ledger/000001.parquet, ...              what OUT holds

A part is first committed in STATE, then put into OUT, then noted in the ledger; after a kill the
first of these that is missing is done again. Whoever reads may take files out of OUT: their numbers
are not given again.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from pixelmine.core import Cleared
from pixelmine.core.atomic import replace_file
from pixelmine.core.errors import OutputError
from pixelmine.core.schema import RESULTS

from .file import cannot_write, remove_leftovers
from .formats import writer_for
from .items import with_items
from .latest import Latest
from .ledger import Ledger
from .parts import FILED, Parts, read_part
from .prefix import Names
from .sink import Delivered, cleared

__all__ = ["PartsFolderSink"]


class PartsFolderSink:
    """Numbered files in `path`, in the format of its ending (`r.jsonl/000001.jsonl`), or Parquet.

    A row that comes again with the same file size, time and reason is left out; one that has
    changed is written again, and the highest number is right.
    """

    def __init__(self, path: Path, state: Path) -> None:
        self.path = path
        self._ending = path.suffix.lower() or ".parquet"
        self._write = writer_for(path.with_suffix(self._ending))
        self._ledger = Ledger(state / "ledger")
        self._parts = Parts(state / "parts", used=self._ledger.highest)
        self._latest: Latest | None = None

    def start(self) -> Iterator[pa.RecordBatch]:
        """Complete what a kill interrupted; give what the folder holds."""
        self._check()
        if self._numbered() and not self._ledger.highest() and not self._parts.highest():
            raise OutputError(
                f"--out {self.path} holds numbered files that this run did not write. Give another "
                "folder, or --overwrite to replace them."
            )
        remove_leftovers(self.path, "[0-9]+" + re.escape(self._ending))
        self._deliver()
        return self._ledger.done()

    def restart(self) -> None:
        """Remove the numbered files that are there; others are left alone."""
        self._check()
        for file in self._numbered():
            file.unlink()
        self._parts.clear()
        self._ledger.wipe()
        self._latest = None

    def write(self, rows: Cleared[pa.RecordBatch]) -> None:
        """Take rows; a file is written when enough have come together."""
        batch = with_items(cleared(rows)).select(FILED.names)
        if self._latest is None:
            self._latest = Latest(self._ledger.rows())
        fresh = batch.filter(pa.array(~self._latest.has(batch)))
        self._latest.put(fresh)
        try:
            self._parts.add(fresh)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._deliver()

    def flush(self) -> None:
        """Write what was taken as the next file."""
        try:
            self._parts.commit()
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._deliver()

    def close(self) -> None:
        """Commit what was taken."""
        self.flush()

    def finish(self, listed: Iterable[str]) -> Delivered:
        """Write what was taken; nothing is removed."""
        self.flush()
        return self._ledger.delivered(Names(listed))

    def _check(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(
                f"--out {self.path} is a file; a run that does not end writes a folder of numbered "
                "files. Give another name."
            )

    def _numbered(self) -> list[Path]:
        files = self.path.glob(f"[0-9]*{self._ending}")
        return [file for file in files if file.stem.isdecimal()]

    def _deliver(self) -> None:
        try:
            for part in self._parts.paths():
                number = int(part.stem)
                if number > self._ledger.highest():
                    rows = read_part(part, FILED.names)
                    with replace_file(self.path / f"{part.stem}{self._ending}") as temporary:
                        self._write(temporary, [rows.select(RESULTS.names).cast(RESULTS)])
                    self._ledger.append(rows, number=number)
                part.unlink()
        except OSError as error:
            raise cannot_write(self.path, error) from error
