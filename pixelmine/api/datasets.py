"""Well-known data sets: copied from this machine, or downloaded because the user asked."""

import gzip
import hashlib
import io
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelmine.core.atomic import replace_folder
from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import DatasetError
from pixelmine.core.progress import Progress, SilentProgress

__all__ = ["DATASETS", "Dataset", "get_dataset"]

_TIMEOUT_S = 30.0
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A set of idx files. `local`: folders where packages put it.

    `files`: name to SHA-256 of the content after decompression, which copies agree on even where
    they were compressed anew.
    """

    title: str
    licence: str
    url: str
    local: tuple[str, ...]
    files: Mapping[str, str]


_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)

DATASETS: dict[str, Dataset] = {
    "mnist": Dataset(
        title="MNIST: 70,000 handwritten digits, 28x28, 10 classes",
        licence="commonly given as CC BY-SA 3.0",
        url="https://ossci-datasets.s3.amazonaws.com/mnist/",
        local=("/usr/share/datasets/mnist",),
        files=dict(
            zip(
                _FILES,
                (
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
                strict=True,
            )
        ),
    ),
    "fashion-mnist": Dataset(
        title="Fashion-MNIST: 70,000 pictures of clothes, 28x28, 10 classes",
        licence="MIT",
        url="https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        local=("/usr/share/datasets/fashion-mnist",),
        files=dict(
            zip(
                _FILES,
                (
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                ),
                strict=True,
            )
        ),
    ),
}


def get_dataset(
    name: str,
    into: str | Path,
    *,
    from_folder: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Put a data set's files into a new folder, each checked by its SHA-256.

    Looks in `from_folder`, or, without it, where packages put the set, and downloads it only if it
    is not there. Raises DatasetError; nothing is left half-written.
    """
    check_one_of("name", name, DATASETS)
    dataset, into = DATASETS[name], Path(into).absolute()
    progress = progress or SilentProgress()
    if into.exists():
        raise DatasetError(f"{into} is there already. Give --into a new folder.")
    folders = [Path(from_folder)] if from_folder else [Path(path) for path in dataset.local]
    found = next((folder for folder in folders if _is_in(folder, dataset)), None)
    if from_folder and not found:
        raise DatasetError(f"{from_folder} does not hold {', '.join(dataset.files)}.")
    try:
        with replace_folder(into) as folder:
            progress.start(f"get {name}", len(dataset.files))
            for file, sha256 in dataset.files.items():
                data = (found / file).read_bytes() if found else _download(dataset.url + file)
                _check(file, data, sha256)
                (folder / file).write_bytes(data)
                progress.advance(1)
            progress.finish()
    except OSError as error:
        raise DatasetError(f"{name} cannot be put into {into}: {error}.") from error
    return {"name": name, "into": str(into), "from": str(found) if found else dataset.url}


def _is_in(folder: Path, dataset: Dataset) -> bool:
    return all((folder / file).is_file() for file in dataset.files)


def _download(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "pixelmine"})  # noqa: S310  ours
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  ours
            data: bytes = answer.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DatasetError(
            f"{url} cannot be downloaded: {error}. Where there is no network, give a folder that "
            "holds the files: --from DIR."
        ) from error
    if len(data) > _MAX_BYTES:
        raise DatasetError(f"{url} is larger than {_MAX_BYTES} bytes: it is not the right file.")
    return data


def _check(file: str, data: bytes, sha256: str) -> None:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            content = packed.read(_MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{file} is damaged: {error}.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DatasetError(f"{file} is not the file that is meant (SHA-256). It was not kept.")
