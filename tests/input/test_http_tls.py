"""Certificates and handshakes, against the server of `test_http_fetch.py`."""

import datetime
import socket
import ssl
import time

import pytest

from pixelmine.core import Reason
from pixelmine.input.http import url_row
from pixelmine.input.http_fetch import Fetcher
from tests.input.test_http_fetch import (
    LIMITS,
    PICTURE,
    PUBLIC,
    QUICK,
    Server,
    one_public_address,
    resolver,
    server,
)

__all__ = ["one_public_address", "server"]


def certificate(folder, name):
    """A self-signed one."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A server with a certificate for here.test that is trusted, and for no other name."""
    path = certificate(tmp_path, "here.test")
    server = Server((PUBLIC, 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    yield server
    server.stop()


def test_certificates_are_checked_by_name(secure, server):
    with Fetcher(QUICK, resolve=resolver) as fetcher:

        def ask(url):
            return fetcher.fetch(url_row(url), LIMITS)

        own = f"https://here.test:{secure.server_port}"
        assert ask(f"{own}/good") == PICTURE
        assert ask(f"https://slow.test:{secure.server_port}/good") is Reason.UNREACHABLE
        assert ask(f"https://{PUBLIC}:{secure.server_port}/good") is Reason.UNREACHABLE
        plain = f"http://here.test:{server.server_port}"
        assert ask(f"{own}/redirect?to={plain}/good") is Reason.DENIED
        assert ask(f"{plain}/redirect?to={own}/good") == PICTURE
        assert ask(f"https://here.test:{server.server_port}/good") is Reason.UNREACHABLE
    assert server.paths("/good") == []


def test_certificates_that_nobody_vouches_for(secure, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with Fetcher(QUICK, resolve=resolver) as fetcher:
        row = url_row(f"https://here.test:{secure.server_port}/good")
        assert fetcher.fetch(row, LIMITS) is Reason.UNREACHABLE


def test_a_handshake_that_never_comes():
    with socket.create_server((PUBLIC, 0)) as listening:
        start = time.monotonic()
        with Fetcher(QUICK, resolve=resolver) as fetcher:
            row = url_row(f"https://here.test:{listening.getsockname()[1]}/")
            assert fetcher.fetch(row, LIMITS) in (Reason.SOURCE_TIMEOUT, Reason.UNREACHABLE)
        assert time.monotonic() - start < 1.9
