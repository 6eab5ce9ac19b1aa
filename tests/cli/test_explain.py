"""`pixelmine predict --explain`, and how one answer is shown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pixelmine.cli.predict import _answer
from tests.cli.test_cli import PHOTOGRAPHS, pixelmine


def said(**row: Any) -> str:
    text = io.StringIO()
    top = [{"label": "cat", "probability": 0.7}, {"label": "dog", "probability": 0.2}]
    _answer(
        Console(file=text, width=120),
        {"top": top, "decision": ["cat"], "set": None, "ood": None, **row},
    )
    return text.getvalue()


def test_an_explanation_is_written_and_named(tmp_path: Path) -> None:
    asked = ("predict", PHOTOGRAPHS / "flower.jpg", "--explain", tmp_path / "why.png")
    found = pixelmine(*asked, "--explain-label", "bee", "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["label"], told["explanation"]) == ("bee", str(tmp_path / "why.png"))
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (("--explain", "why.png", "--out", "r.jsonl"), "takes one picture"),
        (("--explain", "why.png", "--watch"), "takes one picture"),
        (("--explain", "why.png", "--frames", "all"), "takes one picture"),
        (("--explain-label", "bee"), "go with --explain"),
        (("--near-in", "photos.pixels"), "go with --explain"),
    ],
)
def test_what_does_not_go_together_is_refused(more: tuple[str, ...], error: str) -> None:
    found = pixelmine("predict", PHOTOGRAPHS / "flower.jpg", *more)
    assert found.returncode == 2
    assert error in found.stderr


def test_what_the_model_does_not_know_is_said() -> None:
    assert said().splitlines()[0].split() == ["70.0%", "cat", "█" * 21]
    assert len(said().splitlines()) == 2
    assert "Not decided: the model is not sure enough." in said(decision=None)
    assert "It may be: cat, dog" in said(set=["cat", "dog"])
    assert "It may be" not in said(set=["cat"])
    many = [f"c{n}" for n in range(20)]
    assert "c7 and 12 more" in " ".join(said(set=many).split())
    assert "Odder than 99.5%" in said(ood=0.995)
    assert "Odder" not in said(ood=0.9)


def test_several_labels_are_named() -> None:
    assert "Labels: cat, dog" in said(decision=["cat", "dog"])
    assert "Labels: none" in said(decision=[])
