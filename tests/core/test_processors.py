"""How many processors may be used."""

import os
from pathlib import Path

import pytest

from pixelmine.core.processors import processors


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.usefixtures("eight")
def test_affinity_counts_where_no_quota_is_set(tmp_path: Path) -> None:
    assert processors(tmp_path) == 8
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert processors(tmp_path) == 8


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(("quota", "expected"), [(200000, 2), (250000, 2), (50000, 1), (10**7, 8)])
def test_the_quota_of_cgroup_2_counts(tmp_path: Path, quota: int, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota} 100000\n")
    assert processors(tmp_path) == expected


@pytest.mark.usefixtures("eight")
@pytest.mark.parametrize(("quota", "expected"), [(-1, 8), (300000, 3)])
def test_the_quota_of_cgroup_1_counts(tmp_path: Path, quota: int, expected: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert processors(tmp_path) == expected


@pytest.mark.usefixtures("eight")
def test_nonsense_is_no_quota(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("many\n")
    assert processors(tmp_path) == 8
