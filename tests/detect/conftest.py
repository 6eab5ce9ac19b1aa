"""Weights that are fetched on request; `make weights` does it."""

import pytest

from pixelmine.models.weights import is_there


@pytest.fixture(scope="session")
def centerface() -> None:
    """CenterFace is on this machine."""
    _need("centerface")


@pytest.fixture(scope="session")
def dlib_face() -> None:
    """dlib's face embedding is on this machine."""
    _need("dlib-face")


def _need(name: str) -> None:
    if not is_there(name):
        pytest.skip(f"the weights {name} are not here: pixelmine models get {name}")
