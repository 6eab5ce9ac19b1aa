"""What the parent makes of a worker's words, be they what they may."""

import json
import os
import socket
import struct
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pixelmine.engine.isolation_memory import ANSWER_BYTES, DEPTH, REQUEST_BYTES, Shared
from pixelmine.engine.isolation_wire import (
    Outgoing,
    Reader,
    WireError,
    end_message,
    ready_message,
    receive_request,
    request_header,
    send_request,
)

BEHIND, SLOT, FILE, LAST = 0, 1, 2, 4


@contextmanager
def line(answer_bytes=2**31):
    """A reader, and the worker's ends of its socket and memory."""
    shared, memory = Shared.create()
    theirs = Shared(memory)
    os.close(memory)
    ours, end = socket.socketpair()
    with ours, end:
        yield Reader(ours, shared, answer_bytes, 5, late), end, theirs, shared, ours


def late():
    raise AssertionError("it waits for what does not come")


def message(header, blob=b"", flags=LAST, size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(blob) if size is None else size
    return struct.pack("<3sBIQ", b"pxm", flags, len(text), length) + text + blob


NUMBERS = st.sampled_from(
    ["u1", "i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"]
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=8, min_side=0, max_side=4)


@given(
    st.lists(st.one_of(st.none(), arrays.arrays(NUMBERS, SHAPES)), max_size=4),
    st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none()), max_size=3),
)
def test_frames_arrive_as_they_were_sent(frames, values):
    with line() as (reader, end, theirs, _, _):
        end.sendall(ready_message())
        reader.ready()
        for number in range(DEPTH + 1):
            for index, array in enumerate(frames):
                Outgoing(number, index, values, array, theirs).send(end, last=False)
            end.sendall(ready_message() + end_message(number))
            for array in frames:
                found = reader.frame()
                assert (found.number, found.last, found.values) == (number, False, values)
                if array is None:
                    assert found.array is None
                else:
                    assert (found.array.dtype, found.array.shape) == (array.dtype, array.shape)
                    assert found.array.tobytes() == array.tobytes()
            assert reader.frame() == (number, True, None, None, None)


@given(st.binary(max_size=200), st.booleans())
def test_noise_is_an_end_or_nonsense(noise, looks_right):
    with line() as (reader, end, _, _, _):
        end.sendall(message([0, {}, None]) + (b"pxm" if looks_right else b"") + noise)
        end.shutdown(socket.SHUT_RDWR)
        with pytest.raises((WireError, EOFError)):
            for _ in iter(reader.frame, None):
                pass


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, st.integers(0, 255), st.binary(max_size=40))
def test_any_json_is_a_frame_or_nonsense(header, flags, blob):
    with line() as (reader, end, _, _, _):
        end.sendall(message(header, blob, flags))
        end.shutdown(socket.SHUT_RDWR)
        try:
            frame = reader.frame()
        except (WireError, EOFError):
            return
        assert isinstance(frame.number, int)
        assert isinstance(frame.error, str) or frame.values is None or type(frame.values) is dict


@pytest.mark.parametrize(
    ("kind", "size", "flags"),
    [
        (["|u1", [100]], 10, LAST | SLOT),
        (["|u1", [10]], 100, LAST | SLOT),
        (["<f4", [10]], 10, LAST | SLOT),
        (["|u1", [-2, -5]], 10, LAST | SLOT),
        (["|u1", [2.5, 4]], 10, LAST | SLOT),
        (["|u1", [True] * 8 + [10]], 10, LAST | SLOT),
        (["|u1", [0, 2**70]], 0, LAST | SLOT),
        (["|O", [1]], 8, LAST | SLOT),
        (["<M8[s]", [1]], 8, LAST | SLOT),
        ([">f4", [1]], 4, LAST | SLOT),
        (["|V8", [1]], 8, LAST | SLOT),
        (["|u1", [ANSWER_BYTES + 1]], ANSWER_BYTES + 1, LAST | SLOT),
        (["|u1", [10]], 10, LAST | FILE),
        (["|u1", [10]], 10, LAST | 8),
        (["|u1", [2**30, 2**30]], 2**60, LAST),
        (None, 10, LAST),
    ],
)
def test_an_array_that_is_not_what_it_says_is_nonsense(kind, size, flags):
    with line() as (reader, end, _, _, _):
        end.sendall(message([0, {}, kind], flags=flags, size=size))
        with pytest.raises(WireError):
            reader.frame()


def test_an_answer_is_bounded_and_each_has_as_much():
    with line(answer_bytes=1000) as (reader, end, _, _, _):
        for _ in range(3):
            end.sendall(message([0, {"x": "y" * 800}, None]))
            assert reader.frame().last
        end.sendall(message([0, {"x": "y" * 800}, None], flags=0) * 2)
        reader.frame()
        with pytest.raises(WireError):
            reader.frame()


def test_what_is_copied_from_a_slot_stays():
    """A worker may write into its memory at any time."""
    with line() as (reader, end, theirs, _, _):
        Outgoing(0, 0, {}, np.arange(9), theirs).send(end, last=True)
        found = reader.frame().array
        theirs.answer(0, 72)[:] = bytes(72)
        assert found.tolist() == [*range(9)]


@pytest.mark.parametrize("size", [0, 1, REQUEST_BYTES, REQUEST_BYTES + 1, 5 * REQUEST_BYTES])
def test_a_request_arrives_as_it_was_sent(size):
    data = (np.arange(size) % 251).astype(np.uint8).tobytes()
    with line() as (_, end, theirs, shared, ours):
        for number in range(DEPTH + 1):
            send_request(ours, shared, number, request_header({"n": number}), data)
            assert receive_request(end, theirs, number) == ({"n": number}, data)
        ours.close()
        with pytest.raises(EOFError):
            receive_request(end, theirs, 0)


def test_a_worker_that_does_not_read_is_not_waited_for():
    header = request_header({"x": "y" * 30_000})
    with line() as (_, _, _, shared, ours):
        for number in range(DEPTH):
            send_request(ours, shared, number, header, b"")
        with pytest.raises(OSError, match=r"does not read|temporarily"):
            [send_request(ours, shared, number, header, b"") for number in range(1000)]


def test_a_worker_cannot_cut_the_memory_short():
    _, memory = Shared.create()
    try:
        with pytest.raises(PermissionError):
            os.ftruncate(memory, 0)
    finally:
        os.close(memory)
