"""Whether a bad third of a collection is flagged, and what it costs to measure a picture.

python benchmarks/quality.py

Three hundred photographs of the clothing set, of which none, one in a hundred, and a third are made
bad in one way after the other, saved as JPEG and measured as ingest measures. Told are the share of
the bad ones that are flagged for it, and the share of the others that are flagged too. The last
figures are milliseconds of the processor for each feature, on one core, beside each other.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import keep

from pixelmine.core import Limits
from pixelmine.features import FEATURES
from pixelmine.features.luma import luma
from pixelmine.mine.quality import find_issues
from pixelmine.preprocess import DecodeOptions, decode

COUNT, TURNS = 300, 7
SHARES = (0.01, 1 / 3)
Damage = Callable[[np.ndarray], np.ndarray]


def noisy(sigma: float) -> Damage:
    """Noise of so many levels, in each channel by itself."""
    rng = np.random.default_rng(1)
    return lambda pixels: pixels + rng.normal(0, sigma, pixels.shape)


def framed(pixels: np.ndarray) -> np.ndarray:
    """Bars above and below, as a film on a screen has them."""
    return cv2.copyMakeBorder(pixels, 50, 50, 0, 0, cv2.BORDER_CONSTANT, value=(40, 40, 40))


def written(text: str, size: float, alpha: float) -> Damage:
    """Text across the middle, so opaque."""

    def write(pixels: np.ndarray) -> np.ndarray:
        over = pixels.astype(np.uint8)
        at = (10, pixels.shape[0] // 2)
        cv2.putText(over, text, at, cv2.FONT_HERSHEY_DUPLEX, size, (255, 255, 255), 2)
        return alpha * over + (1 - alpha) * pixels

    return write


DAMAGES: dict[str, tuple[str, Damage]] = {
    "blur of 2 pixels": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), 2)),
    "blur of 3 pixels": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), 3)),
    "blur of 5 pixels": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), 5)),
    "a fifth of the light": ("dark", lambda p: p / 5),
    "washed out to white": ("bright", lambda p: 255 - (255 - p) / 5),
    "a sixth of the contrast": ("low-contrast", lambda p: 128 + (p - 128) / 6),
    "noise of 12 levels": ("noisy", noisy(12)),
    "noise of 20 levels": ("noisy", noisy(20)),
    "bars above and below": ("border", framed),
    "a quarter of the sides": ("odd-size", lambda p: cv2.resize(p, None, fx=0.25, fy=0.25)),
    "squeezed flat": ("odd-aspect", lambda p: cv2.resize(p, (p.shape[1], 100))),
    "a line of text": ("text", written("SAMPLE IMAGE 2019", 1.0, 1.0)),
    "a faint line of text": ("text", written("SAMPLE IMAGE 2019", 1.0, 0.5)),
}


def read(data: bytes) -> Any:
    """Decoded as ingest does."""
    return decode(data, DecodeOptions(rule="scaled-256"), Limits())


def measure(data: bytes) -> dict[str, float]:
    """What ingest would keep of it."""
    picture = read(data)
    return {
        name: value
        for feature in ("measures", "surface")
        for name, value in FEATURES.get(feature)()(
            picture.pixels, picture.width, picture.height
        ).items()
    }


def damaged(path: Path, damage: Damage) -> dict[str, float]:
    """Measures of a picture after it was made bad and saved."""
    pixels = damage(cv2.imread(str(path)).astype(np.float64))
    data = cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8))[1]
    return measure(data.tobytes())


def flagged(rows: list[dict[str, float]]) -> dict[str, set[int]]:
    """By issue, which pictures."""
    measures = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {one.issue.name: set(one.at.tolist()) for one in find_issues(measures)}


def milliseconds(paths: list[Path]) -> dict[str, float]:
    """Of the processor for each feature, the best of TURNS; grey values are shared."""
    cv2.setNumThreads(1)
    pictures = [np.ascontiguousarray(read(path.read_bytes()).pixels) for path in paths]
    found: dict[str, float] = {}
    for _ in range(TURNS):
        for name in ("measures", "surface"):
            feature, spent = FEATURES.get(name)(), 0.0
            for pixels in pictures:
                luma(pixels)
                start = time.thread_time()
                feature(pixels, pixels.shape[1], pixels.shape[0])
                spent += time.thread_time() - start
            found[name] = min(found.get(name, np.inf), 1e3 * spent / len(pictures))
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    """Measure and keep."""
    paths = sorted((Path(os.environ["PIXELMINE_TEST_DATA"]) / "clothing").rglob("*.jpg"))
    rng = np.random.default_rng(1)
    chosen = [paths[at] for at in np.sort(rng.permutation(len(paths))[:COUNT])]
    plain = [measure(path.read_bytes()) for path in chosen]
    result: dict[str, Any] = {
        "pictures": COUNT,
        "nothing_planted": {name: len(at) for name, at in flagged(plain).items() if at},
        "planted": {},
    }
    most = round(COUNT * max(SHARES))
    for name, (issue, damage) in DAMAGES.items():
        bad = [damaged(path, damage) for path in chosen[:most]]
        about = {}
        for share in SHARES:
            count = round(COUNT * share)
            found = flagged([*bad[:count], *plain[count:]])[issue]
            right = len([at for at in found if at < count])
            about[f"{share:.0%}"] = {
                "flagged_of_bad": round(right / count, 3),
                "flagged_of_others": round((len(found) - right) / (COUNT - count), 4),
            }
        result["planted"][name] = {"issue": issue, **about}
    result["milliseconds_a_picture_on_one_core"] = milliseconds(chosen[:100])
    keep(Path(__file__).stem, result)


if __name__ == "__main__":
    main()
