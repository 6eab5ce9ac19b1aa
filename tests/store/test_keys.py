"""Master keys: where they come from, what is refused, and that nothing of them is ever shown."""

import base64
import hashlib
import hmac
import os
import pickle
import traceback

import pytest

from pixelmine.core.errors import OutputError, TamperedError, UsageError, WrongKeyError
from pixelmine.store.keys import MasterKeys, derive, make_key

ONE, TWO = hashlib.sha256(b"1").digest(), hashlib.sha256(b"2").digest()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch) -> None:
    monkeypatch.delenv("PIXELMINE_KEY", raising=False)
    monkeypatch.delenv("PIXELMINE_KEY_FILE", raising=False)


def written(path, data: bytes, mode: int = 0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_derive_is_hkdf_by_the_standard() -> None:
    extracted = hmac.new(bytes(32), ONE, hashlib.sha256).digest()
    expected = hmac.new(extracted, b"pixelmine 1 pseudonym\x01", hashlib.sha256).digest()
    assert derive(ONE, "pseudonym") == expected
    assert MasterKeys(ONE).purpose_key("pseudonym") == expected
    assert derive(ONE, "names") != expected
    assert hashlib.sha256(derive(ONE, "id")).hexdigest()[:16] == MasterKeys(ONE).current


FORMS = [
    ONE,
    ONE.hex().encode(),
    ONE.hex().upper().encode() + b"\n",
    base64.b64encode(ONE) + b"\r\n",
    base64.urlsafe_b64encode(ONE).rstrip(b"="),
]


@pytest.mark.parametrize("data", FORMS)
def test_a_key_is_read_in_each_form(tmp_path, data: bytes) -> None:
    assert MasterKeys.from_file(written(tmp_path / "k", data)).ids == [MasterKeys(ONE).current]


def test_older_keys_open_and_the_first_seals(tmp_path) -> None:
    several = written(tmp_path / "k", TWO.hex().encode() + b"\n" + ONE.hex().encode())
    keys = MasterKeys.from_file(several)
    old = MasterKeys(ONE)
    assert keys.ids == [MasterKeys(TWO).current, old.current]
    assert keys.unwrap(old.current, old.wrap(b"x" * 32)) == b"x" * 32
    assert MasterKeys(TWO).unwrap(keys.current, keys.wrap(b"y" * 32)) == b"y" * 32


def test_the_environment(tmp_path, monkeypatch) -> None:
    assert MasterKeys.from_environment() is None
    monkeypatch.setenv("PIXELMINE_KEY", f"{TWO.hex()}, {ONE.hex()}")
    both = MasterKeys.from_environment()
    assert both is not None
    assert both.ids == MasterKeys(TWO, [ONE]).ids
    files = [written(tmp_path / "2", TWO), written(tmp_path / "1", ONE)]
    monkeypatch.setenv("PIXELMINE_KEY_FILE", os.pathsep.join(map(str, files)))
    with pytest.raises(UsageError, match="both set"):
        MasterKeys.from_environment()
    monkeypatch.delenv("PIXELMINE_KEY")
    again = MasterKeys.from_environment()
    assert again is not None
    assert again.ids == both.ids


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644])
def test_a_file_that_others_can_use_is_refused(tmp_path, mode: int) -> None:
    path = written(tmp_path / "k", ONE, mode)
    with pytest.raises(UsageError, match=f"mode {mode:o}.*chmod 600"):
        MasterKeys.from_file(path)


@pytest.mark.parametrize(
    "data", [b"", b"\n", ONE[:31], ONE.hex().encode()[:-2], b"secret-word", ONE.hex().encode() * 2]
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path, data: bytes) -> None:
    with pytest.raises(UsageError, match="32 random bytes") as raised:
        MasterKeys.from_file(written(tmp_path / "k", data))
    text = "".join(traceback.format_exception(raised.value))
    assert "secret-word" not in text
    assert ONE.hex()[:16] not in text


@pytest.mark.parametrize("key", [b"", b"short", bytes(32), b"a" * 32, bytes(range(33))])
def test_bytes_that_are_no_key_are_refused(key: bytes) -> None:
    with pytest.raises(UsageError, match="key"):
        MasterKeys(key)


def test_nothing_of_a_key_is_shown() -> None:
    keys = MasterKeys(ONE, [TWO])
    wrapped = MasterKeys(TWO).wrap(b"z" * 32)
    with pytest.raises(WrongKeyError) as wrong:
        MasterKeys(ONE).unwrap(MasterKeys(TWO).current, wrapped)
    with pytest.raises(TamperedError) as changed:
        keys.unwrap(keys.current, wrapped)
    shown = f"{keys!r} {keys} {wrong.value} {changed.value}"
    for secret in (ONE, TWO, derive(ONE, "id"), b"z" * 32):
        assert secret.hex()[:12] not in shown
        assert repr(secret)[2:14] not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keys)


def test_a_key_is_made_for_the_user_alone_and_never_over_another(tmp_path) -> None:
    before = os.umask(0)
    try:
        made = make_key(tmp_path / "k")
    finally:
        os.umask(before)
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert MasterKeys.from_file(tmp_path / "k").current == made
    kept = (tmp_path / "k").read_bytes()
    with pytest.raises(OutputError, match="never written over"):
        make_key(tmp_path / "k")
    assert (tmp_path / "k").read_bytes() == kept
    assert make_key(tmp_path / "other") != made
    with pytest.raises(OutputError, match="Cannot write"):
        make_key(tmp_path / "no" / "k")
