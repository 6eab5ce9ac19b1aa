import pytest

from pixelmine.core import Reason
from pixelmine.core.errors import UsageError
from pixelmine.input import http_hosts
from pixelmine.input.http_hosts import Host, Hosts
from pixelmine.input.http_options import HttpOptions


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(http_hosts, "time", clock)
    return clock


def test_a_host_that_fails_for_a_while_is_left_alone_and_then_tried_by_one(clock):
    host = Host(HttpOptions())
    for _ in range(3):
        assert host.refused() is None
        host.failed(Reason.UNREACHABLE)
        clock.now += 6
    assert host.refused() is Reason.UNREACHABLE
    clock.now += 30
    assert host.refused() is None
    assert host.refused() is Reason.UNREACHABLE
    host.failed(Reason.SOURCE_TIMEOUT)
    clock.now += 29
    assert host.refused() is Reason.SOURCE_TIMEOUT
    clock.now += 2
    assert host.refused() is None
    host.answered()
    assert host.refused() is None
    assert host.refused() is None


def test_a_short_outage_leaves_a_host_alone_for_no_row(clock):
    host = Host(HttpOptions())
    for _ in range(1000):
        host.failed(Reason.UNREACHABLE)
        clock.now += 0.009
    assert host.refused() is None


def test_an_answer_ends_a_run_of_failures(clock):
    host = Host(HttpOptions())
    for _ in range(10):
        host.failed(Reason.UNREACHABLE)
        host.failed(Reason.UNREACHABLE)
        clock.now += 60
        host.answered()
    host.failed(Reason.UNREACHABLE)
    assert host.refused() is None


def test_only_so_many_hosts_are_remembered_but_none_in_use_is_forgotten():
    hosts = Hosts(HttpOptions(max_hosts=3))
    with hosts.at("used") as used:
        for n in range(10):
            with hosts.at(str(n)):
                pass
        assert len(hosts) == 3
        with hosts.at("used") as again:
            assert again is used


@pytest.mark.parametrize(
    "wrong",
    [
        {"connections": 0},
        {"read_timeout_s": float("nan")},
        {"max_redirects": -1},
        {"user_agent": "a\r\nX-More: b"},
        {"user_agent": ""},
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        HttpOptions(**wrong)
