import hashlib
import hmac
import json
import time

import pytest

from pixelmine.core import PassPolicy, clear
from pixelmine.core.errors import OutputError
from pixelmine.output import request, webhook
from tests.output.conftest import frames, good, name_of
from tests.output.receivers import batch_of, receiver


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(request, "FIRST_PAUSE_S", 0.01)


@pytest.fixture
def place(tmp_path):
    with receiver("http", tmp_path) as found:
        yield found


def send(place, *rows, listed=None):
    sink = place.sink()
    done = {row["row_id"] for batch in sink.start() for row in batch.to_pylist()}
    try:
        sink.write(clear(batch_of([r for r in rows if r["row_id"] not in done]), PassPolicy()))
        return sink.finish(listed or [row["row_id"] for row in rows])
    finally:
        sink._close()


def letters(place):
    path = place.state / "dead-letter.jsonl"
    return (
        [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
        if path.exists()
        else []
    )


def test_a_row_is_signed(place, monkeypatch):
    monkeypatch.setenv("PIXELMINE_WEBHOOK_KEY", "a key")
    send(place, good(1))
    ((headers, body),) = place.requests
    stamp, mac = headers["X-Pixelmine-Signature"].split(",")
    seconds = stamp.removeprefix("t=")
    assert abs(int(seconds) - time.time()) < 60
    expected = hmac.new(b"a key", seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert mac == f"v1={expected}"
    assert headers["Content-Type"] == "application/json"
    row = json.loads(body)
    assert (row["row_id"], row["top"][0]["probability"]) == (name_of(1), 0.612346)


def test_without_a_key_nothing_is_signed(place, monkeypatch):
    monkeypatch.delenv("PIXELMINE_WEBHOOK_KEY", raising=False)
    send(place, good(1))
    ((headers, _),) = place.requests
    assert "X-Pixelmine-Signature" not in headers


def test_connections_are_kept(place):
    send(place, *(good(number) for number in range(300)))
    assert len(place.requests) == 300


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 0])
def test_what_may_pass_is_tried_again_with_the_same_id(place, status):
    place.answers[name_of(1)] = [status, status, 200]
    assert send(place, good(1), good(2)).items == 2
    assert sorted(row["row_id"] for row in place.rows()) == sorted(map(name_of, [1, 2]))
    tries = [headers["Idempotency-Key"] for headers, _ in place.requests]
    assert (len(tries), len(set(tries))) == (4, 2)
    assert letters(place) == []


@pytest.mark.parametrize("status", [400, 404, 410, 422, 301, 307])
def test_what_is_refused_is_put_aside_and_the_run_goes_on(place, status):
    place.answers[name_of(1)] = [status]
    delivered = send(place, good(1), good(2), good(4))
    assert (delivered.items, delivered.refused) == (3, 1)
    assert len(place.requests) == 3  # neither tried again nor followed elsewhere
    (letter,) = letters(place)
    assert (letter["status"], letter["row"]["row_id"]) == (f"HTTP {status}", name_of(1))


def test_what_was_put_aside_is_tried_by_the_next_run(place):
    place.answers[name_of(1)] = [400]
    send(place, good(1), good(2))
    place.answers.clear()
    delivered = send(place, good(1), good(2))
    assert (delivered.items, delivered.refused) == (2, 0)
    assert [row["row_id"] for row in place.rows()] == [name_of(2), name_of(1)]


def test_a_file_one_frame_of_which_was_put_aside_is_tried_again(place):
    rows = frames(1, 3)
    place.answers[rows[2]["row_id"]] = [400]
    delivered = send(place, *rows, listed=[rows[0]["row_id"]])
    assert (delivered.items, delivered.reasons.total(), delivered.refused) == (1, 3, 1)
    assert sum(rows.num_rows for rows in place.sink()._ledger.done()) == 0


def test_a_receiver_that_takes_nothing_stops_the_run(place, monkeypatch):
    monkeypatch.setattr(webhook, "FAILURES", 10)
    place.answers["*"] = [500]
    rows = [good(number) for number in range(200)]
    with pytest.raises(OutputError, match=r"did not take 1\d rows one after another \(HTTP 500\)"):
        send(place, *rows)
    assert 10 <= len(letters(place)) < 10 + webhook.AT_ONCE
    place.answers.clear()
    delivered = send(place, *rows)
    assert (delivered.items, delivered.refused) == (200, 0)
    assert sorted(row["row_id"] for row in place.rows()) == sorted(map(name_of, range(200)))


def test_one_that_goes_away_in_the_middle(place, monkeypatch):
    monkeypatch.setattr(webhook, "FAILURES", 3)
    place.answers.update({name: [404] for name in sorted(map(name_of, range(300)))[150:]})
    rows = [good(number) for number in range(300)]
    with pytest.raises(OutputError, match="same command again") as caught:
        send(place, *rows)
    assert "secret" not in str(caught.value)
    place.answers.clear()
    delivered = send(place, *rows)
    assert (delivered.items, delivered.refused) == (300, 0)
    assert sorted(row["row_id"] for row in place.rows()) == sorted(map(name_of, range(300)))


def test_nobody_listens(place, monkeypatch, tmp_path):
    monkeypatch.setattr(webhook, "FAILURES", 3)
    place.out = "http://127.0.0.1:9/hook?token=secret"
    with pytest.raises(OutputError, match=r"http://127\.0\.0\.1:9 did not take.*ConnectError"):
        send(place, *(good(number) for number in range(20)))


def test_a_row_too_large_is_not_sent(place, monkeypatch):
    monkeypatch.setattr(request, "MAX_BODY", 2_000)
    delivered = send(place, good(1), good(2, member="x" * 3_000))
    assert (delivered.items, delivered.refused) == (2, 1)
    assert len(place.requests) == 1
    assert letters(place)[0]["status"] == "not sent: more than 2000 bytes"


@pytest.mark.parametrize(
    ("asked", "pause"), [("7", 7), ("100000", 60), ("-1", None), ("soon", None), ("²", None)]
)
def test_a_receiver_may_ask_for_a_pause_up_to_a_limit(asked, pause):
    found = request._pause(2, asked)
    assert found == pause if pause else 0.02 <= found <= 0.04


def test_pauses_grow():
    for attempt in range(30):
        longest = min(0.01 * 2**attempt, 60)
        assert longest / 2 <= request._pause(attempt, None) <= longest
