"""What is trained on what, settled and checked before a training framework is loaded."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pixelmine.core.ids import digest, digest_json

from .checkpoint import Checkpoint, load
from .data import Examples, load_examples
from .events import Events
from .held_back import hold_back
from .jobs import TrainJob
from .recipe import Recipe, load_recipe

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything but the loop itself.

    `examples`: all pictures, of which `kept` are trained on and `held_back` choose the epoch.
    `digest`: of everything that the weights depend on. `checkpoint`: of this very training, where
    it was stopped before.
    """

    job: TrainJob
    recipe: Recipe
    examples: Examples
    kept: Examples
    held_back: Examples
    digest: str
    checkpoint: Checkpoint | None

    @property
    def source_name(self) -> str:
        """The last part of the source's path: what a card may say of where pictures lie."""
        return Path(self.job.source).absolute().name


def make_plan(job: TrainJob, events: Events) -> Plan:
    """Read the recipe, the pictures and the checkpoint. Raises UsageError, TrainError, RunError."""
    recipe = load_recipe(job.recipe)
    recipe = replace(
        recipe, epochs=job.epochs or recipe.epochs, patience=job.patience or recipe.patience
    )
    examples = load_examples(job, recipe, events)
    kept, held_back = hold_back(examples, recipe.held_back, job.seed)
    name = _name(recipe, job.seed, kept, held_back)
    return Plan(
        job=job,
        recipe=recipe,
        examples=examples,
        kept=kept,
        held_back=held_back,
        digest=name,
        checkpoint=load(job.state_folder, name, job.overwrite),
    )


def _name(recipe: Recipe, seed: int, kept: Examples, held_back: Examples) -> str:
    how = {"recipe": asdict(recipe), "seed": seed, "labels": kept.labels}
    pictures = [
        value
        for part in (kept, held_back)
        for value in (str(part.x.shape), "\n".join(part.picture_ids), part.y.tobytes())
    ]
    return digest(digest_json(how), *pictures)
