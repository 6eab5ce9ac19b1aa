"""What a collection knows of each picture, as attributes with few values, for rules and drift."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import OK
from pixelmine.mine.items import Attribute, binned
from pixelmine.store import Collection

from .found import read_found
from .quality import FINDING as QUALITY_FINDING

__all__ = ["TIME", "attributes", "meta_columns", "times"]

TIME = "time"
"""The key of `meta` that says when a picture was taken."""

_PRIVATE = re.compile(
    r"gps|latitude|longitude|serial|owner|artist|author|name|patient|person|address|e-?mail|phone"
    r"|coordinate|imei|(?<![a-z])(?:lat|lon|lng|location|city|street|user|place)(?![a-z])",
    re.I,
)
"""Columns that say who or where; they become no items unless they are asked for."""
_MANY = 200
"""Different values above which a column of text names pictures and does not describe them."""
_FORMS = ("%Y:%m:%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%Y:%m:%d")
_SIZES = (0.1, 0.5, 2, 8)
"""Megapixels between the classes of size."""
_SHAPES = (0.6, 0.9, 1.1, 1.7)
"""Width over height between tall, upright, square, across and wide."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def attributes(
    collection: Collection,
    rows: pa.Table,
    predicted: Sequence[str | None] | None = None,
    columns: Sequence[str] = (),
    bins: Callable[[Sequence[str | None]], list[str | None]] = binned,
) -> list[Attribute]:
    """Attributes of `rows`, as `pile.read_pictures` gives them, that have a value at all.

    `predicted`: a label for each. `columns`: keys of `meta` to take although they may say who.
    `bins`: what becomes of a column's values.
    """
    found = [
        Attribute(
            name="label", kind="label", values=[one or [] for one in rows["labels"].to_pylist()]
        )
    ]
    if predicted is not None:
        found.append(Attribute(name="predicted", kind="predicted", values=_single(predicted)))
    issues = _issues(collection, rows["picture_id"].to_pylist())
    if issues is not None:
        found.append(Attribute(name="quality", kind="quality", values=issues))
    circumstances = {
        **_of_files(rows),
        **_of_times(times(rows)),
        **{
            name: values
            for name, given in meta_columns(rows, columns).items()
            if len(set(values := bins(given))) <= _MANY
        },
    }
    found += [
        Attribute(name=name, kind="circumstance", values=_single(values))
        for name, values in circumstances.items()
    ]
    return [one for one in found if any(one.values)]


def times(rows: pa.Table) -> list[datetime | None]:
    """When each picture was taken, as its camera said; None where it did not."""
    return [_time(dict(meta or ()).get(TIME)) for meta in rows["meta"].to_pylist()]


def meta_columns(rows: pa.Table, columns: Sequence[str] = ()) -> dict[str, list[str | None]]:
    """Every key of `meta` but the time, and but those that say who or where unless asked for."""
    metas = [dict(meta or ()) for meta in rows["meta"].to_pylist()]
    keys = sorted({key for meta in metas for key in meta} - {TIME})
    taken = [key for key in keys if key in columns or not _PRIVATE.search(key)]
    return {key: [meta.get(key) or None for meta in metas] for key in taken}


def _single(values: Sequence[str | None]) -> list[list[str]]:
    return [[] if value is None else [value] for value in values]


def _issues(collection: Collection, pictures: list[str]) -> list[list[str]] | None:
    found = read_found(collection, QUALITY_FINDING)
    if found is None:
        return None
    good = collection.images.read(["picture_id"], f"status = '{OK}'")["picture_id"]
    if found.summary["pictures"] != pc.count_distinct(good).as_py():
        return None  # of a part of the pictures, or of those before others came
    of: dict[str, list[str]] = {}
    for picture, issue in zip(
        found.rows["picture_id"].to_pylist(), found.rows["issue"].to_pylist(), strict=True
    ):
        of.setdefault(picture, []).append(issue)
    return [of.get(picture, []) for picture in pictures]


def _of_files(rows: pa.Table) -> dict[str, list[str | None]]:
    """Format, size, shape, folder, and the group where it is one of few."""
    wide, high = (rows[name].to_numpy().astype(np.float64) for name in ("width", "height"))
    turned = np.isin(rows["orientation"].to_numpy(zero_copy_only=False), (5, 6, 7, 8))
    aspect = np.where(turned, high / wide, wide / high)
    sizes = [f"under {_SIZES[0]:g} MP"]
    sizes += [f"{low:g} to {up:g} MP" for low, up in pairwise(_SIZES)]
    sizes.append(f"over {_SIZES[-1]:g} MP")
    shapes = ("tall", "upright", "square", "across", "wide")
    groups = rows["group"].to_pylist()
    return {
        "format": rows["format"].to_pylist(),
        "size": [sizes[at] for at in np.searchsorted(_SIZES, wide * high / 1e6)],
        "shape": [shapes[at] for at in np.searchsorted(_SHAPES, aspect)],
        "source": [_folder(uri, member) for uri, member in zip(
            rows["uri"].to_pylist(), rows["member"].to_pylist(), strict=True
        )],
        "group": groups if len(set(groups)) <= _MANY else [None] * len(groups),
    }  # fmt: skip


def _folder(uri: str, member: str) -> str:
    """The name of the folder, or of the archive, that a picture lies in."""
    path = unquote(urlsplit(uri).path)
    within = f"{path}/{member}" if member else path
    return within.rsplit("/", 2)[-2] if within.count("/") > 1 else "/"


def _of_times(taken: list[datetime | None]) -> dict[str, list[str | None]]:
    def each(say: Any) -> list[str | None]:
        return [None if time is None else say(time) for time in taken]

    def hour(time: datetime) -> str | None:
        return f"{time.hour // 3 * 3:02}-{time.hour // 3 * 3 + 3:02} h"

    return {
        "hour": each(hour),
        "weekday": each(lambda time: _WEEKDAYS[time.weekday()]),
        "month": each(lambda time: f"{time:%Y-%m}"),
    }


def _time(text: str | None) -> datetime | None:
    for form in _FORMS if text else ():
        try:
            return datetime.strptime(str(text)[:19], form)
        except ValueError:
            continue
    return None
