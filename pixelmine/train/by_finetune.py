"""Training a network that has learnt something else before."""

from .backend import check_backend
from .by_network import begin, exported, loop_options
from .events import Events
from .finetune import finetune
from .plan import Plan
from .recipe_finetune import FinetuneRecipe
from .trained import Trained

__all__ = ["train_finetune"]


def train_finetune(plan: Plan, events: Events) -> Trained:
    """Run the phases; the network of the last one's best epoch."""
    check_backend()
    recipe: FinetuneRecipe = plan.recipe
    options = loop_options(plan)
    network, history = finetune(
        plan.kept,
        plan.held_back,
        recipe.how,
        options,
        events,
        begin=begin(plan),
        overwrite=plan.job.overwrite,
    )
    return exported(plan, network, history, options, events)
