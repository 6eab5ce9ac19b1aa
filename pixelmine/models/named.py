"""Models by name, and bundles by path: what `--model` takes."""

from collections.abc import Callable
from pathlib import Path

from pixelmine.core.cache import cache_folder
from pixelmine.core.errors import ModelError, OutputError
from pixelmine.core.registry import Registry

from .bundle import Bundle

__all__ = ["BUILDERS", "DEFAULT", "Builder", "bundle_path", "load_bundle"]

Builder = Callable[[], Bundle]

DEFAULT = "efficientnet-lite0"
BUILDERS: Registry[Builder] = Registry(
    "model",
    {
        DEFAULT: "pixelmine.models.default:build_default",
        "efficientnet-lite0-int8": "pixelmine.models.default:build_int8",
        "efficientnet-lite1": "pixelmine.models.default:build_lite1",
        "efficientnet-lite2": "pixelmine.models.default:build_lite2",
    },
)

_FORMAT = 1
"""Raised when the conversion changes, so that an old cache is not used."""


def load_bundle(name: str) -> Bundle:
    """Load and verify the bundle that a name or a path stands for. Raises ModelError.

    A built-in model is converted on first use and cached. Two processes that convert at once both
    find a whole bundle; a damaged cache is made anew.
    """
    if name not in BUILDERS.names():
        return Bundle.load(_existing(name))
    path = bundle_path(name)
    try:
        return Bundle.load(path)
    except ModelError:
        bundle = BUILDERS.get(name)()
    try:
        bundle.save(path)
    except OutputError as error:
        raise ModelError(
            f"The converted model cannot be kept: {error} "
            "Set PIXELMINE_CACHE to a folder that can be written."
        ) from error
    return bundle


def bundle_path(name: str) -> Path:
    """Where the bundle that a name or a path stands for lies, or will lie."""
    if name in BUILDERS.names():
        return cache_folder() / "models" / f"{name}-{_FORMAT}"
    return _existing(name)


def _existing(name: str) -> Path:
    path = Path(name)
    if not path.exists():
        raise ModelError(
            f"There is no model named {name!r} and no bundle at that path. "
            f"Built in: {', '.join(BUILDERS.names())}."
        )
    return path
