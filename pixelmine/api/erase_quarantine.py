"""What plans have set aside, and how one picture leaves it: its file, its row, its move."""

import json
import shutil
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pixelmine.core.atomic import replace_file, write_json
from pixelmine.core.errors import CollectionError
from pixelmine.core.schema import IMAGES
from pixelmine.store import Collection

__all__ = ["half_applied", "leave_quarantine", "quarantined"]


def quarantined(collection: Collection) -> pa.Table:
    """The rows that plans have set aside, as they were in `images` then."""
    tables = [_rows(folder) for folder in _folders(collection)]
    return pa.concat_tables(tables) if tables else IMAGES.empty_table()


def half_applied(collection: Collection) -> list[str]:
    """Ids of quarantines whose plan was stopped while it was applied."""
    return [f.name for f in _folders(collection) if _journal(f)["state"] == "begun"]


def leave_quarantine(collection: Collection, rows: Set[str], contents: Set[str]) -> dict[str, int]:
    """Delete what was set aside of these rows and contents; gives the `files` and `rows` gone.

    A quarantine that holds nothing else goes whole. Files first, then what names them: killed
    between, the next call finds the rest.
    """
    gone = {"files": 0, "rows": 0}
    for folder in (collection.path / "quarantine").glob("*"):
        if not (folder / "journal.json").is_file():  # killed before it: no file has moved
            shutil.rmtree(folder)
    for folder in _folders(collection):
        known, journal = _rows(folder), _journal(folder)
        going = pc.or_(_in(known["row_id"], rows), _in(known["content_id"], contents))
        going = pc.fill_null(going, False)
        names = set(known.filter(going)["row_id"].to_pylist())
        if not names:
            continue
        moves = [move for move in journal["moves"] if move["row_id"] in names]
        for move in moves:
            file = folder / move["name"]
            gone["files"] += file.is_file()
            file.unlink(missing_ok=True)
        left = known.filter(pc.invert(going))
        gone["rows"] += known.num_rows - left.num_rows
        if left.num_rows == 0:
            shutil.rmtree(folder)
            continue
        stay = [move for move in journal["moves"] if move["row_id"] not in names]
        write_json(folder / "journal.json", {**journal, "moves": stay})
        with replace_file(folder / "images.parquet") as temporary:
            pq.write_table(left, temporary)
    return gone


def _in(column: pa.ChunkedArray, names: Set[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(sorted(names), pa.string()))


def _folders(collection: Collection) -> Iterator[Path]:
    for path in sorted((collection.path / "quarantine").glob("*/journal.json")):
        yield path.parent


def _rows(folder: Path) -> pa.Table:
    return pq.read_table(folder / "images.parquet").cast(IMAGES)


def _journal(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "journal.json").read_text("utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise CollectionError(f"{folder}/journal.json cannot be read: {error}.") from error
