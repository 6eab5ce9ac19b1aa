import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from sklearn.datasets import load_digits

from pixelmine.models import Bundle
from pixelmine.preprocess import Preprocessing

SCRIPT = Path(__file__).parents[2] / "examples/article_in_keras.py"


def test_what_the_article_s_code_saved_becomes_a_bundle(tmp_path: Path) -> None:
    root = str(SCRIPT.parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(tmp_path / "article"), "--epochs", "2"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    assert "pixelmine models import my.keras" in done.stdout
    bundle = Bundle.load(tmp_path / "article/my-bundle")
    assert bundle.card.labels == [str(digit) for digit in range(10)]

    data = load_digits()
    steps = Preprocessing.from_card(bundle.card.preprocessing)
    pixels = np.stack([steps(np.uint8(np.round(p * 255 / 16))) for p in data.images])
    session = onnxruntime.InferenceSession(bundle.files["model.onnx"])
    (logits,) = session.run(["logits"], {"pixels": pixels})
    assert np.mean(logits.argmax(axis=1) == data.target) > 0.8  # on what it was trained on
