import hashlib
import hmac
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import CollectionError
from pixelmine.core.ids import content_id
from pixelmine.store import tombstones as module
from pixelmine.store.tombstones import Tombstones


def contents(count: int, start: int = 0) -> list[str]:
    return [content_id(str(number).encode()) for number in range(start, start + count)]


def test_what_was_added_is_in_it_and_nothing_else(tmp_path: Path) -> None:
    stones = Tombstones(tmp_path)
    assert contents(1)[0] not in stones
    assert len(stones) == 0
    assert not list(tmp_path.iterdir())  # asking leaves nothing behind
    made = stones.add(contents(50))
    assert len(made) == len(stones) == 50
    for one in (stones, Tombstones(tmp_path)):
        assert all(name in one for name in contents(50))
        assert not any(name in one for name in contents(50, 50))


def test_adding_again_changes_nothing(tmp_path: Path) -> None:
    stones = Tombstones(tmp_path)
    first = stones.add(contents(3))
    before = stones.path.read_bytes()
    assert stones.add(contents(3)) == first
    assert stones.path.read_bytes() == before
    stones.add(contents(3, 2))
    assert len(stones) == 5
    assert all(name in stones for name in contents(5))


def test_it_is_an_hmac_under_a_key_that_only_the_user_reads(tmp_path: Path) -> None:
    stones = Tombstones(tmp_path)
    (made,) = stones.add(contents(1))
    key = stones.key_path.read_bytes()
    assert made == hmac.new(key, contents(1)[0].encode(), hashlib.sha256).hexdigest()
    assert stat.S_IMODE(stones.key_path.stat().st_mode) == 0o600
    assert contents(1)[0].encode() not in stones.path.read_bytes()
    assert bytes.fromhex(contents(1)[0]) not in stones.path.read_bytes()


def test_another_collection_has_another_key(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = Tombstones(tmp_path / "a").add(contents(4))
    assert not set(one) & set(Tombstones(tmp_path / "b").add(contents(4)))


def test_the_same_first_bytes_are_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(_secret: bytes, content: str) -> bytes:
        return b"12345678" + hashlib.sha256(content.encode()).digest()[:24]

    monkeypatch.setattr(module, "_digest", digest)
    stones = Tombstones(tmp_path)
    stones.add(contents(20))
    assert all(name in stones for name in contents(20))
    assert not any(name in stones for name in contents(20, 20))


def test_a_run_that_has_begun_sees_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    running = Tombstones(tmp_path)
    assert contents(1)[0] not in running
    Tombstones(tmp_path).add(contents(1))
    clock[0] += module._FRESH_S
    assert contents(1)[0] in running


@pytest.mark.parametrize("damage", ["key", "short key", "cut", "order", "other"])
def test_damage_is_an_error_and_not_an_empty_set(tmp_path: Path, damage: str) -> None:
    stones = Tombstones(tmp_path)
    stones.add(contents(8))
    data = stones.path.read_bytes()
    match damage:
        case "key":
            stones.key_path.unlink()
        case "short key":
            stones.key_path.write_bytes(b"short")
        case "cut":
            stones.path.write_bytes(data[:-5])
        case "order":
            stones.path.write_bytes(data[:32] + data[64:] + data[32:64])
        case "other":
            stones.path.write_bytes(b"x" * 64)
    with pytest.raises(CollectionError, match=r"tombstones\.key from a copy"):
        _ = contents(1)[0] in Tombstones(tmp_path)
    with pytest.raises(CollectionError):
        Tombstones(tmp_path).add(contents(1, 100)) if damage != "order" else len(
            Tombstones(tmp_path)
        )


@settings(max_examples=20, deadline=None)
@given(groups=st.lists(st.sets(st.integers(0, 200), max_size=30), max_size=4))
def test_it_is_the_union_of_what_was_added(
    tmp_path_factory: pytest.TempPathFactory, groups: list[set[int]]
) -> None:
    stones = Tombstones(tmp_path_factory.mktemp("stones"))
    for group in groups:
        stones.add(contents(1, number)[0] for number in group)
    expected = set().union(*groups)
    found = {number for number in range(201) if contents(1, number)[0] in stones}
    assert found == expected
    assert len(stones) == len(expected)


def test_a_million_are_found_without_holding_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5).integers(0, 256, (1_000_000, 32), np.uint8)
    stones = Tombstones(tmp_path)
    stones.add(contents(10))
    own = np.frombuffer(stones.path.read_bytes()[32:], np.uint8).reshape(-1, 32)
    whole = np.concatenate([random, own])
    order = np.argsort(np.ascontiguousarray(whole[:, :8]).view(">u8").ravel())
    stones.path.write_bytes(stones.path.read_bytes()[:32] + whole[order].tobytes())
    fresh = Tombstones(tmp_path)
    assert len(fresh) == 1_000_010
    assert all(name in fresh for name in contents(10))
    assert not any(name in fresh for name in contents(1000, 10))
    assert fresh._read.keys.nbytes == 8 * 1_000_010
