"""Training on a backbone: a head on the embedding of a network that stays as it is."""

import numpy as np

from pixelmine.classify.compose import join
from pixelmine.core.processors import processors
from pixelmine.models import load_bundle
from pixelmine.models.card import Input
from pixelmine.runtime import open_network

from .events import Events
from .golden import golden_answers, golden_pixels
from .judging import fit_head_and_judge
from .plan import Plan
from .recipe_heads import TransferRecipe
from .trained import Trained
from .warm import head_weights

__all__ = ["train_transfer"]

_BATCH = 16


def train_transfer(plan: Plan, events: Events) -> Trained:
    """Embed every picture once, then fit the recipe's head."""
    recipe: TransferRecipe = plan.recipe
    examples = plan.examples
    backbone = load_bundle(recipe.backbone)
    network = open_network(backbone.files["model.onnx"], "onnxruntime", "f32", processors())

    def embed(pixels: np.ndarray) -> np.ndarray:
        return network.run(examples.preprocessing.normalise(pixels)).embedding

    events.start("embed", len(examples))
    x = np.empty((len(examples), backbone.card.embedding_dimensions), np.float32)
    for at in range(0, len(examples), _BATCH):
        x[at : at + _BATCH] = embed(examples.x[at : at + _BATCH])
        events.advance(len(x[at : at + _BATCH]))
    events.finish()

    describes = backbone.card.embedding_digest
    found = fit_head_and_judge(plan, x, describes, events)
    events.start("export")
    head = found.model
    vectors = {
        name: embed(pixels[None]) for name, pixels in golden_pixels(examples.preprocessing).items()
    }
    golden, _ = golden_answers(head.to_onnx(), head.logits, vectors, x)
    golden = [picture.with_embedding(vectors[picture.name][0]) for picture in golden]
    takes = backbone.card.input
    return Trained(
        onnx=join(backbone.files["model.onnx"], head.to_onnx()),
        golden=golden,
        input=Input(
            dtype=takes.dtype, height=takes.height, width=takes.width, channels=takes.channels
        ),
        judged=found.judged(examples, x[found.rows]),
        learnt=found.learnt,
        files=head_weights(head, examples, describes, plan.earlier),
        says=f", by {recipe.kind} on the embedding of {backbone.card.name}",
    )
