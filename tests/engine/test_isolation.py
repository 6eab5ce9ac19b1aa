"""What a decoder can do to itself, and that it costs its picture alone."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import RunError, UsageError
from pixelmine.engine.isolation import Isolated

QUICK = Limits(decode_cpu_s=0.4, decode_cpu_s_per_megapixel=0.3)


@pytest.fixture(autouse=True)
def _targets(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture(scope="module")
def pool():
    """Shared by the tests that leave it as it was; two workers."""
    sys.path.insert(0, str(Path(__file__).parent))
    with Isolated(
        "isolation_targets:work",
        {"say": "hü"},
        2,
        QUICK,
        memory_bytes=250 * 2**20,
    ) as isolated:
        sys.path.pop(0)
        yield isolated


def said(n, data=b"", say="hü"):
    return [({"n": n, "bytes": len(data), "said": say}, None)]


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("segfault", Reason.DECODER_CRASH),
        ("exit", Reason.DECODER_CRASH),
        ("abort", Reason.DECODER_CRASH),
        ("spin", Reason.DECODER_TIMEOUT),
        ("bomb", Reason.DECODER_CRASH),
        ("C bomb", Reason.DECODER_CRASH),
        ("no memory", Reason.DECODER_CRASH),
        ("hang up", Reason.DECODER_CRASH),
    ],
)
def test_what_goes_wrong_costs_its_picture_alone(pool, way, reason):
    before = [pool.submit({"n": n}, b"x" * n) for n in range(10)]
    bad = pool.submit({"do": way}, b"")
    after = [pool.submit({"n": n}, b"x" * n) for n in range(10)]
    assert bad.result(30) is reason
    for futures in (before, after):
        assert [f.result(30) for f in futures] == [said(n, b"x" * n) for n in range(10)]


@pytest.mark.parametrize("way", ["sleep", "stop", "no clock"])
def test_one_that_waits_for_ever_is_ended(way):
    limits = Limits(decode_cpu_s=0.05, decode_cpu_s_per_megapixel=1e-6)
    with Isolated("isolation_targets:work", {}, 1, limits, spare_wall_s=0.5) as isolated:
        assert isolated.submit({"n": 1}, b"").result(30)
        time.sleep(2)  # longer than a picture may take: a worker with nothing to do is not late
        start = time.monotonic()
        bad, good = isolated.submit({"do": way}, b""), isolated.submit({"n": 1}, b"")
        assert bad.result(30) is Reason.DECODER_TIMEOUT
        assert 0.9 < time.monotonic() - start < (1.9 if way == "sleep" else 10)
        assert good.result(30)


def test_one_of_many_frames_that_shows_none_for_long_is_not_ended():
    limits = Limits(decode_cpu_s=0.05, decode_cpu_s_per_megapixel=1e-6)
    with Isolated("isolation_targets:work", {}, 1, limits, spare_wall_s=0.5) as isolated:
        assert isolated.submit({"do": "skip", "n": 1}, b"3").result(30) == said(1, b"3", None)


@pytest.mark.parametrize(
    "data",
    [
        b"garbage" * 100,
        b"pxm" + bytes(100),
        b"pxm\x04" + (2**31).to_bytes(4, "little") + bytes(8),
        b"pxm\x04\x0d\0\0\0" + bytes(8) + b"[9,null,null]",
        b"pxm\x04\x0d\0\0\0" + bytes(8) + b'[0,[1],"a":3]',
        b"pxm\x04\x04\0\0\0" + bytes(8) + b"[[]]",
        b"pxm\x00" + (40).to_bytes(4, "little") + (2**62).to_bytes(8, "little"),
        b"pxm\x04" + (100_000).to_bytes(4, "little") + bytes(8) + b"[" * 100_000,
    ],
)
def test_nonsense_on_its_socket_is_a_crash(pool, data):
    bad = pool.submit({"do": "garbage"}, data)
    good = pool.submit({"n": 1}, b"")
    assert bad.result(30) is Reason.DECODER_CRASH
    assert good.result(30) == said(1)


def test_what_it_prints_is_not_seen(pool, capfd):
    assert pool.submit({"do": "shout", "n": 3}, b"").result(30) == said(3)
    assert capfd.readouterr() == ("", "")


def test_a_mistake_in_the_target_raises_and_the_next_picture_goes_on(pool):
    bad, good = pool.submit({"do": "complain"}, b""), pool.submit({"n": 1}, b"")
    with pytest.raises(RunError, match=r"complain[\s\S]*LookupError: the codec table is empty"):
        bad.result(30)
    assert good.result(30) == said(1)


def test_a_large_picture_has_more_time(pool):
    small, large = (pool.submit({"do": "expect", "n": 1}, n) for n in (b"1000", b"2000000"))
    assert small.result(30) is Reason.DECODER_TIMEOUT
    assert large.result(30) == said(1, b"2000000")


def test_the_time_is_each_frames():
    with Isolated("isolation_targets:frames", {}, 1, QUICK) as isolated:
        answer = isolated.submit({"count": 5, "cpu_s": 0.15}, b"").result(30)
        assert [values["frame"] for values, _ in answer] == [0, 1, 2, 3, 4]
        bad = isolated.submit({"count": 5, "cpu_s": 0.6}, b"").result(30)
        assert bad is Reason.DECODER_TIMEOUT


def test_of_a_thousand_pictures_exactly_those_that_crash():
    crashes = set(range(3, 1000, 10))
    with Isolated("isolation_targets:work", {}, 2, Limits()) as isolated:
        start = time.monotonic()
        futures = [
            isolated.submit({"n": n, "do": "segfault" if n in crashes else None}, bytes(n))
            for n in range(1000)
        ]
        for n, future in enumerate(futures):
            found = future.result(60)
            if n in crashes:
                assert found is Reason.DECODER_CRASH
            else:
                assert found == [({"n": n, "bytes": n, "said": None}, None)]
        assert time.monotonic() - start < 20


def test_one_that_waits_behind_a_culprit_is_not_blamed():
    with Isolated("isolation_targets:work", {}, 1, Limits()) as isolated:
        ways = ["abort", None, "exit", "segfault", None, "abort", None, None]
        futures = [isolated.submit({"n": n, "do": way}, b"") for n, way in enumerate(ways)]
        found = [future.result(30) for future in futures]
        assert [isinstance(answer, Reason) for answer in found] == [w is not None for w in ways]


def test_others_go_on_while_one_hangs():
    limits = Limits(decode_cpu_s=1.5)
    with Isolated("isolation_targets:work", {}, 2, limits) as isolated:
        isolated.submit({}, b"").result(30)
        bad = isolated.submit({"do": "spin"}, b"")
        time.sleep(0.1)
        quick = [isolated.submit({"n": n}, b"") for n in range(40)]
        done, _ = wait(quick, timeout=1)
        assert len(done) >= 36  # but those that were at hand with it
        assert bad.result(30) is Reason.DECODER_TIMEOUT
        assert all(future.result(30) for future in quick)


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 8 * 2**20])
def test_pictures_and_pixels_of_any_size(size):
    data = np.arange(size, dtype=np.uint8).tobytes()
    with Isolated("isolation_targets:double", {}, 1, Limits()) as isolated:
        ((values, array),) = isolated.submit({}, data).result(30)
        assert values == {"bytes": size}
        assert array.dtype == np.uint8
        assert array.tobytes() == data + data


def test_large_ones_both_ways_at_once_do_not_lock_up():
    pictures = [np.full(8 * 2**20 + n, n, np.uint8) for n in range(12)]
    with Isolated("isolation_targets:double", {}, 2, Limits()) as isolated:
        futures = [isolated.submit({}, memoryview(picture)) for picture in pictures]
        for picture, future in zip(pictures, futures, strict=True):
            ((_, array),) = future.result(60)
            assert array.size == 2 * picture.size
            assert (array == picture[0]).all()


@pytest.mark.parametrize(("side", "dtype"), [(8, "<f4"), (300_000, "|u1"), (8, "<i8")])
def test_frames_keep_their_order_and_their_pixels(side, dtype):
    """The target writes them all into one array."""
    with Isolated("isolation_targets:frames", {}, 2, Limits()) as isolated:
        for count in (0, 1, 2, 7):
            header = {"count": count, "side": side, "dtype": dtype}
            answer = isolated.submit(header, b"").result(30)
            assert [values for values, _ in answer] == [{"frame": n} for n in range(count)]
            for n, (_, array) in enumerate(answer):
                assert (array.dtype.str, array.shape) == (dtype, (side, 8))
                assert (array == n).all()
        assert isolated.submit({"count": 4, "bad": 2}, b"").result(30) is Reason.DECODER_CRASH


def test_an_answer_without_end_is_cut_off():
    with Isolated("isolation_targets:frames", {}, 1, Limits(max_frames=10)) as isolated:
        assert len(isolated.submit({"count": 10}, b"").result(30)) == 10
        assert isolated.submit({"count": 30}, b"").result(30) is Reason.DECODER_CRASH
    with Isolated("isolation_targets:frames", {}, 1, Limits(), answer_bytes=10_000) as isolated:
        assert len(isolated.submit({"count": 20}, b"").result(30)) == 20
        assert isolated.submit({"count": 40}, b"").result(30) is Reason.DECODER_CRASH
        assert len(isolated.submit({"count": 20}, b"").result(30)) == 20


def test_odd_answers():
    with Isolated("isolation_targets:odd", {}, 1, Limits()) as isolated:

        def ask(odd):
            return isolated.submit({"odd": odd}, b"").result(30)

        for odd, message in {
            "object": "must hold numbers",
            "json": "not JSON serializable",
            "axes": "must hold numbers",
        }.items():
            with pytest.raises(RunError, match=message):
                ask(odd)
        assert ask("none") == []
        ((_, empty),) = ask("empty")
        assert (empty.dtype, empty.shape) == (np.float16, (0, 7))
        ((_, scalar),) = ask("scalar")
        assert (scalar.dtype, scalar.shape, scalar) == (np.int64, (), 7)
        ((_, order),) = ask("order")
        assert order.tolist() == [[0, 3], [1, 4], [2, 5]]
        assert ask("wordy") is Reason.DECODER_CRASH
        assert ask("none") == []


def test_many_threads_at_once():
    with (
        Isolated("isolation_targets:work", {}, 2, Limits()) as isolated,
        ThreadPoolExecutor(16) as threads,
    ):

        def ask(n):
            way = "abort" if n % 100 == 7 else None
            return isolated.submit({"n": n, "do": way}, bytes(n)).result(60)

        for n, found in enumerate(threads.map(ask, range(800))):
            if n % 100 == 7:
                assert found is Reason.DECODER_CRASH
            else:
                assert found == [({"n": n, "bytes": n, "said": None}, None)]


def test_a_callback_may_submit(pool):
    answers = []

    def again(n, future):
        answers.append(future.result())
        if n < 50:
            pool.submit({"n": n + 1}, b"").add_done_callback(partial(again, n + 1))

    pool.submit({"n": 0}, b"").add_done_callback(partial(again, 0))
    end = time.monotonic() + 30
    while len(answers) <= 50 and time.monotonic() < end:
        time.sleep(0.01)
    assert answers == [said(n) for n in range(51)]


def test_what_waits_can_be_cancelled():
    with Isolated("isolation_targets:work", {}, 1, Limits()) as isolated:
        first = [isolated.submit({"do": "nap", "n": n}, b"0.02") for n in range(30)]
        assert first[-1].cancel()
        assert all(future.result(30) for future in first[:-1])
        assert isolated.submit({"n": 1}, b"").result(30)


def test_a_slip_of_the_caller_is_told_at_once(pool):
    with pytest.raises(TypeError, match="JSON"):
        pool.submit({"x": object()}, b"")
    with pytest.raises(ValueError, match="at most"):
        pool.submit({"x": "y" * 10**6}, b"")
    with pytest.raises(TypeError, match="contiguous"):
        pool.submit({}, memoryview(b"abcd")[::2])
    with pytest.raises(UsageError, match="module:function"):
        Isolated("isolation_targets", {}, 1, Limits())
    with pytest.raises(UsageError, match="count"):
        Isolated("isolation_targets:work", {}, 0, Limits())
    with pytest.raises(UsageError, match="options of decoding"):
        Isolated("isolation_targets:work", {"x": "y" * 2**20}, 1, Limits())
    assert pool.submit({"n": 1}, b"").result(30) == said(1)
