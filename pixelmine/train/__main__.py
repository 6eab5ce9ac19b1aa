"""`python -m pixelmine.train`: one JSON job on stdin, events as JSON Lines on stdout.

Exit status 0 when the job is done, 1 when it is not. SIGINT and SIGTERM stop it cleanly: the
checkpoint stays, and the same job goes on from it.
"""

import os
import signal
import sys
import traceback
from contextlib import suppress
from types import FrameType

from pixelmine.core.errors import PixelmineError
from pixelmine.core.processors import processors

from .events import Events, claim_stdout
from .jobs import ExportJob, ImportJob, Job, TrainJob, parse_job

_MAX_JOB_BYTES = 64 * 2**20


class Interrupted(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing on the way mistakes it for one."""


def main() -> int:
    """Run the job on stdin; the exit status."""
    _set_environment()
    events = Events(claim_stdout())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _run(parse_job(sys.stdin.buffer.read(_MAX_JOB_BYTES)), events)
    except BrokenPipeError:  # whoever started the job is gone
        return 1
    except Interrupted:
        return _fail(events, "interrupted; run the same command to go on.", "Interrupted")
    except PixelmineError as error:
        return _fail(events, str(error), type(error).__name__)
    except Exception as error:  # noqa: BLE001  the process's border: the parent sees events only
        traceback.print_exc()
        return _fail(events, f"The job failed: {type(error).__name__}: {error}", "TrainError")
    return 0


def _run(job: Job, events: Events) -> None:
    match job:
        case TrainJob():
            from .confine import refuse_network
            from .plan import make_plan

            refuse_network()
            plan = make_plan(job, events)
            from .training import train  # loads Keras, which takes longer than to find a mistake

            train(plan, events)
        case ImportJob():
            from .importer import import_network

            import_network(job, events)
        case ExportJob():
            from .confine import refuse_network
            from .keras_export import export_keras

            refuse_network()
            export_keras(job.model, job.out, events)


def _set_environment() -> None:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # 1,583 pictures a second for 1,170
    os.environ["HDF5_PLUGIN_PATH"] = "::"  # HDF5's own word for: load no plugin
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(processors()))  # TensorFlow overlooks a cgroup's quota


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted


def _fail(events: Events, message: str, kind: str) -> int:
    with suppress(BrokenPipeError):
        events.send("error", message=message, kind=kind)
    return 1


if __name__ == "__main__":
    sys.exit(main())
