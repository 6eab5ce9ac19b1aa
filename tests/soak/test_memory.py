"""The short version of benchmarks/memory.py."""

import numpy as np
import pytest

RATIO = 1.35
"""Six times the pictures. So few are below the bounds of what is held: rows that wait for a commit,
pictures that are remembered; what held the pictures themselves would be far above it."""


@pytest.mark.slow
def test_memory_hardly_grows_with_the_number_of_pictures(tmp_path, benchmark_module):
    pytest.importorskip("psutil")
    memory = benchmark_module("memory")
    random = np.random.default_rng(0)
    pictures = (random.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(6000))
    memory.write_pictures(tmp_path / "pictures", pictures, 6000)
    found = memory.compare(tmp_path / "pictures", tmp_path, 1000, 6000)
    assert [found[name]["rows"] for name in ("few", "many")] == [1000, 6000]
    assert [found[name]["failed"] for name in ("few", "many")] == [0, 0]
    assert found["few"]["children_peak_mb"] > 10  # those that decode are counted
    assert found["ratio"] < RATIO, found
