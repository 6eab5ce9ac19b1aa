"""What is trained on what, settled and checked before a training framework is loaded."""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest, digest_json
from pixelmine.models import Bundle

from .checkpoint import Checkpoint, load
from .data import Examples, load_examples
from .events import Events
from .held_back import hold_back
from .jobs import TrainJob
from .recipe import Recipe, load_recipe
from .warm import earlier_bundle

__all__ = ["Plan", "make_plan"]

_UNEVEN = 10
"""Times as many pictures as another class has, which is worth a word."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything but the loop itself.

    `examples`: all N pictures. `held`: bool (N,), which of them are held back.
    `digest`: of everything that the weights depend on. `checkpoint`: of this very training, where
    it was stopped before. `earlier`: the bundle to go on from; its labels are among the examples'.
    """

    job: TrainJob
    recipe: Any
    examples: Examples
    held: np.ndarray
    digest: str
    checkpoint: Checkpoint | None
    earlier: Bundle | None = None

    @cached_property
    def kept(self) -> Examples:
        """What is learnt from."""
        return self.examples.take(np.flatnonzero(~self.held))

    @cached_property
    def held_back(self) -> Examples:
        """What chooses the epoch, and tells how sure the model may be."""
        return self.examples.take(np.flatnonzero(self.held))

    @cached_property
    def mirrors(self) -> bool:
        """Whether mirror images of the pictures are what they are."""
        from .mirror import keeps_labels  # loads scikit-learn

        return keeps_labels(self.kept, self.job.seed)

    def with_recipe(self, recipe: Any) -> Self:
        """The same pictures, divided as they are, by another recipe."""
        found = replace(self, recipe=recipe)
        known = {n: v for n, v in vars(self).items() if n in ("kept", "held_back", "mirrors")}
        vars(found).update(known)  # not computed, and not in memory, twice
        return found

    @property
    def source_name(self) -> str:
        """The last part of the source's path: what a card may say of where pictures lie."""
        return Path(self.job.source).absolute().name


def make_plan(job: TrainJob, events: Events) -> Plan:
    """Read the recipe, the pictures and the checkpoint. Raises UsageError, TrainError, RunError."""
    recipe = _as_asked(load_recipe(job.recipe), job)
    examples = load_examples(job, recipe, events)
    earlier = earlier_bundle(job.start, recipe, examples) if job.start else None
    if not job.balanced and not examples.multi:
        _note_uneven(examples, recipe, events)
    held = hold_back(examples, recipe.held_back, job.seed)
    if earlier:
        _note_seen(earlier, examples, events)
    name = _name(recipe, job.seed, examples, held, earlier)
    return Plan(
        job=job,
        recipe=recipe,
        examples=examples,
        held=held,
        digest=name,
        checkpoint=load(job.state_folder, name, job.overwrite),
        earlier=earlier,
    )


def _as_asked(recipe: Any, job: TrainJob) -> Any:
    asked = {"epochs": job.epochs, "patience": job.patience}
    changed = {name: value for name, value in asked.items() if value is not None}
    of_epochs = {**changed, **({"tensorboard": 1} if job.tensorboard else {})}
    if not recipe.keras and of_epochs:
        raise UsageError(
            f"{' and '.join(of_epochs)} go with a network; {recipe.name} has no epochs."
        )
    recipe = replace(recipe, **changed)
    recipe = recipe.with_even_classes() if job.balanced else recipe
    if job.multi_label:
        recipe.check_several_labels()
    return recipe


def _note_uneven(examples: Examples, recipe: Recipe, events: Events) -> None:
    """Say where some classes have far fewer pictures than others."""
    counts = examples.counts
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= _UNEVEN * counts[least]:
        events.note(
            f"The classes are uneven: {counts[most]:,} pictures of {examples.labels[most]}, "
            f"{counts[least]:,} of {examples.labels[least]}. A rare class is seldom answered."
            + (
                " With train --balanced all count the same, mostly at the cost of some accuracy."
                if recipe.can_balance
                else ""
            )
        )


def _note_seen(earlier: Bundle, examples: Examples, events: Events) -> None:
    """Say how many pictures are no test of what is gone on from."""
    if seen := len(earlier.has_seen(examples.picture_ids)):
        events.note(
            f"{earlier.card.name} has learnt from {seen} of these {len(examples)} pictures: what "
            "is measured on them is too good. A split with a part val, made before the first "
            "training, keeps them apart."
        )


def _name(
    recipe: Recipe, seed: int, examples: Examples, held: np.ndarray, earlier: Bundle | None
) -> str:
    how = {"recipe": asdict(recipe), "seed": seed, "labels": examples.labels}
    if earlier:
        how["start"] = earlier.card.digest
    pictures = (str(examples.x.shape), "\n".join(examples.picture_ids), examples.y.tobytes())
    return digest(digest_json(how), *pictures, held.tobytes())
