"""Addresses and rows of streams, without a server."""

from pixelmine.input.stream import message_row, stream_address

SECRET = "hunter2secret"


def test_an_address_is_taken_apart_and_shows_no_secret():
    found = stream_address(f"NATS://a%40b:{SECRET}@[::1]/x%20y?durable=d", 1, {"durable": "p"})
    assert (found.user, found.password, found.host, found.port) == ("a@b", SECRET, "::1", 1)
    assert (found.place, found.path, found.options) == ("nats://[::1]:1", "x y", {"durable": "d"})
    assert SECRET not in repr(found)


def test_what_a_sender_says_is_bounded():
    said = [(f"n{index}", "v" * 5000) for index in range(200)] + [("label", "l" * 5000)]
    found = message_row("redis://h/s", "1", b"x", 0, said, 10)
    assert len(found["meta"]) == 64
    assert {len(value) for _, value in found["meta"]} == {1000}
    assert len(found["label"]) == 1000
