"""WebDataset: tar shards whose members of one key are one sample.

    OUT/[PART-]000000.tar, ...   KEY.jpg (or .png, ...), KEY.json, KEY.cls
    OUT/classes.json             the labels: .cls is the place in this list, from 0
    OUT/manifest.csv             where each picture came from
    OUT/skipped.csv              what could not be read, where there is such a picture

As https://github.com/webdataset/webdataset reads them: `.cls` is a whole number, `.json` an
object, and a key has no dot. The same pictures give the same bytes: members have no times and no
owners.
"""

import json
import tarfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa

from pixelmine.core import Cleared

from .names import escaped
from .notes import MANIFEST, MANIFEST_COLUMNS, SKIPPED_NAME, Table, write_skipped
from .rows import Batch, Item

__all__ = ["CLASSES", "ShardsForm"]

CLASSES = "classes.json"
_BLOCK = 512
_END = 1024
"""Bytes of zeros that end a tar."""


class ShardsForm:
    """Writes into an empty folder.

    `max_bytes`, `max_pictures`: after which a shard is full; a picture that is larger has its own.
    `classes`: the labels in their order, or none where a picture may have several.
    """

    def __init__(
        self,
        folder: Path,
        *,
        classes: Sequence[str],
        several: bool,
        max_bytes: int,
        max_pictures: int,
    ) -> None:
        self._folder, self._several = folder, several
        self._max_bytes, self._max_pictures = max_bytes, max_pictures
        self._number = {label: number for number, label in enumerate(classes)}
        self._manifest = Table(folder / MANIFEST, MANIFEST_COLUMNS, several)
        self._open: dict[str, _Shard] = {}
        self._shards: dict[str, int] = {}
        self._pictures = 0
        if classes:
            text = json.dumps(list(classes), ensure_ascii=False, indent=1)
            (folder / CLASSES).write_text(text + "\n", "utf-8")

    def write(self, batch: Batch) -> None:
        """Add pictures."""
        self._manifest.add({"file": self._put(item), **item.row} for item in batch.items())

    def finish(self, skipped: Iterable[Cleared[pa.RecordBatch]]) -> None:
        """Close the shards and the manifest, and list what could not be read."""
        self.close()
        if rows := list(skipped):
            write_skipped(self._folder / SKIPPED_NAME, rows)

    def about(self) -> dict[str, object]:
        """`shards`: how many there are."""
        return {"shards": sum(self._shards.values())}

    def close(self) -> None:
        """Let go of what is open, also after a failure."""
        for shard in self._open.values():
            shard.close()
        self._manifest.close()

    def _put(self, item: Item) -> str:
        key = f"{self._pictures:09d}"
        self._pictures += 1
        files = {item.ending: item.data or b"", "json": self._note(item)}
        if len(item.labels) == 1 and item.labels[0] in self._number:
            files["cls"] = str(self._number[item.labels[0]]).encode()
        shard = self._shard(item.row.get("part"), sum(_size(len(f)) for f in files.values()))
        for ending, data in files.items():
            shard.add(f"{key}.{ending}", data)
        shard.pictures += 1
        return f"{shard.name}/{key}.{item.ending}"

    def _note(self, item: Item) -> bytes:
        """`label` where pictures have one at most, else `labels`; what is not known is left out."""
        row: dict[str, Any] = {name: v for name, v in item.row.items() if v is not None}
        labels = row.pop("labels", None)
        if labels:
            row |= {"labels": labels} if self._several else {"label": labels[0]}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str).encode()

    def _shard(self, part: str | None, size: int) -> "_Shard":
        prefix = f"{escaped(part)}-" if part else ""
        shard = self._open.get(prefix)
        if shard is not None and shard.is_full(size, self._max_bytes, self._max_pictures):
            shard.close()
            shard = None
        if shard is None:
            number = self._shards.get(prefix, 0)
            self._shards[prefix] = number + 1
            shard = self._open[prefix] = _Shard(self._folder / f"{prefix}{number:06d}.tar")
        return shard


class _Shard:
    def __init__(self, path: Path) -> None:
        self.name, self.pictures, self._bytes = path.name, 0, _END
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  close() ends it

    def is_full(self, size: int, max_bytes: int, max_pictures: int) -> bool:
        return self.pictures > 0 and (
            self.pictures >= max_pictures or self._bytes + size > max_bytes
        )

    def add(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        self._tar.addfile(info, BytesIO(data))
        self._bytes += _size(len(data))

    def close(self) -> None:
        self._tar.close()


def _size(length: int) -> int:
    """Bytes that a member takes: its header and whole blocks."""
    return _BLOCK + -(-length // _BLOCK) * _BLOCK
