"""What mining found, as the collection keeps it: a table, and a summary beside it.

A finding is made anew only when what it was made of has changed: `asked` names that, its options
and the versions of the tables that were read. Whoever has no wish of their own takes one that was
made with other options, where the collection is still what it was.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pixelmine.core import Policy, clear
from pixelmine.core.atomic import write_json
from pixelmine.core.errors import CollectionError
from pixelmine.core.ids import digest, digest_json
from pixelmine.store import Collection

__all__ = ["Found", "cleared", "find", "read_found"]

_READ = frozenset(
    {"images", "labels", "decisions", "splits", "features", "schema", "rules", "issues"}
)
"""Parts of `asked` that say what was read, and in which form it is kept."""
_OPTIONS = ("where", "model", "columns", "options", "words")
"""Parts of `asked` that a user chooses."""
_LONG = 2000


@dataclass(frozen=True, kw_only=True)
class Found:
    """A finding. `summary`: JSON, the figures. `rows`: its table in the collection.

    `made`: when, ISO 8601. `asked`: digest of what it was made of; `of`: that in parts, each short
    or by its digest. `own`: options by which it is another than what was asked for now, by name.
    """

    name: str
    summary: dict[str, Any]
    rows: pa.Table = field(repr=False)
    made: str
    asked: str
    of: dict[str, Any] = field(default_factory=dict, repr=False)
    own: dict[str, Any] = field(default_factory=dict, repr=False)


def find(
    collection: Collection,
    name: str,
    asked: Mapping[str, Any],
    make: Callable[[], tuple[dict[str, Any], pa.Table]],
    *,
    any_options: bool = False,
) -> Found:
    """The finding of that name, made with `make` where it is not there or `asked` has changed.

    `asked`: JSON: the options, and the versions of what is read, as `collection.images.version`.
    `any_options`: one that was made with other options will do, as long as the tables that it was
    made of are those of now; `own` says with which.
    """
    wanted = digest_json({"finding": name, **asked})
    known = read_found(collection, name)
    if known is not None and known.asked == wanted:
        return known
    of = {key: _short(value) for key, value in asked.items()}
    if known is not None and any_options and (own := _own(known.of, of)):
        return replace(known, own=own)
    summary, rows = make()
    # Gone first: a killed run must not leave one question's rows beside another's summary.
    _beside(collection, name).unlink(missing_ok=True)
    collection.finding(name, rows.schema).replace(rows)
    found = Found(name=name, summary=summary, rows=rows, made=_now(), asked=wanted, of=of)
    about = {"name": name, "made": found.made, "asked": wanted, "of": of, "rows": rows.num_rows}
    write_json(_beside(collection, name), {**about, "summary": summary})
    return found


def _own(known: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Options of what is known that are not those of now; {} where it is of other tables."""
    if known.keys() != now.keys() or any(known[one] != now[one] for one in _READ & now.keys()):
        return {}
    own: dict[str, Any] = {}
    for key in _OPTIONS:
        if key not in now:
            continue
        if isinstance(now[key], dict) and isinstance(known[key], dict):
            own |= {name: one for name, one in known[key].items() if now[key].get(name) != one}
        elif known[key] != now[key]:
            own[key] = known[key]
    return own


def _short(value: Any) -> Any:
    """As JSON gives it back; its digest where it is long."""
    text = json.dumps(value, default=str)
    return json.loads(text) if len(text) <= _LONG else digest(text)


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
    of = about.get("of", {})
    return Found(name=name, summary=summary, rows=rows, made=made, asked=asked, of=of)


def cleared(rows: pa.Table, policy: Policy) -> pa.Table:
    """A table through the release gate, on its way to whoever asked."""
    batches = [clear(batch, policy).item for batch in rows.to_batches()]
    return pa.Table.from_batches(batches) if batches else rows


def _beside(collection: Collection, name: str) -> Any:
    return collection.path / "findings" / f"{name}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
