"""What a trainer gives: everything of a bundle that depends on how it was trained."""

from dataclasses import dataclass, field

import numpy as np

from pixelmine.models.card import Described, Input
from pixelmine.models.golden import GoldenPicture

from .history import History

__all__ = ["Judged", "Trained"]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Answers to M pictures by a model that had not learnt from them.

    `logits`: float32 (M, K). `embedding`: float32 (M, D). `y`: int64 (M,), or bool (M, K) where
    pictures may have several labels. `groups`: M. `how`: which they are, for the card.
    """

    logits: np.ndarray
    embedding: np.ndarray
    y: np.ndarray
    groups: list[str | None]
    how: str


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model that was trained and exported.

    `golden`: the trainer's own answers, not the exported network's. `learnt`: pictures it learnt
    from. `says`: what is added to the card's description. `builder`: of `networks.NETWORKS`, and
    `files` then has its weights.
    """

    onnx: bytes
    golden: list[GoldenPicture]
    input: Input
    judged: Judged
    learnt: int
    says: str = ""
    features: Described | None = None
    history: History = field(default_factory=History)
    builder: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
