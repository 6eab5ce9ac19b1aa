"""Training a network that has learnt something else before."""

from .backend import check_backend
from .by_network import exported, loop_options
from .events import Events
from .finetune import Phase, Tuning, finetune
from .plan import Plan
from .recipe_finetune import FinetuneRecipe
from .trained import Trained

__all__ = ["train_finetune"]


def train_finetune(plan: Plan, events: Events) -> Trained:
    """Run the phases; the network of the last one's best epoch."""
    check_backend()
    recipe: FinetuneRecipe = plan.recipe
    tuning = Tuning(
        variant=recipe.builder,
        phases=[Phase(epochs=recipe.epochs, **phase) for phase in recipe.phases],
        frozen=recipe.frozen,
        views=recipe.views,
        decay=recipe.decay,
        tune_norms=recipe.tune_norms,
        dropout=recipe.dropout,
        drop_connect=recipe.drop_connect,
    )
    options = loop_options(plan)
    network, history = finetune(plan.kept, plan.held_back, tuning, options, events)
    return exported(plan, network, history, options, events)
