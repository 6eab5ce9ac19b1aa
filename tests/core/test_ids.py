import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixelmine.core.ids import (
    array_bytes,
    canonical_uri,
    content_id,
    digest,
    digest_json,
    file_uri,
    picture_id,
    row_id,
    uri_path,
)

quick = settings(deadline=None, max_examples=200, database=None)

# Few different characters, so that different lists often run together to the same bytes.
alike = st.lists(st.text("a\x00\x01", max_size=4), max_size=4)
names = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@quick
@given(alike, alike)
@example(["a", ""], ["", "a"])
@example(["ab"], ["a", "b"])
@example([], [""])
def test_different_lists_have_different_digests(one, other):
    assert (digest(*one) == digest(*other)) == (one == other)


def test_a_digest_is_the_sha256_of_lengths_and_values():
    data = (2).to_bytes(8, "big") + "é".encode() + (1).to_bytes(8, "big") + b"x"
    assert digest("é", b"x") == hashlib.sha256(data).hexdigest()


def test_a_name_that_is_not_utf8_has_a_digest():
    assert digest(os.fsdecode(b"\xff")) == digest(b"\xff") != digest(b"\xfe")


def test_rows_and_pictures_have_different_names():
    assert len({row_id("u"), row_id("u", "m"), row_id("u", "", 1), row_id("um"), row_id("v")}) == 5
    assert picture_id("c", 0) != picture_id("c", 1) != picture_id("d", 1)
    assert (
        content_id(b"abc") == content_id(memoryview(b"abc")) == hashlib.sha256(b"abc").hexdigest()
    )


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    assert digest_json({"a": 1, "b": [2, "é"]}) == digest_json({"b": [2, "é"], "a": 1})
    assert digest_json({"a": 1}) != digest_json({"a": "1"})
    assert digest_json({"b": 2, "a": "é"}) == hashlib.sha256(b'{"a":"\\u00e9","b":2}').hexdigest()


def test_an_array_is_named_by_type_shape_and_data():
    pixels = np.arange(6, dtype="<u2").reshape(2, 3)
    assert array_bytes(pixels) == b"<u2|2x3|" + pixels.tobytes()
    for view in (pixels[:, ::-1], pixels.T, np.asfortranarray(pixels)):
        assert array_bytes(view) == array_bytes(np.ascontiguousarray(view))
    others = [pixels, pixels.T, pixels.reshape(3, 2), pixels.astype(">u2"), pixels.astype("u1")]
    assert len({array_bytes(other) for other in others}) == 5


@quick
@given(st.lists(names, min_size=1, max_size=3))
@example([b"caf\xe9", b"a b", b"50%#?&;=+.jpg"])
@example([b"%41", b"new\nline", b"-"])
def test_any_file_name_survives_its_uri(parts):
    path = Path(os.fsdecode(b"/" + b"/".join(parts)))
    uri = file_uri(path)
    assert uri_path(uri) == path
    assert uri.isascii()
    assert urlsplit(uri).path == uri[len("file://") :]  # nothing reads as a query or fragment
    assert not set(uri) & set(" %?#\n") - {"%"}


def test_a_relative_path_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_uri(Path("a b~.jpg")) == f"file://{tmp_path}/a%20b~.jpg"


def test_dots_in_a_path_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("x/../a", "./a", tmp_path / "x" / ".." / "a"):
        assert file_uri(Path(path)) == f"file://{tmp_path}/a"


def test_links_in_a_path_are_kept(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert file_uri(tmp_path / "link" / "a.jpg").endswith("/link/a.jpg")


@pytest.mark.parametrize("uri", ["http://host/a", "a.jpg", "/a.jpg", "FILE:///a"])
def test_only_file_uris_have_paths(uri):
    with pytest.raises(ValueError, match="must be a file:// URI"):
        uri_path(uri)


@pytest.mark.parametrize(
    ("uri", "canonical"),
    [
        (
            "https://user:secret@Host.ORG:8443/a%20b?X-Signature=1#top",
            "https://host.org:8443/a%20b",
        ),
        ("HTTP://u@ser:p@ss@host/x", "http://host/x"),
        ("http://u:p@[2001:DB8::1]:80/x", "http://[2001:db8::1]:80/x"),
        ("http://[::1]/x?q", "http://[::1]/x"),
        ("s3://bucket/Key?versionId=3", "s3://bucket/Key"),
        ("file:///a%20b/c%3F.jpg", "file:///a%20b/c%3F.jpg"),
    ],
)
def test_a_canonical_uri_has_no_secrets(uri, canonical):
    assert canonical_uri(uri) == canonical
    assert canonical_uri(canonical) == canonical


@quick
@given(st.text("usER:@.-0", max_size=8), st.text("pass?#&=%20", max_size=8))
def test_no_user_password_or_query_is_left(user, query):
    uri = canonical_uri(f"https://{user}:PASSWORD@host/path?{query}PASSWORD#PASSWORD")
    assert uri == "https://host/path"
