"""`pixelmine protect`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .options import AllowPrivate, Engine, Frames, Json, Overwrite, PictureColumn, Query, Strict
from .terminal import finish, many, run, short

__all__ = ["protect"]


def protect(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE|COLLECTION", help="As `predict` takes it.")
    ],
    destination: Annotated[Path, typer.Option("--out", help="A new folder.")],
    faces: Annotated[bool, typer.Option("--faces", help="Mask faces.")] = False,
    plates: Annotated[bool, typer.Option("--plates", help="Mask number plates.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Mask all text.")] = False,
    metadata: Annotated[
        bool, typer.Option("--metadata/--keep-metadata", help="Take out all but what is needed.")
    ] = True,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X0,Y0,X1,Y1", help="Fill this in each, in fractions; may be given again."
        ),
    ] = None,
    style: Annotated[
        Literal["fill", "mosaic", "blur"],
        typer.Option(help="fill, or the weaker mosaic and blur, which can be undone in part."),
    ] = "fill",
    grow: Annotated[float, typer.Option(min=1, max=3, help="Of boxes, about their middle.")] = 1.3,
    unsure: Annotated[
        Literal["review", "mask", "withhold"],
        typer.Option(help="Pictures with something unsure: list them, mask it, or keep them back."),
    ] = "review",
    orientation: Annotated[
        Literal["keep", "apply"],
        typer.Option(help="keep: a JPEG's pixels stay as they are; apply: turn them."),
    ] = "keep",
    policy: Annotated[
        Path | None, typer.Option(help="privacy.toml: its [pictures] in place of these options.")
    ] = None,
    frames: Frames = "auto",
    picture_column: PictureColumn = None,
    query: Query = None,
    allow_private: AllowPrivate = False,
    engine: Engine = "auto",
    overwrite: Overwrite = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Write copies without what shows who somebody is: faces, plates, text, metadata.

    Without --faces, --plates or --text only metadata is taken out, and a JPEG's pixels stay as they
    are. With them, what lies outside of the masks does. Weights of the detectors come with
    `pixelmine models get`.

        pixelmine protect photos/ --out public/ --faces --plates

        pixelmine protect photos.pixels --out public/ --policy privacy.toml
    """
    with run(as_json) as progress:
        from pixelmine.api.protect import protect as protect_pictures
        from pixelmine.core.errors import UsageError
        from pixelmine.engine import EngineOptions
        from pixelmine.input import SourceOptions
        from pixelmine.privacy.picture_rules import PictureRules
        from pixelmine.privacy.policy import PrivacyPolicy

        if policy is not None:
            if faces or plates or text or region:
                raise UsageError("--policy stands for --faces, --plates, --text and --region.")
            rules = PrivacyPolicy.load(policy).pictures
        else:
            asked = {"faces": faces, "plates": plates, "text": text}
            rules = PictureRules.read(
                {
                    "metadata": "remove" if metadata else "keep",
                    **{kind: style if wanted else "off" for kind, wanted in asked.items()},
                    "grow": grow,
                    "unsure": unsure,
                    "orientation": orientation,
                    "regions": [_region(text) for text in region or ()],
                }
            )
        found = protect_pictures(
            source,
            out=destination,
            rules=rules,
            options=SourceOptions(
                picture_column=picture_column, query=query, allow_private=allow_private
            ),
            frames=frames,
            engine=EngineOptions(name=engine),
            overwrite=overwrite,
            progress=progress,
        )
        for note in found.notes():
            progress.note(note)
        if not as_json:
            progress.note(_said(found))
    finish(found.to_dict(), as_json, strict, sum(found.reasons.values()))


def _said(found: Any) -> str:
    masked = ", ".join(f"{count:,} {kind}" for kind, count in found.found.items())
    failed = ", ".join(f"{count:,} {name}" for name, count in found.reasons.items())
    return (
        f"{many(found.written, 'picture')} of {found.rows:,} written"
        f"{f' ({masked})' if masked else ''}{f'; failed: {failed}' if failed else ''}: "
        f"{short(found.out)}"
    )


def _region(text: str) -> dict[str, float]:
    from pixelmine.core.errors import UsageError

    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"--region takes X0,Y0,X1,Y1 in fractions of the picture, as in 0,0.9,1,1. "
            f"Got {text[:60]!r}."
        ) from error
    return {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
