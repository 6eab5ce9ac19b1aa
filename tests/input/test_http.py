import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import SourceError
from pixelmine.core.ids import row_id
from pixelmine.core.schema import LISTING
from pixelmine.input.http import HttpSource, fetch_row, url_row
from pixelmine.input.source import SourceOptions


def test_a_url_is_one_row_and_nothing_is_fetched():
    source = HttpSource("https://user:secret@Example.com/a/b.jpg?sig=1#x", SourceOptions())
    (batch,) = source.list()
    assert batch.schema == LISTING
    (row,) = batch.to_pylist()
    assert source.uri == row["uri"] == "https://example.com/a/b.jpg"
    assert row["row_id"] == row_id(row["uri"], row["member"])
    assert row["address"] == "https://user:secret@Example.com/a/b.jpg?sig=1#x"
    assert row["reason"] is None
    assert row["frame"] == 0


def test_urls_that_differ_in_their_query_are_different_rows():
    rows = [url_row(f"http://h/p?id={n}") for n in range(100)] + [url_row("http://h/p")]
    assert {row["uri"] for row in rows} == {"http://h/p"}
    assert len({row["row_id"] for row in rows}) == 101
    assert rows[-1]["member"] == ""
    assert len(rows[0]["member"]) == 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "X-Amz-Date=1&X-Amz-Expires=60&X-Amz-Signature=ab&X-Amz-Credential=k",
            "X-Amz-Date=2&X-Amz-Expires=60&X-Amz-Signature=cd&X-Amz-Credential=l",
        ),
        ("X-Goog-Signature=a&X-Goog-Date=1", "X-Goog-Signature=b&X-Goog-Date=2"),
        ("Expires=1&Signature=a&Key-Pair-Id=k", "Expires=2&Signature=b&Key-Pair-Id=k"),
        ("sv=1&se=2&sr=b&sp=r&sig=x", "sv=1&se=3&sr=b&sp=r&sig=y"),
    ],
)
def test_a_url_that_is_signed_anew_is_the_same_row(one, other):
    rows = [url_row(f"https://h/p?versionId=7&{query}") for query in (one, other)]
    assert rows[0]["row_id"] == rows[1]["row_id"]
    assert rows[0]["member"] == url_row("https://h/p?versionId=7")["member"]
    assert rows[0]["address"] != rows[1]["address"]
    assert url_row(f"https://h/p?{one}")["member"] == ""


def test_names_of_signing_parameters_say_nothing_without_a_signature():
    assert url_row("http://h/p?se=1")["member"] != url_row("http://h/p?se=2")["member"]
    assert url_row("http://h/p?expires=1")["member"] != url_row("http://h/p?expires=2")["member"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://h/a",
        "http://",
        "http:///secret",
        "http://[::1/secret",
        "http://h:99999/secret",
        "http://u:secret@h:x/",
        "file:///etc/secret",
        "not a url",
    ],
)
def test_what_is_no_url_is_a_row_and_no_source(text):
    row = url_row(text)
    assert row["reason"] is Reason.UNREADABLE
    assert row["address"] is None
    assert "secret" not in json.dumps(row)
    with pytest.raises(SourceError) as error:
        HttpSource(text, SourceOptions())
    assert "secret" not in str(error.value)


@given(st.text())
def test_any_text_is_a_row_that_fits(text):
    for url in (text, "http://" + text, "http://h/" + text):
        row = url_row(url)
        if all(not 0xD800 <= ord(c) < 0xE000 for c in url):
            pa.RecordBatch.from_pylist([row], LISTING)


def test_private_addresses_are_refused_by_default():
    for url in ("http://127.0.0.1:1/a", "http://localhost/", "http://[::1]/", "http://10.0.0.1/"):
        assert fetch_row(url_row(url), Limits()) is Reason.PRIVATE_ADDRESS


@pytest.mark.parametrize("address", ["http://[::1", "file:///etc/passwd", "", "http://h:0/"])
def test_an_address_that_is_no_url_is_unreadable(address):
    assert fetch_row({"uri": "", "address": address}, Limits()) is Reason.UNREADABLE
