"""Shared by all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real pictures that `$PIXELMINE_TEST_DATA` names."""
    folder = os.environ.get("PIXELMINE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("$PIXELMINE_TEST_DATA names no folder of test pictures")
    return Path(folder)
