"""Models that have learnt of pictures that are erased: named by their cards, and trained again."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pixelmine.core.errors import ModelError, TrainError
from pixelmine.core.progress import Progress
from pixelmine.models import Bundle, Card
from pixelmine.train.recipe import load_recipe, recipe_names

from .train import train_model

__all__ = ["Learnt", "learnt_of", "train_again"]

_BALANCED = "every class counting the same"
"""How a card's description says that it was trained with `--balanced`."""


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """A bundle whose `seen.bin` holds `pictures` of those that are erased, by 8 bytes of each id.

    `again`: the command that trains it without them, as far as its card knows; None where the card
    does not say how it was made. `quick`: it has no network of its own, so that `train_again` is a
    matter of seconds or minutes.
    """

    path: str
    name: str
    digest: str
    recipe: str | None
    pictures: int
    again: str | None
    quick: bool

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
                    quick=_is_quick(bundle.card),
                )
            )
    return found


def train_again(learnt: Learnt, collection: str | Path, progress: Progress) -> str:
    """Train a `quick` model anew on what the collection holds now; gives the new digest.

    By the recipe, split, seed and what else its card holds: it is what training from scratch
    gives. The old bundle is replaced at the end. Raises TrainError where the pictures are not those
    of then without the erased ones, as after `--where`, or with new pictures: the old one stays.
    """
    path = Path(learnt.path)
    before = Bundle.load(path).card
    training, said = before.training, before.thresholds
    if training is None or not learnt.quick:
        raise TrainError(f"{path} is not trained again: {learnt.again or 'its card says not how'}.")
    with TemporaryDirectory(dir=path.parent, prefix=".again-") as folder:
        made = Path(folder) / path.name
        train_model(
            collection,
            made,
            recipe=training.recipe,
            split=training.split_id,
            seed=training.seed,
            coverage=before.conformal.coverage if before.conformal else None,
            error=said.error if said.error is not None else 0.05,
            ood=said.ood,
            multi_label=before.task == "multi",
            balanced=_BALANCED in before.description,
            progress=progress,
        )
        after = Bundle.load(made)
        wanted = training.pictures + training.held_back - learnt.pictures
        found = after.card.training
        if found is None or found.pictures + found.held_back != wanted:
            has = found.pictures + found.held_back if found else 0
            raise TrainError(
                f"{path} was not replaced: it had learnt of {wanted} other pictures, and there are "
                f"{has} now. Train it again with the conditions that it was trained with."
            )
        after.save(path)
    return after.card.digest


def _is_quick(card: Card) -> bool:
    training = card.training
    if training is None or training.start is not None or training.recipe not in recipe_names():
        return False
    return not load_recipe(training.recipe).keras


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
    """What a card knows of how it was trained: all but `--where` and `--minutes`."""
    training, said = card.training, card.thresholds
    if training is None or training.start is not None:
        return None
    words = ["pixelmine", "train", str(collection), "--recipe", training.recipe]
    words += ["--split", training.split_id] if training.split_id else []
    words += ["--seed", str(training.seed)]
    words += ["--balanced"] if _BALANCED in card.description else []
    words += ["--multi-label"] if card.task == "multi" else []
    words += ["--coverage", f"{card.conformal.coverage:g}"] if card.conformal else []
    words += ["--error", f"{said.error:g}"] if said.error is not None else []
    words += ["--ood", f"{said.ood:g}"] if said.ood is not None else []
    return shlex.join([*words, "--out", str(path), "--overwrite"])
