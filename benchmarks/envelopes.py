"""What sealing costs: megabytes a second, memory, and a new master key for many objects.

python benchmarks/envelopes.py [--gib 1] [--objects 10000] [--kib 100]

A stream of random bytes is sealed to a file and opened again; memory is the most that the process
held more than before. Then a collection of so many sealed copies gets a new master key by
`pixelmine.api.rotate`, and every copy is opened with the new key alone.
"""

import argparse
import hashlib
import io
import os
import random
import tempfile
import time
from pathlib import Path

import psutil
from machine import keep

from pixelmine.api.rotate import rotate
from pixelmine.core.ids import content_id
from pixelmine.store import Collection
from pixelmine.store.envelope import OVERHEAD, open_sealed, seal
from pixelmine.store.keys import MasterKeys, make_key

MB = 1e6


class Stream(io.RawIOBase):
    """So many bytes, made from one random megabyte."""

    def __init__(self, size: int) -> None:
        self._block = random.Random(1).randbytes(2**20)
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        size = min(size, self._left, len(self._block))
        self._left -= size
        return self._block[:size]


def measure_stream(folder: Path, size: int, keys: MasterKeys) -> dict[str, float]:
    """Seal and open one large object."""
    process, path = psutil.Process(), folder / "large"
    seal(b"first", io.BytesIO(), "warm", keys)
    before, most = process.memory_info().rss, 0
    start = time.perf_counter()
    with path.open("wb") as file:
        seal(Stream(size), file, "large", keys)
    sealing, most = time.perf_counter() - start, process.memory_info().rss
    start, opened = time.perf_counter(), 0
    with path.open("rb") as file:
        for number, chunk in enumerate(open_sealed(file, "large", keys)):
            opened += len(chunk)
            if number % 64 == 0:
                most = max(most, process.memory_info().rss)
    opening = time.perf_counter() - start
    path.unlink()
    return {
        "bytes": size,
        "whole": opened == size,
        "seal_mb_s": round(size / sealing / MB, 1),
        "open_mb_s": round(size / opening / MB, 1),
        "memory_mb": round((most - before) / MB, 1),
    }


def measure_rotation(folder: Path, objects: int, size: int) -> dict[str, float]:
    """Many copies get a new master key."""
    old, new = folder / "old.key", folder / "new.key"
    make_key(old)
    make_key(new)
    os.environ["PIXELMINE_KEY_FILE"] = str(old)
    drawn = random.Random(2)
    contents = []
    with Collection.create(folder / "collection", encrypt=True) as collection:
        start = time.perf_counter()
        for _ in range(objects):
            data = drawn.randbytes(size)
            contents.append(content_id(data))
            path = collection.bytes.path(contents[-1])
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:  # as `put` does, but for the wait for the disk
                seal(data, file, contents[-1], collection.sealing.keys)
        sealing = time.perf_counter() - start
        bodies = {
            path: hashlib.sha256(path.read_bytes()[OVERHEAD - 16 :]).digest()
            for path in collection.bytes.paths()
        }
    os.environ["PIXELMINE_KEY_FILE"] = f"{new}{os.pathsep}{old}"
    start = time.perf_counter()
    found = rotate(folder / "collection")
    seconds = time.perf_counter() - start
    os.environ["PIXELMINE_KEY_FILE"] = str(new)
    with Collection.open(folder / "collection") as collection:
        good = sum(
            hashlib.sha256(collection.bytes.get(content)).hexdigest() == content
            for content in contents
        )
        same = sum(
            hashlib.sha256(path.read_bytes()[OVERHEAD - 16 :]).digest() == body
            for path, body in bodies.items()
        )
    return {
        "objects": objects,
        "bytes_each": size,
        "seal_objects_s": round(objects / sealing, 1),
        "rotated": found.changed,
        "rotate_s": round(seconds, 2),
        "rotate_objects_s": round(objects / seconds, 1),
        "opened_with_the_new_key_alone": good,
        "data_as_it_was": same,
    }


def main() -> None:
    """Stream, rotate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--kib", type=int, default=100)
    asked = parser.parse_args()
    os.environ.pop("PIXELMINE_KEY", None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_key(folder / "key")
        stream = measure_stream(
            folder, int(asked.gib * 2**30), MasterKeys.from_file(folder / "key")
        )
        rotation = measure_rotation(folder, asked.objects, asked.kib * 2**10)
    keep("envelopes", {"stream": stream, "rotation": rotation})


if __name__ == "__main__":
    main()
