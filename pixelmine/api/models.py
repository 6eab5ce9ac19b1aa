"""What models there are, and what their cards say."""

from pathlib import Path
from typing import Any

from pixelmine.models import bundle_path, load_bundle
from pixelmine.models.named import BUILDERS
from pixelmine.pipeline import load_model

__all__ = ["list_models", "show_model", "verify_model"]


def list_models() -> list[dict[str, Any]]:
    """The built-in models, and whether each is converted already."""
    return [
        {"name": name, "path": str(bundle_path(name)), "converted": bundle_path(name).exists()}
        for name in BUILDERS.names()
    ]


def show_model(name: str | Path) -> dict[str, Any]:
    """The card of a built-in model or of a bundle, with the digests it implies."""
    card = load_bundle(str(name)).card
    digests = {"digest": card.digest, "embedding_digest": card.embedding_digest}
    return {**card.model_dump(mode="json"), **digests}


def verify_model(
    name: str | Path, *, runtime: str = "auto", precision: str = "auto"
) -> dict[str, Any]:
    """Check digests, network and golden pictures; says which runtime was chosen.

    Raises ModelError with what is wrong.
    """
    bundle = load_bundle(str(name))
    network = load_model(bundle, runtime, precision).network
    return {
        "model": bundle.card.name,
        "digest": bundle.card.digest,
        "runtime": network.runtime,
        "precision": network.precision,
        "golden": len(bundle.golden),
    }
