"""Work that goes wrong in every way: imported by the decoding processes of the tests beside it."""

import ctypes
import os
import resource
import signal
import socket
import time
from pathlib import Path

import numpy as np

from pixelmine.core import budget


def spin(seconds=1e9):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def own_socket():
    """The descriptor of the worker's socket: what a decoder that was taken over would look for."""
    for number in range(3, 64):
        try:
            if "socket" in str(Path(f"/proc/self/fd/{number}").readlink()):
                return number
        except OSError:
            pass
    raise LookupError


def garbage(data):
    os.write(own_socket(), data)
    time.sleep(60)


def hang_up(_data):
    with socket.socket(fileno=own_socket()) as sock:
        sock.shutdown(socket.SHUT_RDWR)
        time.sleep(60)


def kill_server(_data):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def bomb(_data):
    budget.expect(10**7)  # time enough
    held = []
    while True:
        held.append(np.ones(2**25, np.uint8))


def c_bomb(_data):
    budget.expect(10**7)
    malloc = ctypes.CDLL(None).malloc
    malloc.restype = ctypes.c_void_p
    while True:
        ctypes.memset(malloc(2**25), 1, 2**25)


def complain(_data):
    raise LookupError("the codec table is empty")


def expect(data):
    budget.expect(int(data))
    spin(0.7)


def alloc_fails(_data):
    raise MemoryError


def no_clock(_data):
    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1e6)


def skip(data):
    """Decode frames that nobody asked for."""
    end = time.monotonic() + float(data)
    while time.monotonic() < end:
        budget.expect(64)
        time.sleep(0.01)


WAYS = {
    "segfault": lambda _: ctypes.string_at(0),
    "exit": lambda _: os._exit(0),
    "abort": lambda _: os.abort(),
    "spin": lambda _: spin(),
    "sleep": lambda _: time.sleep(1e6),
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "no clock": no_clock,
    "skip": skip,
    "shout": lambda _: (os.write(2, b"libtiff: oh dear\n" * 1000), os.write(1, b"hm\n"), None)[-1],
    "nap": lambda data: time.sleep(float(data)),
    "garbage": garbage,
    "hang up": hang_up,
    "kill server": kill_server,
    "bomb": bomb,
    "C bomb": c_bomb,
    "no memory": alloc_fails,
    "complain": complain,
    "expect": expect,
}


def work(options):
    """Do what `header["do"]` says, then say so."""

    def each(header, data):
        if (do := header.get("do")) in WAYS:
            WAYS[do](data)
        return [({"n": header.get("n"), "bytes": len(data), "said": options.get("say")}, None)]

    return each


def double(_options):
    """The bytes twice, as an array, and how many they are."""

    def each(_header, data):
        values = np.frombuffer(data, np.uint8)
        return [({"bytes": len(data)}, np.concatenate([values, values]))]

    return each


def frames(_options):
    """`header["count"]` frames in one array that is written over for each; `bad` raises at that."""

    def each(header, data):
        array = np.zeros((header.get("side", 8), 8), header.get("dtype", "<f4"))
        for number in range(header["count"]):
            if number == header.get("bad"):
                ctypes.string_at(0)
            array[:] = number
            budget.expect(8 * 8)
            spin(header.get("cpu_s", 0))
            yield {"frame": number}, array

    return each


def look(_options):
    """What a worker sees of its surroundings; the bytes are a path to try to write to."""
    proc = Path("/proc/self")
    threads = len([*(proc / "task").iterdir()])

    def each(_header, data):
        try:
            Path(os.fsdecode(data)).write_bytes(b"x")
            wrote = True
        except OSError:
            wrote = False
        status = dict(line.split(":\t") for line in (proc / "status").read_text().splitlines())
        lines = (proc / "net/dev").read_text().splitlines()[2:]
        found = {
            "std": [str((proc / f"fd/{n}").readlink()) for n in (0, 1, 2)],
            "descriptors": len([*(proc / "fd").iterdir()]) - 1,
            "wrote": wrote,
            "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
            "data": resource.getrlimit(resource.RLIMIT_DATA)[1],
            "ctrl_c": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
            "term": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            "blocked": status["SigBlk"],
            "threads": threads,
            "omp": os.environ.get("OMP_NUM_THREADS"),
            "interfaces": [line.partition(":")[0].strip() for line in lines],
            "no_new_privileges": status["NoNewPrivs"],
            "first_to_go": (proc / "oom_score_adj").read_text().strip(),
            "server": os.getppid(),
            "pid": os.getpid(),
        }
        return [(found, None)]

    return each


def broken(_options):
    raise LookupError("no such codec")


def slow_start(options):
    time.sleep(options["s"])
    return work(options)


def odd(_options):
    def each(header, data):
        match header["odd"]:
            case "object":
                return [({}, np.array([object()]))]
            case "json":
                return [({"x": object()}, None)]
            case "axes":
                return [({}, np.zeros((1,) * 9))]
            case "order":
                return [({}, np.arange(6, dtype="<i2").reshape(2, 3).T)]
            case "none":
                return []
            case "empty":
                return [({}, np.zeros((0, 7), "<f2"))]
            case "scalar":
                return [({}, np.array(7, "<i8"))]
            case "wordy":
                return [({"x": "y" * 2**22}, None)]

    return each
