"""Is this installation sound? What a report of a problem should hold."""

import importlib.metadata
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pixelmine import __version__
from pixelmine.core.cache import cache_folder
from pixelmine.core.errors import PixelmineError
from pixelmine.core.processors import processors
from pixelmine.models import DEFAULT

from .models import verify_model

__all__ = ["Check", "doctor"]

_PACKAGES = (
    "daft",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "pyarrow",
    "pylance",
    "scikit-learn",
    "simplejpeg",
)
_TRAINING = ("keras", "tensorflow-cpu", "tensorflow", "tf2onnx")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def doctor() -> list[Check]:
    """Look at versions, processors, cache and the bundled model."""
    return [
        Check("pixelmine", True, f"{__version__} on Python {platform.python_version()}"),
        Check("system", True, f"{platform.system()} {platform.machine()}, {processors()} cores"),
        _try("libraries", lambda: _versions(_PACKAGES)),
        _try("cache", _cache),
        _try("bundled model", _model),
        Check("training", True, _versions(_TRAINING, missing_ok=True) or "not installed"),
        Check("telemetry", True, "none; what dependencies bring is switched off"),
    ]


def _try(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (PixelmineError, OSError, importlib.metadata.PackageNotFoundError) as error:
        return Check(name, False, str(error))


def _versions(names: tuple[str, ...], missing_ok: bool = False) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            if not missing_ok:
                raise
    return ", ".join(found)


def _cache() -> str:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written; set PIXELMINE_CACHE to another folder.")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{folder}, {size / 2**20:.0f} MB"


def _model() -> str:
    found = verify_model(DEFAULT)
    where = f"{found['runtime']} {found['precision']}"
    return f"{found['model']}: {found['golden']} golden pictures right on {where}"
