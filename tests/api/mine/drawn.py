"""Small collections of real photographs with copies of every tier."""

from pathlib import Path

import cv2
import numpy as np
from skimage import data

from pixelmine.api.ingest import ingest
from pixelmine.mine.planted import EDITS, encode, plant

PHOTOGRAPHS = {
    "astronaut": data.astronaut,
    "coffee": data.coffee,
    "chelsea": data.chelsea,
    "rocket": data.rocket,
    "hubble": data.hubble_deep_field,
}


def photographs(folder: Path) -> dict[str, np.ndarray]:
    """Write each photograph as NAME.jpg; its pixels, uint8 (H, W, 3), longer side 400."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, load in PHOTOGRAPHS.items():
        pixels = load()
        scale = 400 / max(pixels.shape[:2])
        found[name] = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        (folder / f"{name}.jpg").write_bytes(encode(found[name], 92))
    return found


def edited(folder: Path, name: str, pixels: np.ndarray, edits: tuple[str, ...]) -> None:
    """Write NAME-EDIT.jpg for each edit."""
    for number, edit in enumerate(EDITS):
        if edit.name in edits:
            (folder / f"{name}-{edit.name}.jpg").write_bytes(plant(pixels, edit, number))


def collected(folder: Path, into: Path) -> Path:
    """The collection of a folder."""
    ingest([folder], into=into)
    return into
