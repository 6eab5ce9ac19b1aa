import signal
import subprocess
import sys
import threading
import time

import pytest

from pixelmine.core.errors import LockedError
from pixelmine.store.lock import WriteLock

HOLD = """
import sys, time
from pathlib import Path
from pixelmine.store.lock import WriteLock

with WriteLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_dead_one_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    child = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE)
    with child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=r"held .*lock for 0.2 s"), WriteLock(path, 0.2):
            pass
        child.send_signal(signal.SIGKILL)
    with WriteLock(path, 5):
        pass


def test_two_threads_take_turns(tmp_path):
    lock, inside, most = WriteLock(tmp_path / ".lock"), [], []

    def work():
        for _ in range(5):
            with lock:
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.002)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 10


def test_it_is_free_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="inside"), WriteLock(tmp_path / ".lock"):
        raise ValueError("inside")
    with WriteLock(tmp_path / ".lock", 0.2):
        pass
