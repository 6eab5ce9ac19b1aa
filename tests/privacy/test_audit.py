"""A line that was changed, taken out, put in or moved shows."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import OutputError, PixelmineError, UsageError
from pixelmine.privacy.audit import AuditLog, read_secret

SECRET = bytes(range(32))


def written(folder: Path, lines: int = 5) -> AuditLog:
    log = AuditLog(folder / "audit.jsonl", SECRET)
    for number in range(lines):
        log.append("protect", who="ada", policy="ab" * 32, counts={"written": number})
    return log


def test_a_log_that_nobody_touched_fits_and_names_nobody(tmp_path: Path) -> None:
    log = written(tmp_path)
    found = log.verify()
    assert (found.entries, found.broken) == (5, None)
    assert log.verify(found.head).broken is None
    assert [line["counts"]["written"] for line in log.entries()] == list(range(5))
    assert b"ada" not in log.path.read_bytes()
    assert len({line["who"] for line in log.entries()}) == 1
    assert log.name_of("ada") != log.name_of("bob") != AuditLog(log.path, b"1" * 32).name_of("bob")


def test_an_end_that_was_cut_off_shows_against_the_head(tmp_path: Path) -> None:
    log = written(tmp_path)
    head = log.verify().head
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:-1]))
    assert log.verify().broken is None
    assert log.verify(head).broken == (5, "the end is missing")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return written(tmp_path_factory.mktemp("audit"))


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_every_change_of_a_byte_shows(whole: AuditLog, data: st.DataObject) -> None:
    raw = bytearray(whole.path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    changed = AuditLog(whole.path.with_name("changed.jsonl"), SECRET)
    changed.path.write_bytes(raw)
    assert changed.verify().broken is not None


@pytest.mark.parametrize(
    "order", [[0, 1, 3, 4], [1, 2, 3, 4], [0, 2, 1, 3, 4], [0, 1, 1, 2, 3, 4], [0, 1, 2, 3, 4, 2]]
)
def test_lines_taken_out_put_in_or_moved_show(whole: AuditLog, order: list[int]) -> None:
    lines = whole.path.read_bytes().splitlines(keepends=True)
    changed = AuditLog(whole.path.with_name("moved.jsonl"), SECRET)
    changed.path.write_bytes(b"".join(lines[number] for number in order))
    assert changed.verify().broken is not None


def test_without_the_key_no_line_fits(tmp_path: Path) -> None:
    log = written(tmp_path, 2)
    line = json.loads(log.path.read_bytes().splitlines()[-1])
    other = AuditLog(log.path, b"x" * 32)
    assert other.verify().broken == (1, "the line was changed, or another key wrote it")
    with pytest.raises(OutputError, match="another key"):
        other.append("export", who="eve")
    assert line["n"] == 2


def test_a_torn_or_damaged_end_is_not_gone_on_with(tmp_path: Path) -> None:
    log = written(tmp_path)
    log.path.write_bytes(log.path.read_bytes()[:-20])
    with pytest.raises(OutputError, match="not whole"):
        log.append("export", who="ada")
    assert log.verify().broken == (5, "the line is not whole")


def test_many_may_append_at_once(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "a" / "audit.jsonl", SECRET)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.append("export", who=f"{n}"), range(40)))
    assert log.verify().entries == 40


def test_what_is_no_deed_or_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="notes protect"):
        AuditLog(tmp_path / "a", SECRET).append("look", who="ada")
    with pytest.raises(UsageError, match="32 bytes"):
        AuditLog(tmp_path / "a", b"short")


def test_the_secret_is_made_once_and_is_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit.key"
    made = read_secret(path)
    assert read_secret(path) == made
    assert len(made) == 32
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
        with pytest.raises(PixelmineError, match="chmod 600"):
            read_secret(path)
