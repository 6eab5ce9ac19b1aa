"""Labelled pictures in memory, ready for the loop. N pictures, K classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from pixelmine.classify.calibration import Task
from pixelmine.core.errors import TrainError, UsageError
from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress
from pixelmine.input.idx import is_idx_folder, read_part
from pixelmine.preprocess import Preprocessing
from pixelmine.store.collection import Collection, is_collection

from .collection_data import read_pictures
from .jobs import TrainJob
from .pixels import take
from .recipe import Recipe

__all__ = ["Examples", "load_examples"]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """N labelled pictures.

    `x`: uint8 (N, H, W, C), after all preprocessing but the normalisation; in a file where they are
    too many for memory, some of them then as `pixels.Chosen`. `y`: int64 (N,), index
    into `labels`, the K names; where pictures may have several labels, bool (N, K). `groups`: N,
    what must stay on one side of a division, or None. `part`: N, `train` or `val`. `split_id`: of
    the split they come from, with its fold.
    """

    x: np.ndarray
    y: np.ndarray
    labels: list[str]
    picture_ids: list[str]
    groups: list[str | None]
    part: list[str]
    preprocessing: Preprocessing
    split_id: str | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def multi(self) -> bool:
        """Whether a picture may have several labels."""
        return self.y.ndim == 2

    @property
    def task(self) -> Task:
        """In the card's word."""
        return "multi" if self.multi else "single"

    @property
    def counts(self) -> np.ndarray:
        """Pictures of each label, int64 (K,)."""
        return _count(self.y, len(self.labels))

    def take(self, rows: np.ndarray) -> Self:
        """The examples at these positions, in this order."""
        return type(self)(
            x=take(self.x, rows),
            y=self.y[rows],
            labels=self.labels,
            picture_ids=[self.picture_ids[i] for i in rows],
            groups=[self.groups[i] for i in rows],
            part=[self.part[i] for i in rows],
            preprocessing=self.preprocessing,
            split_id=self.split_id,
        )

    @property
    def data_digest(self) -> str:
        """SHA-256 over the sorted (picture id, label) pairs."""
        if self.multi:
            several = [[self.labels[index] for index in np.flatnonzero(row)] for row in self.y]
            return digest_json(sorted(zip(self.picture_ids, several, strict=True)))
        names = [self.labels[index] for index in self.y]
        return digest_json(sorted(zip(self.picture_ids, names, strict=True)))


def load_examples(job: TrainJob, recipe: Recipe, progress: Progress) -> Examples:
    """Read the training pictures of an idx folder or a collection; test pictures are not touched.

    Raises TrainError where there is nothing to learn from, UsageError for a source of another kind.
    """
    source = Path(job.source)
    if is_collection(source):
        examples = _from_collection(source, job, recipe, progress)
    elif is_idx_folder(source):
        if job.split or job.where:
            raise UsageError("--split and --where need a collection; an idx folder has its parts.")
        if job.multi_label:
            raise UsageError("--multi-label needs a collection; idx files hold one label each.")
        examples = _from_idx(source, recipe, progress)
    else:
        raise UsageError(
            f"{source} is neither a collection nor a folder of idx files. Make a collection with: "
            "pixelmine ingest SOURCE --into COLLECTION --labels F.csv."
        )
    _check(examples, source)
    return examples


def _from_idx(folder: Path, recipe: Recipe, progress: Progress) -> Examples:
    progress.start("read")
    found = read_part(folder, "train")
    _, height, width = found.pixels.shape
    steps = recipe.preprocessing(height, width, recipe.channels or 1)
    numbers, y = np.unique(found.labels, return_inverse=True)
    ids = found.picture_ids()
    progress.advance(len(ids))
    progress.finish()
    return Examples(
        x=_prepared(found.pixels, steps),
        y=y.astype(np.int64),
        labels=[str(number) for number in numbers],
        picture_ids=ids,
        groups=[None] * len(ids),
        part=["train"] * len(ids),
        preprocessing=steps,
    )


def _prepared(pixels: np.ndarray, steps: Preprocessing) -> np.ndarray:
    """uint8 (N, H, W) through all steps but the normalisation; as they are where those do nothing.

    (N, H, W, C).
    """
    before = replace(steps, steps=steps.before_normalise)
    first = before.from_array(pixels[0])
    if first.shape == (*pixels.shape[1:], 1) and (first[..., 0] == pixels[0]).all():
        return pixels[..., None]
    return np.stack([before.from_array(picture) for picture in pixels])


def _from_collection(folder: Path, job: TrainJob, recipe: Recipe, progress: Progress) -> Examples:
    channels = recipe.channels or 3
    preprocessing = recipe.preprocessing(recipe.height, recipe.width, channels)
    shape = preprocessing.from_array(np.zeros((64, 64), np.uint8)).shape
    with Collection.open(folder) as collection:
        found = read_pictures(collection, job, preprocessing, shape, progress)
    names = sorted({name for labels in found.labels for name in labels})
    return Examples(
        x=found.x,
        y=_targets(found.labels, names, job.multi_label),
        labels=names,
        picture_ids=found.picture_ids,
        groups=found.groups,
        part=found.part,
        preprocessing=preprocessing,
        split_id=found.split_id,
    )


def _count(y: np.ndarray, classes: int) -> np.ndarray:
    if y.ndim == 2:
        return np.asarray(y.sum(axis=0))
    return np.bincount(y, minlength=classes)


def _targets(labels: Sequence[Sequence[str]], names: Sequence[str], multi: bool) -> np.ndarray:
    """The `y` of Examples."""
    place = {name: index for index, name in enumerate(names)}
    if not multi:
        return np.array([place[one] for (one,) in labels], np.int64)
    y = np.zeros((len(labels), len(names)), bool)
    for row, several in zip(y, labels, strict=True):
        row[[place[name] for name in several]] = True
    return y


def _check(examples: Examples, source: Path) -> None:
    if not len(examples):
        wanted = "a label" if examples.multi else "exactly one label"
        raise TrainError(
            f"{source} holds no training picture with {wanted}. Label some with: "
            "pixelmine label, or ingest with --labels."
        )
    train = np.array([part == "train" for part in examples.part])
    found = _count(examples.y[train], len(examples.labels))
    learnt = [name for name, count in zip(examples.labels, found, strict=True) if count]
    if len(learnt) < 2:
        raise TrainError(
            f"A classifier needs at least 2 classes; the training pictures of {source} have "
            f"{len(learnt)}: {', '.join(learnt) or 'none'}."
        )
    missing = sorted(set(examples.labels) - set(learnt))
    if missing:
        raise TrainError(
            f"The part val has labels that no training picture has: {', '.join(missing)}. "
            "Make another split with: pixelmine split."
        )
