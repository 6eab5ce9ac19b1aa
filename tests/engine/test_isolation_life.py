"""How decoding processes begin and end, and what they leave behind: nothing."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import RunError
from pixelmine.engine.isolation import Isolated

TARGETS = str(Path(__file__).parent)
GOOD = [({"n": 1, "bytes": 0, "said": None}, None)]


@pytest.fixture(autouse=True)
def _targets(monkeypatch):
    monkeypatch.syspath_prepend(TARGETS)


def make(count=2, target="work", options=None, **more):
    return Isolated(f"isolation_targets:{target}", options or {}, count, Limits(), **more)


def good(isolated):
    return isolated.submit({"n": 1}, b"").result(30)


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def children():
    return {child.pid for child in psutil.Process().children(recursive=True)}


def living(family, seconds):
    """Those of the processes that still run; init reaps the rest when it likes."""
    end = time.monotonic() + seconds
    while (alive := [child for child in family if runs(child)]) and time.monotonic() < end:
        time.sleep(0.01)
    return alive


def runs(child):
    try:
        return child is not None and child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def process(pid):
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def held():
    """Descriptors and threads of this process."""
    gc.collect()
    return len([*Path("/proc/self/fd").iterdir()]), threading.active_count()


def test_a_worker_sees_little_of_the_world(tmp_path):
    path = tmp_path / "written"
    with make(1, "look") as isolated:
        ((found, _),) = isolated.submit({}, os.fsencode(path)).result(30)
        server = psutil.Process(found["server"])
        assert server.ppid() == os.getpid()
        assert psutil.Process(found["pid"]).ppid() == server.pid
    assert found["std"] == ["/dev/null"] * 3
    assert found["descriptors"] == 5  # those, its socket and its memory
    assert not found["wrote"]
    assert not path.exists() or not path.read_bytes()
    assert (found["core"], found["data"]) == (0, 4 * 2**30)
    assert found["ctrl_c"]
    assert found["term"]
    assert int(found["blocked"], 16) == 0
    assert found["omp"] == "1"
    assert found["no_new_privileges"] == "1"
    assert found["first_to_go"] == "1000"
    if os.geteuid() == 0:
        assert found["interfaces"] in (["lo"], [])


def test_nothing_is_left_after_closing():
    with make() as isolated:  # what is loaded once stays
        good(isolated)
    before, processes = held(), children()
    for _ in range(5):
        isolated = make()
        assert good(isolated) == GOOD
        for _ in range(3):
            isolated.submit({"do": "segfault"}, b"").result(30)
        isolated.submit({"n": 1}, b"x" * 3_000_000).result(30)
        isolated.close()
        isolated.close()
        assert children() == processes
    assert all(now <= then for now, then in zip(held(), before, strict=True))


def test_nothing_is_left_when_nobody_holds_it():
    before, processes = held(), children()
    isolated = make()
    good(isolated)
    assert children() > processes
    del isolated
    assert until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))
    assert children() == processes


def test_closing_does_not_wait_for_pictures():
    isolated = make(1)
    good(isolated)
    futures = [isolated.submit({"do": "sleep"}, b"") for _ in range(10)]
    start = time.monotonic()
    isolated.close()
    assert time.monotonic() - start < 3
    for future in futures:
        with pytest.raises(RunError, match="stopped"):
            future.result(1)
    with pytest.raises(RunError, match="stopped"):
        isolated.submit({}, b"")


def test_it_starts_in_the_background():
    """For longer, even, than a picture may take."""
    start = time.monotonic()
    limits = Limits(decode_cpu_s=0.02, decode_cpu_s_per_megapixel=1e-6)
    with Isolated(
        "isolation_targets:slow_start", {"s": 1.5}, 2, limits, spare_wall_s=0.1
    ) as isolated:
        futures = [isolated.submit({"n": 1}, b"") for _ in range(20)]
        assert time.monotonic() - start < 0.4
        assert [future.result(30) for future in futures] == [GOOD] * 20


def test_closing_while_it_starts_is_quick():
    isolated = make(2, "slow_start", {"s": 60})
    future = isolated.submit({"n": 1}, b"")
    time.sleep(0.3)
    start = time.monotonic()
    isolated.close()
    assert time.monotonic() - start < 3
    with pytest.raises(RunError, match="stopped"):
        future.result(1)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("isolation_targets:broken", "LookupError: no such codec"),
        ("isolation_targets:missing", "has no attribute 'missing'"),
        ("no_such_module:work", "No module named 'no_such_module'"),
    ],
)
def test_a_target_that_cannot_be_loaded_raises(target, message):
    with Isolated(target, {}, 2, Limits()) as isolated:
        with pytest.raises(RunError, match=message):
            isolated.submit({}, b"").result(30)
        with pytest.raises(RunError, match=message):
            isolated.submit({}, b"")


def test_workers_that_cannot_begin_raise():
    before = held()
    more_than_there_is = 2**70  # which the system refuses to take for a limit
    with (
        make(memory_bytes=more_than_there_is) as isolated,
        pytest.raises(RunError, match="as soon as they start"),
    ):
        isolated.submit({"n": 1}, b"").result(30)
    assert until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))


def test_a_worker_that_is_killed_from_outside_is_replaced_and_nobody_blamed():
    with make(1, "look") as isolated:
        for _ in range(4):
            ((found, _),) = isolated.submit({}, b"/").result(30)
            os.kill(found["pid"], signal.SIGKILL)
    with make(2) as isolated:
        good(isolated)
        futures = [isolated.submit({"do": "nap", "n": 1}, b"0.05") for _ in range(20)]
        for child in psutil.Process().children(recursive=True):
            if child.ppid() != os.getpid():
                child.kill()
        assert [f.result(30)[0][0]["n"] for f in futures] == [1] * 20


def test_a_server_that_is_killed_is_replaced_and_nobody_blamed():
    with make(2) as isolated:
        for _ in range(7):
            assert good(isolated) == GOOD
            futures = [isolated.submit({"do": "nap", "n": 1}, b"0.02") for _ in range(10)]
            (server,) = (
                child
                for child in psutil.Process().children()
                if "isolation" in str(child.cmdline())
            )
            server.kill()
            assert [f.result(30)[0][0]["n"] for f in futures] == [1] * 10


def test_a_picture_that_kills_the_server_is_a_crash():
    with make(2) as isolated:
        bad = isolated.submit({"do": "kill server"}, b"")
        assert bad.result(60) is Reason.DECODER_CRASH
        assert good(isolated) == GOOD


def test_a_server_that_cannot_start_raises(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with make() as isolated, pytest.raises(RunError, match=r"5 times in a row.*status 1"):
        isolated.submit({}, b"").result(30)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with make() as isolated, pytest.raises(RunError, match="cannot be started"):
        isolated.submit({}, b"").result(30)


def test_the_death_of_a_worker_is_seen_though_a_stranger_holds_its_socket(monkeypatch):
    """A process forked at the wrong moment inherits all descriptors."""
    import pixelmine.engine.isolation_lane as lane

    kept, make_line = [], lane._Line.open

    def keep():
        line = make_line()
        kept.append(line.theirs.dup())
        return line

    monkeypatch.setattr(lane._Line, "open", staticmethod(keep))
    with make(1) as isolated:
        assert isolated.submit({"do": "abort"}, b"").result(30) is Reason.DECODER_CRASH
        assert good(isolated) == GOOD
    for sock in kept:
        sock.close()


# Lance, where another test has loaded it, warns of every fork
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_forked_copy_of_the_owner_leaves_it_alone():
    with make() as isolated:
        good(isolated)
        pid = os.fork()
        if not pid:
            isolated.close()
            os._exit(0)
        os.waitpid(pid, 0)
        assert good(isolated) == GOOD


def test_started_from_a_thread_that_ends():
    made = []

    def begin():
        made.append(make())
        good(made[0])

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    time.sleep(0.1)
    with made[0] as isolated:
        assert good(isolated) == GOOD


def test_several_at_once():
    first, second = make(1, options={"say": "a"}), make(1, options={"say": "b"})
    with first, second:
        for _ in range(3):
            for isolated, say in ((first, "a"), (second, "b")):
                assert good(isolated)[0][0]["said"] == say
        first.close()
        assert good(second)[0][0]["said"] == "b"


SCRIPT = """
import os, sys, time
sys.path.insert(0, {targets!r})
from pixelmine.core import Limits
from pixelmine.engine.isolation import Isolated
print("main", flush=True)
isolated = Isolated("isolation_targets:look", {{}}, 2, Limits())
((found, _),) = isolated.submit({{}}, b"/").result(30)
print(found["server"], found["pid"], flush=True)
more = [isolated.submit({{}}, b"/") for _ in range(5)]
{then}
"""


def script(then):
    return [sys.executable, "-W", "error", "-c", SCRIPT.format(targets=TARGETS, then=then)]


@pytest.mark.parametrize("then", ["pass", "raise SystemExit(0)", "del isolated", "sys.exit()"])
def test_a_program_that_ends_without_closing_ends_quietly(then):
    done = subprocess.run(script(then), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    main, pids = done.stdout.splitlines()
    assert main == "main"  # not run again in the children
    assert not living([process(int(pid)) for pid in pids.split()], 5)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_the_parent_is_killed_all_are_gone(number):
    with subprocess.Popen(
        script("time.sleep(60)"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        parent.stdout.readline()
        pids = {int(pid) for pid in parent.stdout.readline().split()}
        owner = psutil.Process(parent.pid)
        assert until(lambda: len(owner.children(recursive=True)) == 3)
        family = owner.children(recursive=True)
        assert {child.pid for child in family} > pids
        parent.send_signal(number)
        assert not living(family, 1 if number == signal.SIGKILL else 5)


def test_when_the_parent_is_killed_while_the_server_starts():
    code = SCRIPT.replace("look", "slow_start").replace("{{}}, 2", "{{'s': 60}}, 2")
    code = code.partition("((found")[0] + "time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code.format(targets=TARGETS)], stdout=subprocess.PIPE, text=True
    ) as parent:
        parent.stdout.readline()
        assert until(lambda: psutil.Process(parent.pid).children())
        time.sleep(0.5)
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
        assert family
        assert not living(family, 1)
