"""Training by template: what each class looks like, to correlate with."""

import numpy as np

from pixelmine.classify.template import FittedTemplates, TemplateOptions, fit_templates
from pixelmine.models.card import Input

from .events import Events
from .golden import golden_answers, golden_pixels
from .judging import fit_and_judge
from .plan import Plan
from .recipe_heads import TemplateRecipe
from .trained import Trained

__all__ = ["train_template"]


def train_template(plan: Plan, events: Events) -> Trained:
    """Learn templates of each class."""
    recipe: TemplateRecipe = plan.recipe
    examples = plan.examples
    options = TemplateOptions(**{"seed": plan.job.seed, **recipe.options})

    def fit(rows: np.ndarray) -> FittedTemplates:
        x, y = examples.x[rows], examples.y[rows]
        return fit_templates(x, y, classes=len(examples.labels), options=options)

    found = fit_and_judge(plan, fit, lambda model, rows: model.logits(examples.x[rows]), events)
    events.start("export")
    templates, onnx = found.model, found.model.to_onnx()
    pictures = {
        name: pixels[None] for name, pixels in golden_pixels(examples.preprocessing).items()
    }
    golden, embedding = golden_answers(onnx, templates.logits, pictures, examples.x[found.rows])
    height, width, channels = examples.x.shape[1:]
    return Trained(
        onnx=onnx,
        golden=golden,
        input=Input(dtype="uint8", height=height, width=width, channels=channels),
        judged=found.judged(examples, embedding),
        learnt=found.learnt,
        says=", by correlation with templates",
    )
