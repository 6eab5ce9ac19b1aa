"""Class folders: OUT/LABEL/NAME.EXT, as Keras, torchvision and `ingest --labels folders` read them.

OUT/manifest.csv        where each picture came from, with its exact label
OUT/skipped.csv         what could not be read, where there is such a picture
OUT/[PART/]LABEL/...    the pictures; without labels OUT/[PART/]...
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from pixelmine.core import Cleared

from .names import ENDINGS, FileNames, FolderNames, escaped, file_name
from .notes import MANIFEST, MANIFEST_COLUMNS, SKIPPED_NAME, Table, write_skipped
from .rows import Batch, Item

__all__ = ["FolderForm"]


class FolderForm:
    """Writes into an empty folder. `labelled`: whether labels become folders."""

    def __init__(self, folder: Path, labelled: bool) -> None:
        self._folder, self._labelled = folder, labelled
        self._labels, self._files = FolderNames(), FileNames()
        self._made: set[str] = set()
        self._manifest = Table(folder / MANIFEST, MANIFEST_COLUMNS)
        self._files.of("", MANIFEST, "")
        self._files.of("", SKIPPED_NAME, "")

    def write(self, batch: Batch) -> None:
        """Add pictures."""
        self._manifest.add({"file": self._put(item), **item.row} for item in batch.items())

    def finish(self, skipped: Iterable[Cleared[pa.RecordBatch]]) -> None:
        """Close the manifest, and list what could not be read."""
        self.close()
        if rows := list(skipped):
            write_skipped(self._folder / SKIPPED_NAME, rows)

    def about(self) -> dict[str, object]:
        """`folders`: of labels that are no names of folders."""
        return {"folders": self._labels.changed()}

    def close(self) -> None:
        """Let go of what is open, also after a failure."""
        self._manifest.close()

    def _put(self, item: Item) -> str:
        part = item.row.get("part")
        parts = [escaped(part)] if part else []
        if self._labelled:
            parts.append(self._labels.of(item.labels[0] if item.labels else None))
        folder = "/".join(parts)
        if folder not in self._made:
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        known = ENDINGS.get(item.row.get("format") or "", ())
        name = file_name(item.name, item.ending, known)
        name = self._files.of(folder, name, item.row.get("row_id") or "")
        path = f"{folder}/{name}" if folder else name
        (self._folder / path).write_bytes(item.data or b"")
        return path
