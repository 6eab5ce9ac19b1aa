from pathlib import Path
from types import ModuleType

import pytest

from pixelmine.core.errors import OutputError
from pixelmine.train.history import Epoch


def epoch(level: float) -> Epoch:
    return Epoch(
        loss=level,
        accuracy=level / 2,
        held_back_loss=level / 4,
        held_back_accuracy=level / 8,
        seconds=1,
    )


def read(folder: Path) -> list[tuple[int, str, float]]:
    """In the order in which TensorBoard takes the files: that of their names."""
    import tensorflow

    return [
        (event.step, value.tag, value.simple_value)
        for path in sorted(folder.glob("*tfevents*"))
        for event in tensorflow.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_each_epoch_is_there_once_and_in_order(keras: ModuleType, tmp_path: Path) -> None:
    from pixelmine.train.tensorboard import write_epoch

    for number, level in ((0, 8.0), (1, 4.0), (1, 2.0)):  # the second one is run again
        write_epoch(tmp_path / "logs", number, epoch(level))
    assert read(tmp_path / "logs/train") == [
        (0, "epoch_loss", 8.0),
        (0, "epoch_accuracy", 4.0),
        (1, "epoch_loss", 2.0),
        (1, "epoch_accuracy", 1.0),
    ]
    assert read(tmp_path / "logs/validation") == [
        (0, "epoch_loss", 2.0),
        (0, "epoch_accuracy", 1.0),
        (1, "epoch_loss", 0.5),
        (1, "epoch_accuracy", 0.25),
    ]


def test_a_folder_that_cannot_be(keras: ModuleType, tmp_path: Path) -> None:
    from pixelmine.train.tensorboard import write_epoch

    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write TensorBoard's files"):
        write_epoch(tmp_path / "file", 0, epoch(1.0))
