"""What recognising with a model costs: seconds a picture, memory, bytes on the disk.

Measured in a process of its own, `python -m pixelmine.evaluate.cost`, so that nothing else that
this one holds or does counts: one JSON object on stdin, one on stdout.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelmine.core import Limits, Reason
from pixelmine.core.errors import ModelError, PixelmineError
from pixelmine.models import Bundle
from pixelmine.models.card import KNOWING
from pixelmine.pipeline import Model, load_model

__all__ = ["BATCH", "Cost", "measure_cost", "seconds_per_picture"]

BATCH = 16
"""Pictures in one call of the network, as when predicting."""

ROUNDS = 15
"""Batches timed, of which the median counts."""

_LONGEST_S = 300

_NEEDED = ("model.onnx", KNOWING)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """`seconds`: a picture, from its bytes or pixels to its answer, preparing it in one thread.

    The median of 15 batches of 16, after one that does not count. `size_bytes`: of the files
    that predicting needs. `peak_bytes`: of memory, of the whole process (None where the system
    does not say), of which `base_bytes` before the model was loaded.
    """

    seconds: float
    size_bytes: int
    peak_bytes: int | None
    base_bytes: int | None
    runtime: str
    precision: str

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return asdict(self)


def measure_cost(
    bundle: str | Path,
    pictures: Sequence[bytes | np.ndarray],
    *,
    runtime: str = "auto",
    precision: str = "auto",
) -> Cost:
    """Load a bundle in a new process and recognise some pictures there.

    `pictures`: at least one; a file's bytes, or uint8 (H, W) or (H, W, 3). They are used again and
    again until there are enough. Raises ModelError.
    """
    job = {
        "bundle": str(Path(bundle).absolute()),
        "runtime": runtime,
        "precision": precision,
        "pictures": [_pack(picture) for picture in pictures],
    }
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "pixelmine.evaluate.cost"],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{Path(bundle).name} took over {_LONGEST_S} s for {ROUNDS} batches of {BATCH}."
        ) from error
    if child.returncode:
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ModelError(f"The cost of {Path(bundle).name} cannot be measured: {''.join(last)}")
    return Cost(**json.loads(child.stdout))


def seconds_per_picture(model: Model, pictures: Sequence[bytes | np.ndarray]) -> float:
    """Of a loaded model: as `Cost.seconds`. Raises ModelError where a picture is none."""
    batch = [pictures[i % len(pictures)] for i in range(BATCH)]
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        _recognise(model, batch)
        times.append((time.perf_counter() - start) / BATCH)
        batch = batch[1:] + batch[:1]
    return statistics.median(times[1:])


def _recognise(model: Model, pictures: Sequence[bytes | np.ndarray]) -> None:
    found = model.network.run(np.concatenate([_take(model, one) for one in pictures]))
    shape = (len(pictures), model.preprocessing.views, -1)
    logits, embedding = (v.reshape(shape).mean(axis=1) for v in (found.logits, found.embedding))
    model.head.answers(logits, embedding, 5)


def _take(model: Model, picture: bytes | np.ndarray) -> np.ndarray:
    if isinstance(picture, np.ndarray):
        ready = model.take_array(picture)
        return ready if model.preprocessing.views > 1 else ready[None]
    pixels = model.preprocessing.prepare_uint8(picture, Limits())
    if isinstance(pixels, Reason):
        raise ModelError(f"a picture to measure with cannot be used: {pixels}.")
    return model.take(pixels)


def _pack(picture: bytes | np.ndarray) -> dict[str, Any]:
    if isinstance(picture, bytes):
        return {"data": b64encode(picture).decode()}
    data = b64encode(np.ascontiguousarray(picture, np.uint8).tobytes()).decode()
    return {"data": data, "shape": list(picture.shape)}


def _unpack(packed: dict[str, Any]) -> bytes | np.ndarray:
    data = b64decode(packed["data"])
    return np.frombuffer(data, np.uint8).reshape(packed["shape"]) if "shape" in packed else data


def _memory(name: str) -> int | None:
    """`VmRSS` (now) or `VmHWM` (the most so far) of this process, in bytes; Linux alone says so."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name)), None)


def _main() -> int:
    """Run the job on stdin; the exit status. What libraries print to stdout goes to stderr."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    job = json.load(sys.stdin.buffer)
    pictures = [_unpack(packed) for packed in job["pictures"]]
    base = _memory("VmRSS")
    try:
        bundle = Bundle.load(job["bundle"])
        model = load_model(bundle, job["runtime"], job["precision"])
        seconds = seconds_per_picture(model, pictures)
    except PixelmineError as error:
        print(error, file=sys.stderr)
        return 1
    cost = Cost(
        seconds=seconds,
        size_bytes=sum(len(bundle.files.get(name, b"")) for name in _NEEDED),
        peak_bytes=_memory("VmHWM"),
        base_bytes=base,
        runtime=model.network.runtime,
        precision=model.network.precision,
    )
    json.dump(cost.to_dict(), answer)
    answer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
