"""The benchmarks, as modules."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark_module(monkeypatch):
    """Import one by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


@pytest.fixture
def few(tmp_path, test_data, benchmark_module):
    """So many photographs and a file that is none, in a folder with their table of labels."""
    pytest.importorskip("psutil")

    def make(count):
        folder = benchmark_module("kill").chosen(
            test_data / "clothing", count, tmp_path / "pictures"
        )
        (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
        return folder

    return make
