"""Where converted models and timings are kept: the user's cache folder."""

import os
from pathlib import Path

from platformdirs import user_cache_dir

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """`$PIXELMINE_CACHE`, or the platform's cache folder for pixelmine."""
    return Path(os.environ.get("PIXELMINE_CACHE") or user_cache_dir("pixelmine"))
