"""A model bundle: one folder, or one zip of it, from picture bytes to label.

    model.onnx            the network: pixels in, logits and embedding out
    card.json             labels, preprocessing, calibration, thresholds, metrics, digests
    golden/               pictures with the answer that the network gave when it was made
    seen.bin              first 8 bytes of each picture id it was trained on, sorted
    weights.safetensors   optional: for a warm start
    knowing.safetensors   optional: what the out-of-distribution score is measured with

Nothing of it is code and nothing is unpickled; every byte is checked before any of it is used.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import ValidationError

from pixelmine.core.atomic import replace_file, replace_folder
from pixelmine.core.errors import ModelError, OutputError

from .card import KNOWING, Card
from .golden import GoldenPicture, GoldenSet
from .onnx_check import MAX_BYTES, check_network

__all__ = ["Bundle"]

_KNOWN = ("model.onnx", "seen.bin", "weights.safetensors", KNOWING, "golden/golden.json")
_MAX_FILES = 64


@dataclass(frozen=True)
class Bundle:
    """A verified bundle in memory. `files`: every file but the card, by its name in the folder."""

    card: Card
    files: Mapping[str, bytes]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read and verify a folder or a zip. Raises ModelError."""
        path = Path(path)
        found = _read_zip(path) if path.is_file() else _read_folder(path)
        text = found.pop("card.json", None)
        if text is None:
            raise ModelError(f"{path} is not a model bundle: it holds no card.json.")
        try:
            return cls.check(Card.parse(text), found)
        except ModelError as error:
            raise ModelError(f"The bundle {path} is not used: {error}") from error

    @classmethod
    def check(cls, card: Card, files: Mapping[str, bytes]) -> Self:
        """Verify digests, file names and the network."""
        if extra := sorted(set(files) ^ set(card.files)):
            raise ModelError(f"its files are not those the card lists: {', '.join(extra)}.")
        for name, data in files.items():
            if not _allowed(name):
                raise ModelError(f"a bundle has no place for a file named {name!r}.")
            if hashlib.sha256(data).hexdigest() != card.files[name]:
                raise ModelError(f"{name} is not the file the card was written for (SHA-256).")
        if "model.onnx" not in files or "golden/golden.json" not in files:
            raise ModelError("it lacks model.onnx or golden/golden.json.")
        if (card.ood is not None) != (KNOWING in files):
            raise ModelError(f"its card and its files do not agree on {KNOWING}.")
        check_network(files["model.onnx"], card)
        bundle = cls(card, files)
        bundle._check_golden()
        return bundle

    @classmethod
    def make(cls, card: Card, files: Mapping[str, bytes], golden: Iterable[GoldenPicture]) -> Self:
        """Add the golden set, digests and seal to a draft card (its `files` empty), and verify."""
        whole = dict(files)
        entries = []
        for picture in golden:
            whole[f"golden/{picture.name}"] = picture.data
            entries.append(picture.entry())
        whole["golden/golden.json"] = json.dumps({"pictures": entries}).encode()
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(whole.items())}
        return cls.check(card.model_copy(update={"files": digests}).sealed(), whole)

    def save(self, path: Path) -> None:
        """Write a folder, or a zip where the name ends in `.zip`; whole or not at all."""
        everything = {"card.json": self.card.model_dump_json(indent=2).encode(), **self.files}
        try:
            if path.suffix == ".zip":
                _write_zip(path, everything)
                return
            with replace_folder(path) as folder:
                for name, data in everything.items():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(data)
        except OSError as error:
            raise OutputError(f"Cannot write the bundle {path}: {error.strerror}.") from error

    @property
    def golden(self) -> list[GoldenPicture]:
        """The golden pictures with their expected answers."""
        try:
            entries = GoldenSet.model_validate_json(self.files["golden/golden.json"]).pictures
            return [
                GoldenPicture.from_entry(entry.model_dump(), self.files[f"golden/{entry.name}"])
                for entry in entries
            ]
        except (ValidationError, KeyError) as error:
            raise ModelError("golden/golden.json is not a golden set that fits.") from error

    def _check_golden(self) -> None:
        sizes = (len(self.card.labels), self.card.embedding_dimensions)
        for picture in self.golden:
            if (len(picture.logits), len(picture.embedding)) != sizes:
                raise ModelError(f"the golden picture {picture.name} does not fit the card.")

    def has_seen(self, picture_ids: Iterable[str]) -> list[str]:
        """Those of the ids that the model was trained on."""
        seen = set(np.frombuffer(self.files.get("seen.bin", b""), ">u8").tolist())
        return [name for name in picture_ids if int(name[:16], 16) in seen]

    @staticmethod
    def seen(picture_ids: Iterable[str], earlier: "Bundle | None" = None) -> bytes:
        """What `seen.bin` holds for these pictures: sorted big-endian 8-byte prefixes.

        `earlier`: a model that this one goes on from, with all that it has seen.
        """
        names = {int(name[:16], 16) for name in picture_ids}
        if earlier is not None:
            names.update(np.frombuffer(earlier.files.get("seen.bin", b""), ">u8").tolist())
        return np.array(sorted(names), ">u8").tobytes()


def _allowed(name: str) -> bool:
    folder, _, file = name.partition("/")
    picture = folder == "golden" and Path(file).suffix in {".jpg", ".png"}
    return name in _KNOWN or (picture and "/" not in file and not file.startswith("."))


def _read_folder(path: Path) -> dict[str, bytes]:
    if not path.is_dir():
        raise ModelError(f"There is no model bundle at {path}.")
    found: dict[str, bytes] = {}
    try:
        for file in sorted(path.rglob("*")):
            if file.is_symlink():
                raise ModelError(f"{file} is a symbolic link; a bundle holds plain files.")
            if file.is_file():
                _check_count(path, len(found), file.stat().st_size)
                found[file.relative_to(path).as_posix()] = file.read_bytes()
    except OSError as error:
        raise ModelError(f"The bundle {path} cannot be read: {error.strerror}.") from error
    return found


def _read_zip(path: Path) -> dict[str, bytes]:
    """Only files a bundle has a place for, each once and stored as it is: nothing inflates."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = entry.filename
                if name in found or not (name == "card.json" or _allowed(name)):
                    raise ModelError(f"{path} holds {name!r}, for which a bundle has no place.")
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise ModelError(f"{path} is compressed; a bundle's zip only stores its files.")
                _check_count(path, len(found), entry.file_size)
                found[name] = archive.read(entry)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise ModelError(f"{path} is not a model bundle: {error}.") from error
    return found


def _check_count(path: Path, files: int, size: int) -> None:
    if files >= _MAX_FILES or size > MAX_BYTES:
        raise ModelError(f"{path} holds more than a bundle can: over {_MAX_FILES} files or 2 GiB.")


def _write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    with replace_file(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
