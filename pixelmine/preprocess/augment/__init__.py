"""Training pictures changed by chance, so that a network sees more than there are.

Never on pictures that a network is measured on, and never in a card's preprocessing. To add one:
write a frozen dataclass as `Augmentation` or `Mixing` has it, name it in AUGMENTATIONS; the
contract test in tests/preprocess/augment then runs on it.
"""

from .affine import RandomAffine
from .augmentation import Augmentation, Mixing
from .chain import AUGMENTATIONS, augment, from_card, mixes, to_card
from .crop import RandomCrop, RandomResizedCrop
from .erasing import RandomErasing
from .flip import RandomFlip
from .jitter import ColourJitter
from .mix import CutMix, Mixup
from .rand_augment import RandAugment
from .shift import RandomShift

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "ColourJitter",
    "CutMix",
    "Mixing",
    "Mixup",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomResizedCrop",
    "RandomShift",
    "augment",
    "from_card",
    "mixes",
    "to_card",
]
