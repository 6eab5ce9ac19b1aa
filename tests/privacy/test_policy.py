"""A policy's file is read whole or refused, with what is wrong said."""

from pathlib import Path

import pytest

from pixelmine.core.errors import UsageError
from pixelmine.privacy.policy import PrivacyPolicy


def load(folder: Path, text: str) -> PrivacyPolicy:
    path = folder / "privacy.toml"
    path.write_text(text, "utf-8")
    return PrivacyPolicy.load(path)


def test_a_file_says_what_may_leave(tmp_path: Path) -> None:
    found = load(tmp_path, '[pictures]\nfaces = "fill"\nunsure = "withhold"\n')
    assert found.pictures.faces == "fill"
    assert found.pictures.looks_for == ("faces",)
    again = load(tmp_path, '# the same\n[pictures]\nunsure="withhold"\nfaces="fill"\n')
    assert again.digest == found.digest
    assert load(tmp_path, "").pictures.looks_for == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pictures\n", "not TOML"),
        ("[picture]\n", "the tables pictures"),
        ("[pictures]\nface = 'fill'\n", r"pictures\.face "),
        ("[pictures]\nfaces = true\n", r"pictures\.faces"),
        ("[[pictures.regions]]\nx0 = 0.5\nx1 = 0.2\ny0 = 0.0\ny1 = 1.0\n", "x1 must be above"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        PrivacyPolicy.load(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(UsageError, match="larger"):
        PrivacyPolicy.load(tmp_path / "large.toml")
