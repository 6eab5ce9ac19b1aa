"""Envelopes: every change of a sealed object is found, and a header changes keys alone."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import SealedError, TamperedError, WrongKeyError
from pixelmine.store import envelope
from pixelmine.store.envelope import OVERHEAD, key_id_of, open_sealed, open_whole, rewrap, seal
from pixelmine.store.envelope import seal_whole as whole
from pixelmine.store.keys import MasterKeys

KEYS = MasterKeys(bytes(range(32)))
OTHER = MasterKeys(bytes(range(1, 33)))
HEADER = OVERHEAD - 16
CHUNK = 1024


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "CHUNK_BYTES", CHUNK)
        yield


def parts(sealed: bytes) -> tuple[bytes, list[bytes]]:
    body, size = sealed[HEADER:], CHUNK + 16
    return sealed[:HEADER], [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 7])
def test_what_is_sealed_comes_back_and_is_not_to_be_seen(size: int) -> None:
    data = bytes(place * 7 % 251 for place in range(size))
    sealed = whole(data, "one", KEYS)
    assert open_whole(sealed, "one", KEYS) == data
    assert len(sealed) == HEADER + size + 16 * max(1, -(-size // CHUNK))
    assert size < 32 or data[:32] not in sealed
    assert b"one" not in sealed


def test_equal_bytes_have_unequal_envelopes() -> None:
    first, second = whole(b"a" * 64, "one", KEYS), whole(b"a" * 64, "one", KEYS)
    assert first[18:] != second[18:]


def test_every_single_change_of_a_byte_is_found() -> None:
    sealed = whole(bytes(range(40)), "one", KEYS)
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(SealedError):
                open_whole(bytes(changed), "one", KEYS)


def test_every_byte_may_be_any_other_and_is_found() -> None:
    sealed = whole(b"p", "one", KEYS)
    for place in range(0, len(sealed), 9):
        for value in set(range(256)) - {sealed[place]}:
            changed = sealed[:place] + bytes([value]) + sealed[place + 1 :]
            with pytest.raises(SealedError):
                open_whole(changed, "one", KEYS)


def test_every_truncation_and_addition_is_found() -> None:
    sealed = whole(bytes(2 * CHUNK), "one", KEYS)
    for length in [*range(HEADER + 20), *range(HEADER + 20, len(sealed), 13), len(sealed) - 1]:
        with pytest.raises(TamperedError):
            open_whole(sealed[:length], "one", KEYS)
    for border in (HEADER, HEADER + CHUNK + 16):
        with pytest.raises(TamperedError):
            open_whole(sealed[:border], "one", KEYS)
    for more in (b"\0", bytes(16), sealed[HEADER:]):
        with pytest.raises(TamperedError):
            open_whole(sealed + more, "one", KEYS)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_chunks_that_are_moved_left_out_doubled_or_swapped_in_are_found(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(0, 4 * CHUNK))
    plain = b"".join(bytes([number]) * CHUNK for number in range(5))[:size]
    header, mine = parts(whole(plain, "one", KEYS))
    others = parts(whole(plain, "one", KEYS))[1]
    pool = st.sampled_from([*mine, *others])
    chosen = data.draw(st.lists(pool, max_size=len(mine) + 1))
    if chosen == mine:
        assert open_whole(header + b"".join(chosen), "one", KEYS) == plain
        return
    with pytest.raises(TamperedError):
        open_whole(header + b"".join(chosen), "one", KEYS)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3 * CHUNK), st.data())
def test_any_change_of_any_stretch_is_found(plain: bytes, data: st.DataObject) -> None:
    sealed = whole(plain, "one", KEYS)
    start = data.draw(st.integers(0, len(sealed)))
    end = data.draw(st.integers(start, len(sealed)))
    changed = sealed[:start] + data.draw(st.binary(max_size=40)) + sealed[end:]
    if changed == sealed:
        return
    with pytest.raises(SealedError):
        open_whole(changed, "one", KEYS)


def test_headers_of_two_objects_cannot_be_exchanged() -> None:
    first, second = whole(b"a" * 50, "one", KEYS), whole(b"b" * 50, "one", KEYS)
    with pytest.raises(TamperedError):
        open_whole(first[:HEADER] + second[HEADER:], "one", KEYS)


def test_another_object_s_envelope_says_so() -> None:
    with pytest.raises(TamperedError, match="another object"):
        open_whole(whole(b"a", "one", KEYS), "two", KEYS)


def test_a_wrong_key_says_which_is_wanted() -> None:
    with pytest.raises(WrongKeyError, match=f"master key {KEYS.current}.*here: {OTHER.current}"):
        open_whole(whole(b"a", "one", KEYS), "one", OTHER)


def test_something_else_is_no_envelope() -> None:
    for data in (b"", b"\xff\xd8\xff" + bytes(200)):
        with pytest.raises(TamperedError, match="not an envelope"):
            open_whole(data, "one", KEYS)


def test_a_later_bad_chunk_is_met_after_the_good_ones() -> None:
    sealed = bytearray(whole(bytes(3 * CHUNK), "one", KEYS))
    sealed[-1] ^= 1
    given = open_sealed(bytes(sealed), "one", KEYS)
    assert [len(next(given)), len(next(given))] == [CHUNK, CHUNK]
    with pytest.raises(TamperedError, match="chunk 3"):
        next(given)


def test_a_source_may_give_little_at_a_time() -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 100))

    data = bytes(range(256)) * 10
    sink = io.BytesIO()
    assert seal(Drops(data), sink, "one", KEYS) == len(data)
    assert b"".join(open_sealed(Drops(sink.getvalue()), "one", KEYS)) == data


def test_a_rewrap_changes_the_header_alone(tmp_path) -> None:
    path = tmp_path / "one"
    path.write_bytes(whole(bytes(3000), "one", KEYS))
    before = path.read_bytes()
    both = MasterKeys(bytes(range(1, 33)), [bytes(range(32))])
    assert rewrap(path, KEYS, OTHER)
    assert not rewrap(path, both, OTHER)
    after = path.read_bytes()
    assert after[HEADER:] == before[HEADER:]
    assert after[:10] == before[:10]
    assert key_id_of(path) == OTHER.current
    assert open_whole(after, "one", OTHER) == bytes(3000)
    assert open_whole(before, "one", both) == bytes(3000)
    with pytest.raises(WrongKeyError):
        open_whole(after, "one", KEYS)
    assert list(tmp_path.iterdir()) == [path]


def test_a_rewrap_with_the_wrong_key_changes_nothing(tmp_path) -> None:
    path = tmp_path / "one"
    path.write_bytes(whole(b"a", "one", KEYS))
    before = path.read_bytes()
    third = MasterKeys(bytes(range(2, 34)))
    with pytest.raises(WrongKeyError, match=KEYS.current):
        rewrap(path, OTHER, third)
    assert path.read_bytes() == before
