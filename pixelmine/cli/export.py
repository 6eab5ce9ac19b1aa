"""`pixelmine export`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import CollectionPath, Json, Overwrite, Strict, Where
from .terminal import finish, many, run, short

__all__ = ["export"]

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?b)?", re.IGNORECASE)


def export(
    path: CollectionPath,
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", help="folder, webdataset, parquet or csv.")
    ],
    destination: Annotated[
        Path, typer.Option("--out", help="A new folder; of parquet and csv a file.")
    ],
    where: Where = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="A CSV with row_id and action: rows of action `remove` stay out."),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="current, or none: leave them out, and make no class folders.")
    ] = "current",
    split: Annotated[
        str | None, typer.Option(help="ID or ID:FOLD: apart by part; others stay out.")
    ] = None,
    with_bytes: Annotated[
        bool,
        typer.Option("--bytes/--no-bytes", help="Of parquet: put the pictures themselves in it."),
    ] = True,
    shard_size: Annotated[
        str, typer.Option(help="Of webdataset: bytes of a shard at most, as in 500MB.")
    ] = "1GB",
    shard_pictures: Annotated[
        int, typer.Option(min=1, help="Of webdataset: pictures of a shard at most.")
    ] = 10_000,
    policy: Annotated[
        Path | None, typer.Option(help="privacy.toml: what may leave, of pictures and of tables.")
    ] = None,
    overwrite: Overwrite = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Write the good pictures of a collection, without those a plan removes, with their labels.

    The form is whole when it appears. Pictures keep their bytes; frames of videos become PNG.

        pixelmine export photos.pixels --as folder --out clean/ --plan plan.csv

        pixelmine export photos.pixels --as webdataset --out shards/ --split 3f9a

        pixelmine export photos.pixels --as parquet --out clean.parquet --where "width >= 224"

        pixelmine export photos.pixels --as folder --out public/ --policy privacy.toml
    """
    with run(as_json) as progress:
        from pixelmine.api.export import ExportOptions, export_collection

        options = ExportOptions(
            form=form,
            where=where,
            plan=plan,
            labels=labels,
            split=split,
            with_bytes=with_bytes,
            shard_bytes=_bytes(shard_size),
            shard_pictures=shard_pictures,
            overwrite=overwrite,
        )
        with _released(policy) as released:
            found = export_collection(
                path, destination, options, policy=released, progress=progress
            )
        for note in found.notes():
            progress.note(note)
        if not as_json:
            left = "".join(
                f", {count:,} left out by the {why}" for why, count in found.left_out.items()
            )
            progress.note(
                f"{many(found.written, 'picture')} of {found.good:,} good ones{left}: "
                f"{short(found.out)}"
            )
    finish(found.to_dict(), as_json, strict, sum(found.skipped.values()))


@contextmanager
def _released(policy: Path | None) -> Iterator[Any]:
    """The policy at the release gate, noted in the audit log when all has left; or none."""
    if policy is None:
        yield None
        return
    from pixelmine.api.audited import audit
    from pixelmine.api.strict_policy import open_policy
    from pixelmine.privacy.policy import PrivacyPolicy

    rules = PrivacyPolicy.load(policy)
    with open_policy(rules) as opened:
        yield opened
    audit("export", policy=rules.digest)


def _bytes(text: str) -> int:
    from pixelmine.core.errors import UsageError

    found = _SIZE.fullmatch(text.strip())
    if found is None or not (size := int(float(found[1]) * _UNITS[(found[2] or "").lower()])):
        raise UsageError(f"--shard-size must be a size such as 500MB or 1GB. Got {text[:40]!r}.")
    return size
