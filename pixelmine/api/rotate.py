"""A new master key for an encrypted collection, without sealing anything anew."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pixelmine.core.errors import OutputError, SealedError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.store import Collection
from pixelmine.store.envelope import rewrap
from pixelmine.store.keys import MasterKeys
from pixelmine.store.lock import WriteLock

__all__ = ["Rotated", "rotate"]

_TOGETHER = 16
"""Copies at once: each waits for the disk, twice."""


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """`changed`, `already`: copied pictures whose data key was, or was before, wrapped anew.

    `tables`: their keys come from the collection's secret, which is wrapped anew. `left`: copies
    that could not be opened, by their place in the collection, and why; they stay as they are.
    """

    collection: Path
    before: str
    key_id: str
    changed: int
    already: int
    tables: int
    left: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "collection": str(self.collection)}


def rotate(path: str | Path, *, progress: Progress | None = None) -> Rotated:
    """Wrap every data key of an encrypted collection by the current master key.

    The environment holds the new key first and the old one after it. Killed, it goes on when it is
    called again; until it has ended both keys are needed, and `collection.json` names the old one.
    Nothing else should write meanwhile: what a process that does not know the new key has added
    needs the old one, until this is called again. It protects what is written from now on, and
    helps when the old key is lost to others; who has copied files and the old key can open those.
    Raises UsageError for a collection that is not encrypted, SealedError, OutputError.
    """
    progress = progress or SilentProgress()
    with Collection.open(path) as collection:
        if (sealing := collection.sealing) is None:
            raise UsageError(
                f"{collection.path} is not encrypted, so that it has no key to change. Make an "
                "encrypted one from the same sources: pixelmine ingest SOURCE --into NEW --encrypt."
            )
        before, left = collection.settings["encrypted"]["key_id"], dict[str, str]()
        counts = {True: 0, False: 0}
        copies = sorted(collection.bytes.paths())
        progress.start("rotate", len(copies))
        try:
            with ThreadPoolExecutor(_TOGETHER, "rotate") as pool:
                for copy, found in zip(
                    copies, pool.map(partial(_changed, sealing.keys), copies), strict=True
                ):
                    if isinstance(found, str):
                        left[copy.relative_to(collection.path).as_posix()] = found
                    elif found is not None:
                        counts[found] += 1
                    progress.advance(1)
            with WriteLock(collection.path / ".lock"):
                collection.settings = sealing.rewrap(collection.path, collection.settings)
        except OSError as error:
            raise OutputError(
                f"Cannot write to {collection.path}: {error.strerror}. Keep both keys; make room "
                "or mend the folder, then run the same command again."
            ) from error
        progress.finish()
        producers = [collection.producers(kind) for kind in ("features", "predictions")]
    return Rotated(
        collection=collection.path,
        before=before,
        key_id=sealing.keys.current,
        changed=counts[True],
        already=counts[False],
        tables=sum(map(len, producers)),
        left=left,
    )


def _changed(keys: MasterKeys, copy: Path) -> bool | str | None:
    """Whether it was changed just now; why it cannot be; None where it was erased meanwhile."""
    try:
        return rewrap(copy, keys, keys)
    except SealedError as error:
        return str(error)
    except FileNotFoundError:
        return None
