from pathlib import Path

import numpy as np
import pytest

from pixelmine.core.errors import RunError
from pixelmine.train.checkpoint import Checkpoint, forget, load, save
from pixelmine.train.history import Epoch, History

EPOCH = Epoch(loss=1, accuracy=0.5, held_back_accuracy=0.4, held_back_loss=0.1 + 0.2, seconds=2)


def checkpoint(job: str = "a") -> Checkpoint:
    return Checkpoint(
        job=job,
        history=History((EPOCH,)),
        network=[np.arange(6, dtype=np.float32).reshape(2, 3).T, np.float32([7])],
        optimizer=[np.array(3, np.int64)],
        best=[np.zeros((3, 2), np.float32), np.float32([8])],
    )


def test_everything_comes_back(tmp_path: Path) -> None:
    save(tmp_path / "run", checkpoint())
    found = load(tmp_path / "run", "a", overwrite=False)
    assert found is not None
    assert found.history == checkpoint().history
    for name in ("network", "optimizer", "best"):
        for ours, theirs in zip(getattr(checkpoint(), name), getattr(found, name), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs, strict=True)


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    assert load(tmp_path, "a", overwrite=False) is None


def test_another_training_s_is_not_taken_up(tmp_path: Path) -> None:
    save(tmp_path, checkpoint())
    with pytest.raises(RunError, match="other pictures or options"):
        load(tmp_path, "b", overwrite=False)
    assert load(tmp_path, "b", overwrite=True) is None


def test_a_damaged_one_is_said_to_be(tmp_path: Path) -> None:
    save(tmp_path, checkpoint())
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="cannot be read"):
        load(tmp_path, "a", overwrite=False)


def test_forget_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    save(tmp_path / "run", checkpoint())
    (tmp_path / "run/mine.txt").write_text("keep")
    forget(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine.txt"]
    forget(tmp_path / "other")
