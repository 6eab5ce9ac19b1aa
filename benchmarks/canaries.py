"""Whether anything that is planted around the pixels of eight formats is in what leaves.

python benchmarks/canaries.py

Each canary is shown to be in the file before (`planted`); what leaves is searched raw and inflated,
in UTF-8 and UTF-16, by pieces of six characters (`left`). JPEG's pixels are compared (`pixels`),
and so are all other formats' that are rewritten.
"""

import io
from typing import Any, Literal

import numpy as np
from machine import keep
from PIL import Image, ImageSequence
from planted_metadata import PLANTED, encoded_anew

from pixelmine.core import Reason
from pixelmine.privacy.metadata import Allowed, strip

_ORIENTATIONS: tuple[Literal["keep", "apply"], ...] = ("keep", "apply")


def pixels(data: bytes) -> list[np.ndarray]:
    """All frames of a file."""
    if data[128:132] == b"DICM":
        import pydicom

        return [pydicom.dcmread(io.BytesIO(data)).pixel_array]
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def main() -> None:
    """Plant, strip, search."""
    formats = {}
    for name, plant in PLANTED.items():
        planted = plant()
        before = len(planted.planted())
        row: dict[str, Any] = {"places": len(planted.places), "planted": before}
        for orientation in _ORIENTATIONS:
            made = strip(planted.data, Allowed(orientation=orientation))
            if isinstance(made, Reason):
                raise SystemExit(f"{name}: {made}")
            out = made.data if made.data is not None else encoded_anew(planted.data)
            how = "rewritten" if made.data is not None else "encoded anew"
            same = None
            if made.data is not None:
                # a TIFF's preview is a page before, and none after
                pairs = zip(pixels(planted.data), pixels(made.data), strict=False)
                same = all(np.array_equal(one, other) for one, other in pairs)
            said = {
                "how": how,
                "left": planted.left(out),
                "pixels": same,
                "removed": list(made.removed),
            }
            row[orientation] = {**said, "bytes": [len(planted.data), len(out)]}
        formats[name] = row
    rows = formats.values()
    counts = {
        "canaries": sum(row["places"] for row in rows),
        "planted": sum(row["planted"] for row in rows),
        "found": sum(len(row[how]["left"]) for row in rows for how in _ORIENTATIONS),
    }
    keep("canaries", {**counts, "formats": formats})


if __name__ == "__main__":
    main()
