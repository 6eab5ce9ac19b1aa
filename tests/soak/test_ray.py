"""Ray gives the rows that one machine gives, also where it loses a process."""

from importlib.util import find_spec

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]


@pytest.fixture(autouse=True)
def _with_ray():
    pytest.importorskip("psutil")
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")


def test_native_and_ray_give_the_same_rows(tmp_path, test_data, benchmark_module):
    engines = benchmark_module("engines")
    sources = engines.mixed(tmp_path, test_data, 200, 90)
    found = engines.compare_engines(sources, tmp_path, ("native", "ray"))
    assert found["first_differences"] == []
    assert found["counts_are_equal"]
    assert found["counts"]["ingest"]["rows"] >= 300
    assert found["counts"]["ingest"]["failed"] > 20


def test_a_process_of_ray_may_be_killed(tmp_path, few, benchmark_module):
    found = benchmark_module("kill").killed(
        few(150), tmp_path, 1, "ray", commit_every=0.1, jobs=["ingest"]
    )["ingest"]
    assert found["kills"] == 1
    assert found["first_differences"] == []
