"""What a training process is asked to do: one JSON object on its stdin."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_type_hints

from pixelmine.core.checks import check_fraction, check_positive
from pixelmine.core.errors import UsageError

__all__ = ["ExportJob", "ImportJob", "Job", "TrainJob", "parse_job"]


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """Train a recipe's network and write a bundle.

    `source`: an idx folder or a collection. `out`: the bundle, a folder or a `.zip`. `split`:
    `ID` or `ID:FOLD`; `where`: an SQL expression over `images`; both for collections. `epochs`,
    `patience`: instead of the recipe's. `minutes`: stop before an epoch that would end later.
    `state`: folder of the checkpoint (default: `OUT.run`). `overwrite`: replace OUT, and a
    checkpoint of another training. `name`: of the model (default: OUT's name). `allow_leaks`:
    take a split whose test pictures are in its training part too. `coverage`, `error`, `ood`: what
    the model is to be relied on for, as `classify.learn.Asked` has them.
    `tensorboard`: a folder for the figures of each epoch. `start`: a bundle to go on from.
    `multi_label`: a picture may have several labels. `balanced`: every class counts the same.
    """

    source: str
    out: str
    recipe: str = "cnn-article"
    split: str | None = None
    where: str | None = None
    seed: int = 1
    epochs: int | None = None
    patience: int | None = None
    minutes: float | None = None
    state: str | None = None
    overwrite: bool = False
    name: str | None = None
    allow_leaks: bool = False
    coverage: float | None = None
    error: float = 0.05
    ood: float | None = None
    tensorboard: str | None = None
    start: str | None = None
    multi_label: bool = False
    balanced: bool = False

    def __post_init__(self) -> None:
        for option in ("epochs", "patience", "minutes"):
            if (value := getattr(self, option)) is not None:
                check_positive(option, value)
        for option in ("coverage", "error", "ood"):
            if (value := getattr(self, option)) is not None:
                check_fraction(option, value)
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must be from 0 to 4294967295. Got {self.seed} instead.")
        _check_out(self.out, self.overwrite)

    @property
    def state_folder(self) -> Path:
        """Where the checkpoint lies."""
        return Path(self.state) if self.state else Path(f"{self.out}.run")


@dataclass(frozen=True, kw_only=True)
class ImportJob:
    """Take in a network that Keras saved and write a bundle.

    `model`: a `.keras` or `.h5` file. `labels`: the K names in the order of the outputs, or the
    path of a text file with one a line. `mean`, `std`: a pixel p becomes (p - mean) / std, one
    value or one a channel, on the scale 0..255 (default: 0 and 255, or 0 and 1 where the network
    scales its own pixels). `overwrite`: replace OUT. `name`: of the model (default: OUT's name).
    """

    model: str
    out: str
    labels: list[str] | str
    mean: float | list[float] | None = None
    std: float | list[float] | None = None
    overwrite: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        _check_out(self.out, self.overwrite)


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """Write a bundle's network as a file that Keras loads.

    `model`: a bundle or a model's name. `out`: ends in `.keras`. `overwrite`: replace OUT.
    """

    model: str
    out: str
    overwrite: bool = False

    def __post_init__(self) -> None:
        _check_out(self.out, self.overwrite)


Job: TypeAlias = TrainJob | ImportJob | ExportJob
Kind: TypeAlias = type[TrainJob] | type[ImportJob] | type[ExportJob]

_KINDS: dict[str, Kind] = {"train": TrainJob, "import": ImportJob, "export-keras": ExportJob}


def parse_job(text: str | bytes) -> Job:
    """Read and check a job. Raises UsageError."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The job must be one JSON object: {error}.") from error
    kind = values.pop("job", None) if isinstance(values, dict) else None
    if kind not in _KINDS:
        raise UsageError(f'The job must be a JSON object with "job": {" or ".join(_KINDS)}.')
    _check_fields(_KINDS[kind], values)
    return _KINDS[kind](**values)


def _check_out(out: str, overwrite: bool) -> None:
    """Raise UsageError where something is there already that must not be replaced."""
    if not overwrite and Path(out).exists():
        raise UsageError(f"{out} is there already. Give another --out, or --overwrite.")


def _check_fields(kind: Kind, values: Mapping[str, Any]) -> None:
    known = {field.name: field for field in fields(kind)}
    if unknown := sorted(set(values) - set(known)):
        raise UsageError(f"The job has unknown options: {', '.join(unknown)}.")
    missing = [n for n, f in known.items() if f.default is MISSING and n not in values]
    if missing:
        raise UsageError(f"The job lacks: {', '.join(missing)}.")
    hints = get_type_hints(kind)
    for name, value in values.items():
        if not _fits(value, hints[name]):
            wanted = hints[name].__name__ if isinstance(hints[name], type) else hints[name]
            raise UsageError(f"{name} must be {wanted}. Got {value!r} instead.")


def _fits(value: object, hint: Any) -> bool:
    options = get_args(hint) or (hint,)
    if hint in (list[str], list[float]):
        return isinstance(value, list) and all(_fits(v, options[0]) for v in value)
    if len(options) > 1:
        return any(_fits(value, option) for option in options)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
