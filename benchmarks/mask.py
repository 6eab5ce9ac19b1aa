"""What masking a JPEG in its coefficients costs, beside decoding, filling and encoding it again.

python benchmarks/mask.py FOLDER [--pictures 1000] [--seed 20261128]

FOLDER: JPEGs, as those of the `clothing` set. In each one to three boxes are drawn by chance, as
wide and high as 0.05 to 0.3 of the picture. `coefficients`: `mask_jpeg`. `encoded again`: Pillow's
decoder, `mask_pixels`, and Pillow's encoder at quality 95, with its own 4:2:0 and with 4:4:4. On
one thread, files in memory; seconds are the processor's, so that work beside it counts less. Pixels
outside are those that are neither in a masked MCU nor beside one. `same`: files all of whose pixels
outside are the same.
"""

import argparse
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep
from PIL import Image

from pixelmine.detect.box import Box
from pixelmine.privacy.mask import MaskedJpeg, mask_jpeg, mask_pixels, warm_up

QUALITY = 95


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def some_boxes(size: tuple[int, int], random: np.random.Generator) -> list[Box]:
    boxes = []
    for _ in range(random.integers(1, 4)):
        wide, high = random.uniform(0.05, 0.3, 2) * size
        x, y = random.uniform(0, 1, 2) * (size[0] - wide, size[1] - high)
        edges = {"x0": x, "y0": y, "x1": x + wide, "y1": y + high}
        boxes.append(Box(kind="region", score=1.0, **edges))
    return boxes


def encoded_again(data: bytes, boxes: Sequence[Box], subsampling: str) -> bytes:
    out = io.BytesIO()
    masked = Image.fromarray(mask_pixels(pixels_of(data), boxes))
    masked.save(out, "JPEG", quality=QUALITY, subsampling=subsampling)
    return out.getvalue()


def outside_of(made: MaskedJpeg, shape: tuple[int, ...]) -> np.ndarray:
    assert made.masked is not None
    masked = np.pad(made.masked.repeat(made.mcu_height, 0).repeat(made.mcu_width, 1), 1)
    near = np.zeros_like(masked[1:-1, 1:-1])
    for y in range(3):
        for x in range(3):
            near |= masked[y : y + near.shape[0], x : x + near.shape[1]]
    return ~near[: shape[0], : shape[1]]


def measured(
    files: Sequence[bytes],
    boxes: Sequence[Sequence[Box]],
    outside: Sequence[np.ndarray],
    mask: Callable[[bytes, Sequence[Box]], bytes],
) -> dict[str, Any]:
    start = time.process_time()
    made = [mask(data, some) for data, some in zip(files, boxes, strict=True)]
    seconds = time.process_time() - start
    errors = []
    for before, after, where in zip(files, made, outside, strict=True):
        apart = pixels_of(before)[where].astype(int) - pixels_of(after)[where]
        errors.append(float((apart**2).mean()) if apart.size else 0.0)
    total = float(np.mean(errors))
    sizes = np.array([len(after) / len(before) for before, after in zip(files, made, strict=True)])
    return {
        "pictures_a_processor_second": round(len(files) / seconds, 1),
        "bytes_to_bytes_before": round(sum(map(len, made)) / sum(map(len, files)), 3),
        "median_of_the_same_by_file": round(float(np.median(sizes)), 3),
        "psnr_outside_db": "inf" if total == 0 else round(10 * np.log10(255**2 / total), 2),
        "same": sum(error == 0 for error in errors),
    }


def main() -> None:
    """Mask the same boxes in the same files, each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261128)
    asked = parser.parse_args()
    random = np.random.default_rng(asked.seed)
    paths = sorted(path for path in asked.folder.rglob("*.jpg") if path.is_file())
    chosen = random.permutation(len(paths))[: asked.pictures]
    found = [paths[i].read_bytes() for i in chosen]
    start = time.process_time()
    warm_up()
    compiled = time.process_time() - start
    drawn = [some_boxes(Image.open(io.BytesIO(data)).size, random) for data in found]
    made = [mask_jpeg(data, some) for data, some in zip(found, drawn, strict=True)]
    rows = [row for row in zip(found, drawn, made, strict=True) if row[2].data is not None]
    files, boxes = [row[0] for row in rows], [row[1] for row in rows]
    outside = [outside_of(row[2], pixels_of(row[0]).shape) for row in rows]
    ways: dict[str, Callable[[bytes, Sequence[Box]], bytes]] = {
        "coefficients": lambda data, some: mask_jpeg(data, some).data or b"",
        "encoded again, 4:2:0": lambda data, some: encoded_again(data, some, "4:2:0"),
        "encoded again, 4:4:4": lambda data, some: encoded_again(data, some, "4:4:4"),
    }
    result = {name: measured(files, boxes, outside, way) for name, way in ways.items()}
    keep(
        "mask",
        {
            "pictures": asked.folder.parent.name,
            "seed": asked.seed,
            "files": len(files),
            "not_masked": len(found) - len(files),
            "megapixels": round(float(np.mean([one.size for one in outside])) / 1e6, 3),
            "mean_share_masked": round(1 - float(np.mean([one.mean() for one in outside])), 3),
            "seconds_to_compile": round(compiled, 1),
            **result,
        },
    )


if __name__ == "__main__":
    main()
