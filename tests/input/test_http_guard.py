import socket
import time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.input.http_guard import (
    Deadline,
    GuardedBackend,
    PrivateAddressError,
    is_public,
    resolve,
)

NOT_PUBLIC_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
"""IANA's registry of special-purpose IPv4 addresses, and multicast."""

NOT_PUBLIC_V6 = [
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


def within(networks, network, address):
    return st.sampled_from(networks).flatmap(
        lambda text: st.integers(0, network(text).num_addresses - 1).map(
            lambda offset: address(int(network(text).network_address) + offset)
        )
    )


private_v4 = within(NOT_PUBLIC_V4, IPv4Network, IPv4Address)
private_v6 = within(NOT_PUBLIC_V6, IPv6Network, IPv6Address)
any_v4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@given(private_v4)
def test_a_private_address_never_passes_in_any_form(address):
    number = int(address)
    assert not is_public(str(address))
    assert not is_public(f"::ffff:{address}")
    assert not is_public(str(IPv6Address(0xFFFF << 32 | number)))
    assert not is_public(f"::{address}")
    assert not is_public(str(IPv6Address(int(IPv6Address("64:ff9b::")) | number)))
    assert not is_public(str(IPv6Address(0x2002 << 112 | number << 80)))
    assert not is_public(str(IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF)))


@given(private_v6)
def test_a_private_address_of_the_sixth_version_never_passes(address):
    assert not is_public(str(address))
    assert not is_public(address.exploded)


@given(any_v4)
def test_the_form_of_an_address_changes_nothing(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{address}") == is_public(str(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e"]
)
def test_public_addresses_pass(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "fe80::1%eth0", "8.8.8.8:80"]
)
def test_what_is_no_address_does_not_pass(text):
    assert not is_public(text)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "0"])
def test_other_ways_to_write_loopback_come_to_the_same(host):
    with pytest.raises(PrivateAddressError):
        GuardedBackend(allow_private=False).connect_tcp(host, 80, 1)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", "a\0b"])
def test_what_no_resolver_takes(host):
    with pytest.raises(OSError, match=r"known|no name"):
        resolve(host, 80)


@pytest.fixture
def dialled(monkeypatch):
    addresses = []

    def connect(self, host, port, timeout=None, local_address=None, socket_options=None):
        addresses.append((host, timeout))
        raise httpcore.ConnectError("no")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return addresses


def test_a_name_is_resolved_once_and_a_checked_address_is_dialled(dialled):
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])  # the second is what rebinding would give
    backend = GuardedBackend(allow_private=False, resolve=lambda host, port: next(answers))
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("rebinding.test", 80, 1)
    assert [address for address, _ in dialled] == ["8.8.8.8"]
    with pytest.raises(PrivateAddressError):
        backend.connect_tcp("rebinding.test", 80, 1)
    assert len(dialled) == 1


def test_private_addresses_among_public_ones_are_not_dialled(dialled):
    found = ["10.0.0.1", "8.8.8.8", "::1", "::ffff:127.0.0.1", "1.1.1.1", "8.8.8.8"]
    backend = GuardedBackend(allow_private=False, resolve=lambda host, port: found)
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("mixed.test", 80, 4)
    assert [address for address, _ in dialled] == ["8.8.8.8", "1.1.1.1"]


def test_many_addresses_share_the_time(dialled):
    found = [f"8.8.8.{n}" for n in range(100)]
    backend = GuardedBackend(allow_private=False, resolve=lambda host, port: found)
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("many.test", 80, 4)
    assert len(dialled) == 8
    assert dialled[0][1] == pytest.approx(0.5, abs=0.01)
    assert dialled[-1][1] == pytest.approx(4, abs=0.1)


def test_a_host_without_addresses():
    backend = GuardedBackend(allow_private=False, resolve=lambda host, port: [])
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("none.test", 80, 1)


def test_a_deadline_stops_while_it_is_paused():
    deadline = Deadline(0.2)
    with deadline.paused():
        time.sleep(0.3)
    assert 0 < deadline.left() <= 0.2


def test_reading_ends_with_the_deadline_however_long_the_timeout_is():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        backend = GuardedBackend(allow_private=True)
        with backend.until(Deadline(0.2)):
            stream = backend.connect_tcp("127.0.0.1", listening.getsockname()[1], 60)
            start = time.monotonic()
            with pytest.raises(httpcore.ReadTimeout):
                stream.read(10, 60)
            assert time.monotonic() - start < 1
            with pytest.raises(httpcore.ReadTimeout, match="over"):
                stream.write(b"x", 60)
            stream.close()
