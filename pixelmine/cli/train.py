"""`pixelmine train`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import AllowLeaks, Json, Overwrite, Where
from .terminal import finish, run, short

__all__ = ["train"]


def train(
    source: Annotated[Path, typer.Argument(help="A collection, or a folder of idx files.")],
    bundle: Annotated[Path, typer.Option("--out", help="The bundle to write: a folder or .zip.")],
    recipe: Annotated[str, typer.Option(help="The training method.")] = "cnn-article",
    split: Annotated[str | None, typer.Option(help="ID or ID:FOLD of the collection.")] = None,
    where: Where = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and held-back part.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better one.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Start no epoch that ends later.")] = None,
    coverage: Annotated[
        float | None,
        typer.Option(help="The share of the prediction sets that hold the truth, such as .95."),
    ] = None,
    error: Annotated[
        float, typer.Option(help="At most this share of what is decided is wrong.")
    ] = 0.05,
    ood: Annotated[
        float | None,
        typer.Option(help="Decide nothing on pictures odder than this share, such as .99."),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(help="A bundle of the same recipe to go on from; new labels are added."),
    ] = None,
    multi_label: Annotated[
        bool, typer.Option(help="A picture may have several labels, each decided on its own.")
    ] = False,
    balanced: Annotated[
        bool, typer.Option(help="Every class counts the same, however few pictures it has.")
    ] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(help="A folder for the figures of each epoch.")
    ] = None,
    allow_leaks: AllowLeaks = False,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Train a model and write a bundle. Killed, the same command goes on from the last epoch.

    Part of the training pictures is held back to choose the epoch; the test part is never seen.

        pixelmine train mnist/ --out digits.bundle

        pixelmine train photos.pixels --split 3f9c21ab --out photos.bundle

        pixelmine train photos.pixels --recipe transfer --start-from photos.bundle --out more.bundle
    """
    with run(as_json) as progress:
        from pixelmine.api.train import train_model as call

        def epoch(found: dict[str, Any]) -> None:
            if not as_json:
                progress.note(
                    f"epoch {found['epoch']:>2}/{found['epochs']}  loss {found['loss']:.4f}  "
                    f"accuracy {found['accuracy']:.4f}  held back {found['held_back_accuracy']:.4f}"
                    f"  {found['images_per_s']:,.0f}/s"
                )

        found = call(
            source,
            bundle,
            recipe=recipe,
            split=split,
            where=where,
            seed=seed,
            epochs=epochs,
            patience=patience,
            minutes=minutes,
            overwrite=overwrite,
            allow_leaks=allow_leaks,
            coverage=coverage,
            error=error,
            ood=ood,
            tensorboard=tensorboard,
            start_from=start_from,
            multi_label=multi_label,
            balanced=balanced,
            progress=progress,
            on_epoch=epoch,
        )
        if not as_json:
            progress.note(f"Bundle: {short(found['bundle'])}")
    finish(found, as_json)
