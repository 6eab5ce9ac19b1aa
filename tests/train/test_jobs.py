import json
from pathlib import Path
from typing import Any

import pytest

from pixelmine.core.errors import UsageError
from pixelmine.train.jobs import ExportJob, ImportJob, TrainJob, parse_job


def parse(**values: Any) -> TrainJob | ImportJob | ExportJob:
    return parse_job(json.dumps(values))


def test_a_training_job(tmp_path: Path) -> None:
    out = str(tmp_path / "b.zip")
    job = parse(job="train", source="digits", out=out, minutes=3, split=None)
    assert job == TrainJob(source="digits", out=out, minutes=3)
    assert isinstance(job, TrainJob)
    assert job.state_folder == tmp_path / "b.zip.run"


def test_an_import_job(tmp_path: Path) -> None:
    out = str(tmp_path / "b")
    job = parse(job="import", model="my.keras", out=out, labels=["a", "b"], mean=[1, 2.5, 3])
    assert job == ImportJob(model="my.keras", out=out, labels=["a", "b"], mean=[1, 2.5, 3])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, '"job": train or import'),
        ({"job": "export"}, '"job": train or import'),
        ({"job": "train", "source": "x"}, "lacks: out"),
        ({"job": "train", "source": "x", "out": "y", "epoch": 3}, "unknown options: epoch"),
        ({"job": "train", "source": "x", "out": "y", "epochs": "3"}, "epochs must be int"),
        ({"job": "train", "source": "x", "out": "y", "epochs": True}, "epochs must be int"),
        ({"job": "train", "source": "x", "out": "y", "epochs": 0}, "epochs must be above 0"),
        ({"job": "train", "source": "x", "out": "y", "seed": -1}, "seed must be from 0"),
        ({"job": "train", "source": 3, "out": "y"}, "source must be str"),
        ({"job": "train", "source": "x", "out": "y", "coverage": 1.0}, "coverage must be between"),
        ({"job": "train", "source": "x", "out": "y", "error": 0}, "error must be between"),
        ({"job": "import", "model": "m", "out": "y", "labels": [1]}, "labels must be"),
    ],
)
def test_a_job_with_a_slip_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_job(json.dumps(values))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_what_is_not_an_object_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="must be"):
        parse_job(text)


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        parse(job="train", source="x", out=str(tmp_path))
    assert parse(job="train", source="x", out=str(tmp_path), overwrite=True)


def test_an_export_job(tmp_path: Path) -> None:
    out = str(tmp_path / "my.keras")
    job = parse(job="export-keras", model="my.bundle", out=out)
    assert job == ExportJob(model="my.bundle", out=out)
