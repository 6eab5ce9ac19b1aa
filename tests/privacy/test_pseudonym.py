"""Pseudonyms are the same for the same, unlinkable otherwise, and never show their key."""

import base64
import hashlib
import hmac
import pickle
import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.privacy.pseudonym import PSEUDONYM_LENGTH, Pseudonyms, rotate

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
NAMES = Pseudonyms(KEY, "uri")


def hkdf(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with an empty salt, for at most 32 bytes."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\1", hashlib.sha256).digest()[:length]


@given(st.text())
def test_a_pseudonym_is_the_hmac_under_the_key_of_its_purpose(text):
    key = hkdf(KEY, b"pixelmine pseudonym key\0uri", 32)
    data = unicodedata.normalize("NFC", text).encode()
    code = base64.b32encode(hmac.new(key, data, hashlib.sha256).digest()[:20]).decode().lower()
    found = NAMES.of(text)
    assert found == f"{NAMES.key_id}-{code}"
    assert re.fullmatch(r"[a-z2-7]{6}-[a-z2-7]{32}", found)
    assert len(found) == PSEUDONYM_LENGTH
    assert found == Pseudonyms(KEY, "uri").of(text)


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_two_purposes_or_keys_have_nothing_in_common(text, first, second):
    one, two = Pseudonyms(KEY, first), Pseudonyms(KEY, second)
    if first != second:
        assert one.of(text)[7:] != two.of(text)[7:]
        assert one.key_id != two.key_id
    assert one.of(text)[7:] != Pseudonyms(OTHER, first).of(text)[7:]


def test_no_two_of_many_texts_share_one():
    column = pa.array([str(number) for number in range(100_000)])
    found = NAMES.of_column(column)
    assert len(set(found.to_pylist())) == 100_000
    assert set(found.to_pylist()[:50]) == {NAMES.of(str(number)) for number in range(50)}


def test_only_nfc_is_made_the_same():
    assert NAMES.of("Mu\u0308ller") == NAMES.of("M\u00fcller")
    assert len({NAMES.of(text) for text in ("a", "A", " a", "a ", "")}) == 5
    assert NAMES.of("\udce4.jpg") != NAMES.of("\ufffd.jpg"), "a file name that is not UTF-8"


@given(st.lists(st.none() | st.text(max_size=4)), st.integers(1, 4))
def test_a_column_is_as_its_values(values, parts):
    expected = [None if value is None else NAMES.of(value) for value in values]
    for kind in (pa.string(), pa.large_string()):
        assert NAMES.of_column(pa.array(values, kind)).to_pylist() == expected
    encoded = pa.array(values, pa.string()).dictionary_encode()
    assert NAMES.of_column(encoded).to_pylist() == expected
    chunks = pa.chunked_array([values[part::parts] for part in range(parts)], pa.string())
    found = NAMES.of_column(chunks)
    assert isinstance(found, pa.ChunkedArray)
    assert found.type == pa.string()
    assert found.to_pylist() == [
        None if value is None else NAMES.of(value) for value in chunks.to_pylist()
    ]


def test_columns_that_are_not_text():
    assert NAMES.of_column(pa.array([7, None])).to_pylist() == [NAMES.of("7"), None]
    for column in (pa.array([["a"]]), pa.array([b"a"]), pa.array([{"a": 1}])):
        with pytest.raises(UsageError, match="made of text"):
            NAMES.of_column(column)


def test_rotation_leads_from_old_to_new_and_shows_in_the_id():
    new = Pseudonyms(OTHER, "uri")
    found = rotate(NAMES, new, ["a", "b", "a"])
    assert found == {NAMES.of("a"): new.of("a"), NAMES.of("b"): new.of("b")}
    for old_one, new_one in found.items():
        assert NAMES.made(old_one)
        assert not NAMES.made(new_one)
        assert new.made(new_one)
    with pytest.raises(UsageError, match="are the same"):
        rotate(NAMES, Pseudonyms(KEY, "uri"), ["a"])
    with pytest.raises(UsageError, match="join"):
        rotate(NAMES, Pseudonyms(OTHER, "place"), ["a"])


@pytest.mark.parametrize("key", [b"", b"secret-secret-secret-secret-31b", "s" * 32, None])
def test_a_weak_key_is_refused_and_not_told(key):
    with pytest.raises(UsageError, match="32 random bytes") as caught:
        Pseudonyms(key, "uri")
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="purpose"):
        Pseudonyms(KEY, "")


def test_the_key_does_not_show():
    key = b"correct horse battery staple 32b!"
    names = Pseudonyms(key, "uri")
    derived = hkdf(key, b"pixelmine pseudonym key\0uri", 32)
    for text in (repr(names), str(names), f"{names!r:>80}"):
        assert "horse" not in text
        assert repr(derived)[2:-1] not in text
        assert derived.hex() not in text
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(names)
