"""Where and when a result was measured; every result carries it."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("pixelmine", "keras", "tensorflow-cpu", "onnxruntime", "openvino", "daft", "numpy")


def about() -> dict[str, Any]:
    """Processor, cores, versions and the time."""
    from pixelmine.core.processors import processors

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": model or platform.processor(),
        "cores": processors(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Write a result with its machine, and print it."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": about(), **result}, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    print(f"kept in {path}")
