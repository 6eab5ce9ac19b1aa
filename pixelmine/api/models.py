"""What models there are, what their cards say, and how they leave."""

from pathlib import Path
from typing import Any, Literal

from pixelmine.core.checks import check_one_of
from pixelmine.core.errors import UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.models import Bundle, bundle_path, load_bundle
from pixelmine.models.card_markdown import card_markdown
from pixelmine.models.export import WRITERS
from pixelmine.models.named import BUILDERS
from pixelmine.pipeline import load_model

from .quantise import QuantiseOptions, quantise_bundle
from .train import export_keras

__all__ = ["Format", "export_model", "list_models", "show_card", "show_model", "verify_model"]

Format = Literal["bundle", "keras", "onnx", "openvino"]


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


def show_card(name: str | Path) -> str:
    """The card of a built-in model or of a bundle as one page of Markdown."""
    return card_markdown(load_bundle(str(name)))


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


def export_model(
    name: str | Path,
    out: str | Path,
    *,
    format: Format | None = None,  # noqa: A002  the word that users say
    precision: Literal["f32", "int8"] = "f32",
    pictures: str | Path | None = None,
    options: QuantiseOptions | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a model for other tools: a folder with its network and a README; or another bundle.

    `format`: `onnx` (the default) or `openvino`; `bundle`, which is the default with `int8`, gives
    a folder or a `.zip`; `keras` a file that ends in `.keras`, of a network that was trained here.
    With `int8` the network is quantised: `pictures`, a source like those that it will see, show the
    ranges of its values and whether it still gives the same answers. Returns what was written, and
    for `int8` how well it agrees. Raises UsageError, ModelError, OutputError.
    """
    out, progress = Path(out), progress or SilentProgress()
    check_one_of("precision", precision, ("f32", "int8"))
    kind = format or ("bundle" if precision == "int8" else "onnx")
    check_one_of("format", kind, ["bundle", "keras", *WRITERS])
    if (precision == "int8") != (pictures is not None):
        raise UsageError(
            "--precision int8 and --pictures go together: pictures like those that the model will "
            "see show the ranges of its values."
        )
    if kind == "keras":
        if precision != "f32":
            raise UsageError("A Keras file keeps its weights in float32: leave out --precision.")
        return export_keras(name, out, overwrite=overwrite, progress=progress)
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already. Give another --out, or --overwrite.")
    bundle, found = load_bundle(str(name)), {}
    if pictures is not None:
        made = quantise_bundle(bundle, pictures, options or QuantiseOptions(), progress)
        bundle, found = made.bundle, made.to_dict()
    WRITERS.get(kind, Bundle.save)(bundle, out)
    about = {"model": bundle.card.name, "digest": bundle.card.digest}
    return {**about, "out": str(out.absolute()), "format": kind, "precision": precision, **found}
