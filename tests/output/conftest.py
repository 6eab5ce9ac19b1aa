"""Result rows to write."""

import hashlib
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pytest

from pixelmine.core import ids
from pixelmine.output.parts import PART

ODD = 'a "b", c; d|e\r\nf\ttabbed 图片 é \u2028'


def name_of(number):
    return hashlib.sha256(f"{number}".encode()).hexdigest()


def good(number, **more):
    top = [
        {"index": 7, "label": ODD, "probability": 0.6123456},
        {"index": 0, "label": "cat", "probability": 1e-7},
    ]
    found = {"kind": "face", "box": [1.5, 2.0, 3.0, 4.0], "text": None, "score": 0.5}
    return {
        "row_id": name_of(number),
        "uri": f"file:///{number}%0A.jpg",
        "member": "m,\n",
        "frame": 0,
        "picture_id": name_of(-number),
        "status": "ok",
        "reason": None,
        "top": top,
        "decision": [ODD, "cat"],
        "set": [ODD],
        "ood": 0.25,
        "found": [found],
        "model": "net, 1",
        "model_digest": "d" * 64,
        "size": number,
        "mtime_ns": 2**60,
        **more,
    }


def frames(number, count, **more):
    """The rows of one file with so many frames."""
    uri, member = f"file:///{number}.gif", ""
    return [
        good(
            number,
            row_id=ids.row_id(uri, member, frame),
            uri=uri,
            member=member,
            frame=frame,
            **more,
        )
        for frame in range(count)
    ]


def bad(number, **more):
    nothing = dict.fromkeys(("picture_id", "top", "decision", "set", "ood", "found", "size"))
    failed = {"status": "failed", "reason": "truncated", "member": "", "mtime_ns": None}
    return good(number, **{**nothing, **failed, **more})


@pytest.fixture
def batch():
    """Rows 0 to N, every third of them bad, as a batch of PART."""

    def make(numbers, **more):
        rows = [(good if n % 3 else bad)(n, **more) for n in numbers]
        return pa.RecordBatch.from_pylist(rows, PART)

    return make


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """scikit-learn's two photographs, as files."""
    folder = tmp_path_factory.mktemp("photographs")
    for name in ("china.jpg", "flower.jpg"):
        (folder / name).write_bytes((files("sklearn.datasets") / "images" / name).read_bytes())
    return folder
