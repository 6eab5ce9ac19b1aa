"""The stage that protects: listing rows to protected pictures, made in processes of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pixelmine.core import Limits
from pixelmine.engine import Work
from pixelmine.looking import Look, Looks, Reading
from pixelmine.privacy.picture_rules import PictureRules

__all__ = ["PROTECTED", "Protect"]

PROTECTED = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("listed", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("format", pa.string()),
        pa.field("how", pa.string()),
        pa.field("verdict", pa.string()),
        pa.field(
            "found",
            pa.list_(
                pa.struct(
                    [
                        pa.field("kind", pa.string()),
                        pa.field("box", pa.list_(pa.float32())),
                        pa.field("score", pa.float32()),
                        pa.field("sure", pa.bool_()),
                    ]
                )
            ),
        ),
        pa.field("removed", pa.list_(pa.string())),
        pa.field("data", pa.large_binary()),
    ]
)
"""One row for what leaves of each picture. `listed`: the row_id of the file's first frame. `how`:
`lossless` or `encoded`. `data`: the bytes, null where the status is `failed`."""

_IN_FLIGHT = 16
"""Different pictures that are remembered, with their bytes."""
_CPU_S, _CPU_S_PER_MEGAPIXEL = 60.0, 20.0
"""Processor time for one picture: detectors look at it in tiles, at two scales and mirrored."""


@dataclass(frozen=True, kw_only=True)
class Protect(Reading):
    """Stage: listing rows to PROTECTED rows.

    `uid_key`: by which DICOM's UIDs are mapped, the same wherever the stage is opened.
    """

    rules: PictureRules
    uid_key: bytes = field(repr=False)

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that come out."""
        return PROTECTED

    def open(self) -> Work:
        """Start the processes."""
        return _Protecting(self)


class _Protecting:
    def __init__(self, stage: Protect) -> None:
        limits = patient(stage.limits)
        self.looks = Looks(
            "pixelmine.protecting:protector",
            {"rules": stage.rules.model_dump(mode="json"), "uid_key": stage.uid_key.hex()},
            replace(stage, limits=limits),
            _IN_FLIGHT,
        )
        self.close = self.looks.close

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        found = [row for look in self.looks(rows.to_pylist()) for row in _rows(look)]
        return pa.RecordBatch.from_pylist(found, PROTECTED)


def patient(limits: Limits) -> Limits:
    """The same, with processor time for detectors too."""
    return replace(
        limits,
        decode_cpu_s=max(_CPU_S, limits.decode_cpu_s),
        decode_cpu_s_per_megapixel=max(_CPU_S_PER_MEGAPIXEL, limits.decode_cpu_s_per_megapixel),
    )


def _rows(look: Look) -> Iterator[dict[str, object]]:
    for row, (_, made) in zip(look.rows(), look.frames, strict=True):
        data = None if made is None else made.tobytes()
        yield {**row, "listed": look.row["row_id"], "data": data}
