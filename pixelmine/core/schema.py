"""The Arrow schemas of every table and of the results: what a row is, once for all modules.

N rows; K classes; D dimensions of an embedding.
"""

import pyarrow as pa

__all__ = [
    "DECISIONS",
    "IMAGES",
    "LABELS",
    "LISTING",
    "RESULTS",
    "SCHEMA_VERSION",
    "SPLITS",
    "TOP",
    "features_schema",
    "predictions_schema",
]

SCHEMA_VERSION = 1
"""Of a collection's folder and tables; a collection with a higher number is refused."""

META = pa.map_(pa.string(), pa.string())

LISTING = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("offset", pa.int64()),
        pa.field("length", pa.int64()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("group", pa.string()),
        pa.field("label", pa.string()),
        pa.field("meta", META),
        pa.field("content_id", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("address", pa.string()),
        pa.field("data", pa.large_binary()),
    ]
)
"""What a source yields: a row a file or member, always frame 0; decoding may find more frames.

`offset`, `length`: where a member's bytes lie in the file, uncompressed, in bytes. `label`: what
the source says that it shows. `content_id`: what the bytes must be, where that is known already.
`reason`: set where there is nothing to read. `address`: how to get at the bytes where `uri` does
not say (a signed URL); it stays in the run's folder. `data`: the bytes themselves, from a source
that cannot be read again (a stream, a query, a compressed member)."""

IMAGES = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("offset", pa.int64()),
        pa.field("length", pa.int64()),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("content_id", pa.string()),
        pa.field("picture_id", pa.string()),
        pa.field("format", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("orientation", pa.int8()),
        pa.field("group", pa.string()),
        pa.field("meta", META),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
    ]
)
"""One row for each picture seen. `offset`, `length`: where its bytes lie in a container, in bytes.
`width`, `height`: pixels as stored, before orientation. `orientation`: EXIF, 1 to 8."""

LABELS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("labels", pa.list_(pa.string()), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("who", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""Append-only; for a row the latest `time` wins; an empty list takes the label back."""

SPLITS = pa.schema(
    [
        pa.field("split_id", pa.string(), nullable=False),
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("part", pa.string(), nullable=False),
    ]
)

DECISIONS = pa.schema(
    [
        pa.field("about", pa.string(), nullable=False),
        pa.field("first", pa.string(), nullable=False),
        pa.field("second", pa.string()),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("who", pa.string(), nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""Append-only; for (`about`, `first`, `second`) the latest `time` wins. `about`: the finding's
name. `first`, `second`: picture_ids, in order; `second` is null where it is about one picture.
`decision`: what was said, in the finding's own words; empty takes it back."""

TOP = pa.list_(
    pa.struct(
        [
            pa.field("index", pa.int32()),
            pa.field("label", pa.string()),
            pa.field("probability", pa.float32()),
        ]
    )
)

RESULTS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("member", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("picture_id", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("top", TOP),
        pa.field("decision", pa.list_(pa.string())),
        pa.field("set", pa.list_(pa.string())),
        pa.field("ood", pa.float32()),
        pa.field(
            "found",
            pa.list_(
                pa.struct(
                    [
                        pa.field("kind", pa.string()),
                        pa.field("box", pa.list_(pa.float32())),
                        pa.field("text", pa.string()),
                        pa.field("score", pa.float32()),
                    ]
                )
            ),
        ),
        pa.field("model", pa.string()),
        pa.field("model_digest", pa.string()),
    ]
)
"""One row for each row in. `top`: best first. `decision`: null when the model abstains."""


def features_schema(dimensions: int) -> pa.Schema:
    """One producer's table: `values` is (D,) float32."""
    return pa.schema(
        [
            pa.field("picture_id", pa.string(), nullable=False),
            pa.field("values", pa.list_(pa.float32(), dimensions)),
        ]
    )


def predictions_schema(classes: int) -> pa.Schema:
    """One bundle's table: `logits` is (K,) float32, null where `reason` says why there is none."""
    return pa.schema(
        [
            pa.field("picture_id", pa.string(), nullable=False),
            pa.field("reason", pa.string()),
            pa.field("logits", pa.list_(pa.float32(), classes)),
        ]
    )
