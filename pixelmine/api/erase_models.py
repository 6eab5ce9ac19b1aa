"""Models that have learnt of pictures that are erased: named by their cards."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelmine.core.errors import ModelError
from pixelmine.models import Bundle, Card

__all__ = ["Learnt", "learnt_of"]


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """A bundle whose `seen.bin` holds `pictures` of those that are erased, by 8 bytes of each id.

    `again`: the command that trains it without them, as far as its card knows; None where the card
    does not say how it was made.
    """

    path: str
    name: str
    digest: str
    recipe: str | None
    pictures: int
    again: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


def learnt_of(
    models: Sequence[str | Path], pictures: Sequence[str], collection: str | Path
) -> list[Learnt]:
    """Which of these bundles have learnt of the pictures (ids); a folder stands for all in it.

    Raises ModelError for a path that holds no bundle.
    """
    found = []
    for path in (bundle for model in models for bundle in _bundles(Path(model))):
        bundle = Bundle.load(path)
        if seen := bundle.has_seen(pictures):
            training = bundle.card.training
            found.append(
                Learnt(
                    path=str(path),
                    name=bundle.card.name,
                    digest=bundle.card.digest,
                    recipe=training.recipe if training else None,
                    pictures=len(seen),
                    again=_again(bundle.card, path, Path(collection)),
                )
            )
    return found


def _bundles(path: Path) -> Iterator[Path]:
    if path.is_file() or (path / "card.json").is_file():
        yield path
        return
    inside = sorted(path.glob("*")) if path.is_dir() else []
    bundles = [p for p in inside if (p / "card.json").is_file() or p.suffix == ".zip"]
    if not bundles:
        raise ModelError(f"There is no model bundle at {path}.")
    yield from bundles


def _again(card: Card, path: Path, collection: Path) -> str | None:
    """What a card knows of how it was trained: not `--where`, `--balanced` and the fold."""
    training, said = card.training, card.thresholds
    if training is None or training.start is not None:
        return None
    words = ["pixelmine", "train", str(collection), "--recipe", training.recipe]
    words += ["--split", training.split_id] if training.split_id else []
    words += ["--seed", str(training.seed)]
    words += ["--multi-label"] if card.task == "multi" else []
    words += ["--coverage", f"{card.conformal.coverage:g}"] if card.conformal else []
    words += ["--error", f"{said.error:g}"] if said.error is not None else []
    words += ["--ood", f"{said.ood:g}"] if said.ood is not None else []
    return shlex.join([*words, "--out", str(path), "--overwrite"])
