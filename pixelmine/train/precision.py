"""What a network computes in while it is trained. Its weights are float32 in any case."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from pixelmine.core.checks import check_one_of

__all__ = ["PRECISIONS", "build_in", "computes_bfloat16", "settle"]

PRECISIONS = ("float32", "bfloat16", "auto")


def computes_bfloat16(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 itself, which is then twice as fast as float32.

    Where it does not, TensorFlow converts each number to float32 and back, and is slower.
    """
    try:
        flags = cpu.read_text().split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def settle(precision: str) -> str:
    """`float32` or `bfloat16`; `auto` becomes bfloat16 where the processor computes it.

    Raises UsageError for another word.
    """
    check_one_of("precision", precision, PRECISIONS)
    if precision == "auto":
        return "bfloat16" if computes_bfloat16() else "float32"
    return precision


def build_in(precision: str, build: Callable[[], Any]) -> Any:
    """What `build` makes, its layers computing in `precision`, as `settle` gives it."""
    with _policy("float32" if precision == "float32" else "mixed_bfloat16"):
        return build()


@contextmanager
def _policy(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
