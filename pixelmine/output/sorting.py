"""Rows sorted by row_id in bounded memory: spilled to the disk by range, each range sorted."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.schema import RESULTS

__all__ = ["in_order"]

BUCKET = 100_000
"""Rows in memory at a time, about (of RESULTS, 100 MB)."""

BUCKETS = 250
"""At most: each is an open file. Past 25 million rows the buckets grow instead."""


def in_order(tables: Iterable[pa.Table], rows: int, folder: Path) -> Iterator[pa.Table]:
    """RESULTS `tables`, of `rows` rows together, sorted by row_id, in tables of about BUCKET rows.

    Row ids are digests, so equal ranges of them hold about as many rows each. `folder` takes a
    temporary copy where one range does not hold all.
    """
    count = min(BUCKETS, -(-rows // BUCKET))
    if count <= 1:
        table = pa.concat_tables([RESULTS.empty_table(), *tables])
        if table.num_rows:
            yield _sorted(table)
        return
    with TemporaryDirectory(prefix=".sorting-", dir=folder) as spilled:
        paths = [Path(spilled) / f"{number}.arrows" for number in range(count)]
        _spill(tables, paths)
        for path in paths:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                table = stream.read_all()
            path.unlink()
            yield _sorted(table)


def _spill(tables: Iterable[pa.Table], paths: list[Path]) -> None:
    edges = [f"{(1 << 32) * number // len(paths):08x}" for number in range(1, len(paths))]
    with ExitStack() as stack:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        files = [stack.enter_context(pa.OSFile(str(path), "wb")) for path in paths]
        outs = [
            stack.enter_context(pa.ipc.new_stream(file, RESULTS, options=options)) for file in files
        ]
        for table in _gathered(tables):
            names = [name.encode()[:8] for name in table["row_id"].to_pylist()]
            bucket = np.searchsorted(np.array(edges, "S8"), np.array(names, "S8"), side="right")
            order = np.argsort(bucket, kind="stable")
            table, starts = table.take(pa.array(order)), np.zeros(len(paths) + 1, np.int64)
            starts[1:] = np.cumsum(np.bincount(bucket, minlength=len(paths)))
            for number, out in enumerate(outs):
                out.write_table(table.slice(starts[number], starts[number + 1] - starts[number]))


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Many small tables as fewer large ones: a run of days has thousands of parts."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(part.num_rows for part in held) >= BUCKET:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table["row_id"])).combine_chunks()
