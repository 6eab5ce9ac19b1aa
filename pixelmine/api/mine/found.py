"""What mining found, as the collection keeps it: a table, and a summary beside it.

A finding is made anew only when what it was made of has changed: `asked` names that, its options
and the versions of the tables that were read.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pixelmine.core import Policy, clear
from pixelmine.core.atomic import write_json
from pixelmine.core.errors import CollectionError
from pixelmine.core.ids import digest_json
from pixelmine.store import Collection

__all__ = ["Found", "cleared", "find", "read_found"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A finding. `summary`: JSON, the figures. `rows`: its table in the collection.

    `made`: when, ISO 8601. `asked`: digest of what it was made of.
    """

    name: str
    summary: dict[str, Any]
    rows: pa.Table = field(repr=False)
    made: str
    asked: str


def find(
    collection: Collection,
    name: str,
    asked: Mapping[str, Any],
    make: Callable[[], tuple[dict[str, Any], pa.Table]],
) -> Found:
    """The finding of that name, made with `make` where it is not there or `asked` has changed.

    `asked`: JSON: the options, and the versions of what is read, as `collection.images.version`.
    """
    wanted = digest_json({"finding": name, **asked})
    known = read_found(collection, name)
    if known is not None and known.asked == wanted:
        return known
    summary, rows = make()
    # Gone first: a killed run must not leave one question's rows beside another's summary.
    _beside(collection, name).unlink(missing_ok=True)
    collection.finding(name, rows.schema).replace(rows)
    found = Found(name=name, summary=summary, rows=rows, made=_now(), asked=wanted)
    about = {"name": name, "made": found.made, "asked": wanted, "rows": rows.num_rows}
    write_json(_beside(collection, name), {**about, "summary": summary})
    return found


def read_found(collection: Collection, name: str) -> Found | None:
    """What was found last, whatever has changed since; None where nothing was looked for."""
    path = _beside(collection, name)
    if not path.is_file():
        return None
    try:
        about = json.loads(path.read_text("utf-8"))
        summary, made, asked, count = (about[key] for key in ("summary", "made", "asked", "rows"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CollectionError(
            f"{path} cannot be read: {error}. Delete it and mine again; nothing else is lost."
        ) from error
    rows = collection.finding(name).read()
    if rows.num_rows != count:  # killed between the table and its summary
        return None
    return Found(name=name, summary=summary, rows=rows, made=made, asked=asked)


def cleared(rows: pa.Table, policy: Policy) -> pa.Table:
    """A table through the release gate, on its way to whoever asked."""
    batches = [clear(batch, policy).item for batch in rows.to_batches()]
    return pa.Table.from_batches(batches) if batches else rows


def _beside(collection: Collection, name: str) -> Any:
    return collection.path / "findings" / f"{name}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
