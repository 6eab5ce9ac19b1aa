"""A collection in which one picture stands out in every place, and a search of all its files."""

import shutil
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
from lance.file import LanceFileReader
from PIL import Image

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.decisions import not_duplicates
from pixelmine.api.mine.duplicates import mine_duplicates
from pixelmine.api.predict import predict
from pixelmine.api.split import split
from pixelmine.core.ids import content_id, file_uri
from pixelmine.evaluate import SplitOptions
from pixelmine.input.labels import LabelOptions
from pixelmine.mine.duplicates import DuplicateOptions
from pixelmine.store import Collection

HASHES = DuplicateOptions(edited=False, scene=None)
MARK = "KESTREL"
OTHERS = 8


def with_comment(jpeg: bytes, text: str) -> bytes:
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text.encode() + jpeg[2:]


@dataclass(frozen=True)
class Place:
    """A collection in which one picture stands out in every place, and what to look for."""

    folder: Path
    collection: Path
    model: Path
    victim: Path
    labels: LabelOptions

    def ingest(self) -> dict[str, int]:
        sources = [self.folder / "pictures", self.folder / "packed.tar.gz"]
        return dict(ingest(sources, self.collection, labels=self.labels).counts.reasons)

    def rows(self, columns: list[str] | None = None) -> pa.Table:
        with Collection.open(self.collection) as opened:
            return opened.images.read(columns)

    def named(self) -> str:
        rows = self.rows(["row_id", "uri"]).to_pylist()
        return next(row["row_id"] for row in rows if row["uri"] == file_uri(self.victim))


def make(
    folder: Path,
    photographs: list[Path],
    linear_bundle,
    mined: bool = True,
    encrypt: bool = False,
) -> Place:
    pictures = folder / "pictures"
    (pictures / "more").mkdir(parents=True)
    for number, path in enumerate(photographs[1:]):
        shutil.copy(path, pictures / f"other-{number}.jpg")
    data = with_comment(photographs[0].read_bytes(), f"{MARK}-in-the-bytes")
    victim = pictures / f"{MARK}-in-the-uri.jpg"
    victim.write_bytes(data)
    (pictures / "more/innocent-name.jpg").write_bytes(data)
    with Image.open(BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))  # without the comment
    Image.fromarray(pixels).save(pictures / "alike.jpg", quality=60)
    with tarfile.open(folder / "packed.tar.gz", "w:gz") as tar:
        tar.add(victim, f"{MARK}-in-the-member.jpg")
        tar.add(pictures / "other-0.jpg", "other.jpg")
    lines = ["file,label,camera,note", f"{victim.name},{MARK}-label,{MARK}-group,{MARK}-meta"]
    lines += [f"other-{n}.jpg,label-{n % 2},camera-{n},note-{n}" for n in range(OTHERS)]
    (folder / "labels.csv").write_text("\n".join(lines))
    linear_bundle(folder / "m.bundle", np.random.default_rng(0).normal(size=(64, 3)).astype("f4"))
    options = LabelOptions(labels=str(folder / "labels.csv"), group_by="camera")
    place = Place(folder, folder / "c.pixels", folder / "m.bundle", victim, options)
    if encrypt:
        Collection.create(place.collection, encrypt=True)
    assert place.ingest() == {}
    ingest([victim], place.collection)  # a run whose state names it
    if not mined:
        return place
    predict(place.collection, model=place.model)
    split(place.collection, SplitOptions(parts=(0.5, 0.5)))
    mine_duplicates(place.collection, HASHES)
    alike = next(
        row["row_id"]
        for row in place.rows(["row_id", "uri"]).to_pylist()
        if row["uri"].endswith("alike.jpg")
    )
    not_duplicates(place.collection, [place.named(), alike], who=f"{MARK}-who")
    return place


def needles(place: Place) -> dict[str, bytes]:
    """Every form in which the picture stands in the collection."""
    with Collection.open(place.collection) as opened:
        content = content_id(place.victim.read_bytes())
        rows = opened.images.read(where=f"content_id = '{content}'").to_pylist()
        assert len(rows) == 3  # the file, its copy, the member
        found = {
            "mark": MARK.encode(),
            "copy's name": b"innocent-name",
            "pixels": place.victim.read_bytes()[5000:5064],
        }
        for number, row in enumerate(rows):
            for name in ("row_id", "picture_id", "content_id"):
                found[f"{name} {number}"] = row[name].encode()
                found[f"{name} {number} raw"] = bytes.fromhex(row[name])
        picture = rows[0]["picture_id"]
        for table in opened.tables():
            if table.path.parent.name in ("features", "predictions"):
                table.schema = table.stored_schema()
                (values,) = table.read(where=f"picture_id = '{picture}'").to_pylist()
                for name, value in values.items():
                    if isinstance(value, bytes):
                        found[f"{name}"] = value
                    elif isinstance(value, list):
                        found[f"{table.path.parent.name} {name}"] = np.array(
                            value, np.float32
                        ).tobytes()
    return found


def found_in(folder: Path, wanted: dict[str, bytes]) -> dict[str, list[str]]:
    """Which needles lie in which files, names of files too."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        data = str(path.relative_to(folder)).encode() + b"\0"
        if path.is_file():
            data += path.read_bytes()
        if path.suffix == ".lance" and path.is_file():  # texts may be compressed in it
            data += str(LanceFileReader(str(path)).read_all().to_table().to_pylist()).encode()
        for name, needle in wanted.items():
            if needle in data:
                found.setdefault(name, []).append(str(path.relative_to(folder)))
    return found
