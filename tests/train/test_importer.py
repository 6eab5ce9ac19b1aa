"""`python -m pixelmine.train` with the job `import`: what the article's own code saved."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.models import Bundle
from pixelmine.preprocess import Preprocessing
from pixelmine.train.importer import read_labels

LABELS = [str(digit) for digit in range(10)]


def probabilities(bundle: Bundle, pictures: np.ndarray) -> np.ndarray:
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    pixels = np.stack([steps(picture) for picture in pictures])
    session = onnxruntime.InferenceSession(bundle.files["model.onnx"])
    logits, embedding = session.run(["logits", "embedding"], {"pixels": pixels})
    assert embedding.shape == (len(pictures), 128)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def test_it_gives_the_same_answers(
    run_job: Any, article_model: Any, save: Any, digits: Any, tmp_path: Path
) -> None:
    model = save(article_model, tmp_path / "my.keras")
    (tmp_path / "labels.txt").write_text("\n".join(LABELS) + "\n", "utf-8")
    out = tmp_path / "b.zip"
    ran = run_job("import", model=model, out=out, labels=tmp_path / "labels.txt")
    assert ran.status == 0, ran.errors
    bundle = Bundle.load(out)
    assert bundle.card.labels == LABELS
    assert bundle.card.training is None
    assert "seen.bin" not in bundle.files
    pictures = digits[0][:100]
    expected = article_model(pictures[..., None].astype(np.float32) / 255)
    np.testing.assert_allclose(probabilities(bundle, pictures), expected, atol=1e-4)
    assert ran.last["parameters"] == 225_034
    assert ran.last["digest"] == bundle.card.digest
    notes = [event["text"] for event in ran.of("note")]
    assert "(p - 0) / 255 (by default)" in notes[0]
    assert "input of the last softmax" in notes[1]


def test_an_h5_file_trained_on_other_pixels(
    run_job: Any, article_model: Any, save: Any, digits: Any, tmp_path: Path
) -> None:
    model, out = save(article_model, tmp_path / "my.h5"), tmp_path / "b"
    ran = run_job("import", model=model, out=out, labels=LABELS, mean=[127.5], std=127.5)
    assert ran.status == 0, ran.errors
    pictures = digits[0][:20]
    expected = article_model(pictures[..., None].astype(np.float32) / 127.5 - 1)
    found = probabilities(Bundle.load(out), pictures)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_wrong_number_of_labels_is_refused(
    run_job: Any, article_model: Any, save: Any, tmp_path: Path
) -> None:
    model = save(article_model, tmp_path / "my.keras")
    ran = run_job("import", model=model, out=tmp_path / "b", labels=["a", "b"])
    assert (ran.status, ran.last["kind"]) == (1, "UsageError")
    assert "tells 10 classes apart, and there are 2 labels" in ran.last["message"]
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("text", [b"a\n\na\n", b"a\n", b"", b"\xff\xfe\x00"])
def test_labels_must_be_different_names(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(text)
    with pytest.raises(UsageError, match="label"):
        read_labels(str(path))


def test_labels_of_a_file_made_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xef\xbb\xbfcat\r\ndog \r\n\r\n")
    assert read_labels(str(path)) == ["cat", "dog"]
