"""Pictures that are too many for memory lie in a file, and a training does not notice."""

from pathlib import Path

import numpy as np
import pytest

from pixelmine.core.errors import OutputError
from pixelmine.train import pixels
from pixelmine.train.pixels import Chosen, Room, forget_pixels, mapped, take

SHAPE = (4, 5, 3)


def filled(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *SHAPE)).astype(np.uint8)


def test_few_pictures_are_in_memory(tmp_path: Path) -> None:
    room = Room.of(10, SHAPE, tmp_path, "a")
    assert type(room.x) is np.ndarray
    assert room.finish([True] * 4 + [False] * 6).shape == (4, *SHAPE)
    assert not list(tmp_path.iterdir())


def test_many_are_in_a_file_that_is_used_again_once_it_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "IN_MEMORY", 0)
    x, kept = filled(10), [True] * 9 + [False]
    first = Room.of(10, SHAPE, tmp_path, "a")
    first.x[:9] = x[:9]
    assert Room.of(10, SHAPE, tmp_path, "a").kept is None  # not finished: begun anew
    again = Room.of(10, SHAPE, tmp_path, "a")
    again.x[:9] = x[:9]
    np.testing.assert_array_equal(again.finish(kept), x[:9])
    found = Room.of(10, SHAPE, tmp_path, "a")
    assert found.kept == kept
    np.testing.assert_array_equal(found.finish(kept), x[:9])
    assert Room.of(10, SHAPE, tmp_path, "b").kept is None  # other pictures
    assert Room.of(10, SHAPE, tmp_path, "a").kept is None  # which were written over these
    forget_pixels(tmp_path)
    assert not list(tmp_path.iterdir())


def test_chosen_rows_are_those_rows(tmp_path: Path) -> None:
    x = mapped(tmp_path / "x.npy", (20, *SHAPE))
    x[:] = filled(20)
    some, fewer = np.array([3, 1, 8, 19]), np.array([2, 0])
    chosen = take(take(x, some), fewer)
    assert isinstance(chosen, Chosen)
    assert (len(chosen), chosen.shape) == (2, (2, *SHAPE))
    expected = filled(20)[some][fewer]
    np.testing.assert_array_equal(chosen[:], expected)
    np.testing.assert_array_equal(chosen[np.array([1])], expected[1:])
    np.testing.assert_array_equal(chosen[0], expected[0])
    np.testing.assert_array_equal(take(filled(20), some), filled(20)[some])


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no room for"):
        mapped(tmp_path / "x.npy", (1 << 40, 1 << 10, 1 << 10, 3))
    assert not list(tmp_path.iterdir())
