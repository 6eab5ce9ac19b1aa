"""How much of planted text is masked, how much else, and whether it can be read again.

python benchmarks/text_masks.py FOLDER [--texts 500] [--seed 20261128] [--plain 200]

FOLDER: photographs, as the `clothing` set. Plates and signs (`planted_text`) are drawn into copies,
one each, and JPEG follows at quality 60. What is tuned is tuned on an odd seed, which takes every
other photograph; an even one takes the rest.

Found: at least 95 % of the area of the text (the four-sided outline of its ink) lies under the
masks, which are those of the default: solid fill, grown. Area: of each mask that touches the text,
with all that hangs together with it, over that of the outline. Photographs have text of their own,
on shirts and labels: masks that do not touch the planted text count neither for nor against, and
are stated for the same photographs without planted text (`plain`). Read again: characters of the
planted text, in order, that the reader finds at its place and in any line found there after
masking; a line below a score of 0.5 says nothing, as in RapidOCR.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import keep
from PIL import Image
from planted_text import Planted, fonts, plant

from pixelmine.detect import Box, Found
from pixelmine.detect.plate_rules import normalised
from pixelmine.detect.plates import PlateOptions, plates_among
from pixelmine.detect.text import TextDetector, TextOptions
from pixelmine.detect.text_reader import TextReader
from pixelmine.detect.text_regions import Region
from pixelmine.privacy.mask import MaskOptions, mask_pixels

REQUIRED = {"recall": 0.95, "median area": 3.0, "characters read again": 0}
COVERED = 0.95
READABLE = 0.5
BINS = (0, 16, 24, 36, 48, 1000)

Row = dict[str, Any]


def main() -> None:
    """Plant, find, mask, read again, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--plain", type=int, default=100)
    parser.add_argument("--rows", type=Path, help="where to write one JSON object a text")
    asked = parser.parse_args()
    generator = np.random.default_rng(asked.seed)
    paths = sorted(path for path in asked.folder.iterdir() if path.suffix == ".jpg")
    paths = paths[asked.seed % 2 :: 2]
    chosen = [paths[index] for index in generator.permutation(len(paths))[: asked.texts]]
    known = fonts()
    text, rows = TextDetector(), []
    for path in chosen:
        planted = plant(_opened(path), generator, known)
        rows.append({"photograph": path.name, **_measure(planted, text)})
    if asked.rows:
        asked.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain = [_plain(_opened(path), text) for path in chosen[: asked.plain]]
    result = _result(rows, plain)
    about = {"photographs": asked.folder.name, "seed": asked.seed}
    keep("text_masks", {**about, "fonts": [path.name for path in known], **result})


def _measure(planted: Planted, text: TextDetector) -> Row:
    pixels = planted.pixels
    start = time.perf_counter()
    lines = text.regions(pixels)
    seconds = time.perf_counter() - start
    found = _found(lines, "text", TextOptions())
    covered, area = _covered(planted, found.boxes)
    with_unsure, _ = _covered(planted, found.boxes + found.unsure)
    start = time.perf_counter()
    lines = [text.reader.read(pixels, line) for line in lines]
    named = _found(plates_among(lines), "plate", PlateOptions())
    reading_seconds = time.perf_counter() - start
    as_plate, _ = _covered(planted, named.boxes)
    masked = mask_pixels(pixels, found.boxes, MaskOptions())
    return {
        "kind": planted.kind,
        "board": planted.board,
        "height": round(planted.height, 1),
        "angle": round(planted.angle, 1),
        "text": planted.text,
        "covered": covered,
        "with_unsure": with_unsure,
        "plate": as_plate,
        "outline": cv2.contourArea(planted.corners.astype(np.float32)),
        "area": area,
        "before": _read(pixels, planted, lines, text.reader),
        "after": _read(masked, planted, text.regions(masked), text.reader),
        "seconds": seconds,
        "plate_seconds": seconds + reading_seconds,
    }


def _found(lines: Iterable[Region], kind: str, options: TextOptions | PlateOptions) -> Found:
    """As the detectors do it."""
    boxes = [box for line in lines for box in line.boxes(kind)]
    return Found.split(boxes, working=options.working, low=options.low)


def _covered(planted: Planted, boxes: Sequence[Box]) -> tuple[float, int]:
    """Part of the text under masks, and pixels of the masks that touch it."""
    masks = _masks(planted.pixels.shape, boxes)
    inside = np.zeros(masks.shape, np.uint8)
    cv2.fillPoly(inside, planted.corners.round().astype(np.int32)[None], 1)
    _, parts = cv2.connectedComponents(masks.astype(np.uint8))
    touching = np.setdiff1d(np.unique(parts[inside == 1]), [0])
    share = float(masks[inside == 1].mean())
    return share, int(np.isin(parts, touching).sum())


def _masks(shape: tuple[int, ...], boxes: Sequence[Box]) -> np.ndarray:
    """Bool (H, W): where two pictures that differ everywhere are the same once they are masked."""
    black, white = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    options = MaskOptions()
    same = mask_pixels(black, boxes, options) == mask_pixels(white, boxes, options)
    return np.asarray(same.all(axis=2))


def _read(pixels: np.ndarray, planted: Planted, lines: Iterable[Region], reader: TextReader) -> int:
    """Characters of the planted text that are read at its place, or in a line found there."""
    centre = planted.corners.mean(axis=0)
    places = [Region(corners=centre + (planted.corners - centre) * 1.15, score=1.0)]
    places += [line for line in lines if _touch(line, planted)]
    return max(_same(reader.read(pixels, place), planted) for place in places)


def _touch(line: Region, planted: Planted) -> bool:
    shared, _ = cv2.intersectConvexConvex(
        line.corners.astype(np.float32), planted.corners.astype(np.float32)
    )
    return shared > 0


def _same(line: Region, planted: Planted) -> int:
    if line.text is None or line.reading < READABLE:
        return 0
    matcher = SequenceMatcher(None, normalised(line.text), normalised(planted.text), False)
    return sum(block.size for block in matcher.get_matching_blocks())


def _plain(pixels: np.ndarray, text: TextDetector) -> Row:
    found = text.detect(pixels)
    return {"verdict": found.verdict, "masked": float(_masks(pixels.shape, found.boxes).mean())}


def _result(rows: Sequence[Row], plain: Sequence[Row]) -> dict[str, Any]:
    every = _summary(rows)
    heights: dict[str, Any] = {}
    for low, high in pairwise(BINS):
        part = [row for row in rows if low <= row["height"] < high]
        if part:
            heights[f"{low} to {high}" if high < BINS[-1] else f"{low} and more"] = _summary(part)
    turned = {
        "up to 10 degrees": _summary(row for row in rows if abs(row["angle"]) <= 10),
        "10 to 20 degrees": _summary(row for row in rows if abs(row["angle"]) > 10),
    }
    kinds = {
        "plates": _summary(row for row in rows if row["kind"] == "plate"),
        "signs on boards": _summary(r for r in rows if r["kind"] == "sign" and r["board"]),
        "signs without boards": _summary(r for r in rows if r["kind"] == "sign" and not r["board"]),
    }
    planted = [row for row in rows if row["kind"] == "plate"]
    signs = [row for row in rows if row["kind"] == "sign"]
    return {
        "required": REQUIRED,
        "passes": every["recall"] >= REQUIRED["recall"]
        and (every["median area"] or 0) <= REQUIRED["median area"]
        and every["characters read again"] == 0,
        "all": every,
        "by height in pixels": heights,
        "by angle": turned,
        "by kind": kinds,
        "named a plate": {
            "of plates": _share(row["plate"] >= COVERED for row in planted),
            "of signs": _share(row["plate"] > 0.5 for row in signs),
            "pictures a second": _per_second(rows, "plate_seconds"),
        },
        "without planted text": {
            "photographs": len(plain),
            "verdicts": dict(Counter(row["verdict"] for row in plain)),
            "mean share masked": round(float(np.mean([row["masked"] for row in plain])), 4),
            "half masked or more": _share(row["masked"] >= 0.5 for row in plain),
        },
        "pictures a second": _per_second(rows, "seconds"),
    }


def _summary(rows: Iterable[Row]) -> dict[str, Any]:
    rows = list(rows)
    if not rows:
        return {"texts": 0}
    found = [row for row in rows if row["covered"] >= COVERED]
    ratios = [row["area"] / row["outline"] for row in rows if row["area"]]
    area, outline = (sum(row[name] for row in rows) for name in ("area", "outline"))
    return {
        "texts": len(rows),
        "recall": round(len(found) / len(rows), 4),
        "recall with unsure": _share(row["with_unsure"] >= COVERED for row in rows),
        "median area": round(float(np.median(ratios)), 2) if ratios else None,
        "total area": round(area / outline, 2),
        "area at most 3": _share(ratio <= 3 for ratio in ratios),
        "read before": _share(row["before"] > 0 for row in rows),
        "read again": sum(row["after"] > 0 for row in rows),
        "characters read again": sum(row["after"] for row in rows),
        "characters read again where found": sum(row["after"] for row in found),
    }


def _share(values: Iterable[bool]) -> float | None:
    listed = list(values)
    return round(float(np.mean(listed)), 4) if listed else None


def _per_second(rows: Sequence[Row], name: str) -> float:
    return round(len(rows) / sum(row[name] for row in rows), 2)


def _opened(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


if __name__ == "__main__":
    main()
