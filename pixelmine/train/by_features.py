"""Training by designed features: a head on what is computed of the pixels."""

from pixelmine.core.ids import digest_json
from pixelmine.core.processors import processors
from pixelmine.features import describe, describe_many, to_card, vector_features_from_card
from pixelmine.models.card import Described, Input

from .events import Events
from .golden import golden_answers, golden_pixels
from .judging import fit_head_and_judge
from .plan import Plan
from .recipe_heads import FeaturesRecipe
from .trained import Trained
from .warm import head_weights

__all__ = ["train_features"]


def train_features(plan: Plan, events: Events) -> Trained:
    """Describe every picture once, then fit the recipe's head."""
    recipe: FeaturesRecipe = plan.recipe
    examples, features = plan.examples, vector_features_from_card(recipe.features)
    events.start("describe", len(examples))
    x = describe_many(examples.x, features, processors())
    events.advance(len(examples))
    events.finish()

    describes = digest_json(to_card(features))
    found = fit_head_and_judge(plan, x, describes, events)
    events.start("export")
    head = found.model
    onnx = head.to_onnx()
    pictures = golden_pixels(examples.preprocessing)
    vectors = {name: describe(pixels, features)[None] for name, pixels in pictures.items()}
    golden, embedding = golden_answers(onnx, head.logits, vectors, x[found.rows])
    height, width, channels = examples.x.shape[1:]
    return Trained(
        onnx=onnx,
        golden=golden,
        input=Input(dtype="uint8", height=height, width=width, channels=channels),
        features=Described(steps=to_card(features), dimensions=x.shape[1]),
        judged=found.judged(examples, embedding),
        learnt=found.learnt,
        files=head_weights(head, examples, describes, plan.earlier),
        says=f", by {recipe.kind} on {', '.join(feature.name for feature in features)}",
    )
