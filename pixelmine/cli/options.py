"""Options that several commands share, said once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "AllowLeaks",
    "AllowPrivate",
    "CollectionPath",
    "Engine",
    "Frames",
    "Idle",
    "Json",
    "Language",
    "Model",
    "Overwrite",
    "PictureColumn",
    "Precision",
    "Query",
    "RayAddress",
    "Runtime",
    "Strict",
    "Watch",
    "Where",
]

Language = Annotated[Literal["en", "zh"], typer.Option("--language", help="Of the report.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if some pictures were bad.")]
Model = Annotated[str, typer.Option("--model", help="A model's name, or the path of a bundle.")]
Engine = Annotated[
    str, typer.Option(help="auto, local, native (Daft, this machine) or ray (Daft on a cluster).")
]
RayAddress = Annotated[
    str | None, typer.Option(help="Of a Ray cluster, as `ray start` prints it; with --engine ray.")
]
Frames = Annotated[
    str,
    typer.Option(
        help="Of files with several: auto (video: one a second), first, all, or how many."
    ),
]
PictureColumn = Annotated[
    str | None,
    typer.Option(
        help="Of a table or query: the column with bytes, paths or URLs; `a.b` if nested."
    ),
]
Query = Annotated[str | None, typer.Option(help="SQL, where SOURCE is a database.")]
AllowLeaks = Annotated[
    bool,
    typer.Option(
        "--allow-leaks", help="Take a split that has copies of test pictures in its training part."
    ),
]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Fetch from addresses of private networks too.")
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Go on with files that come into the folder, until stopped.")
]
Idle = Annotated[
    float | None,
    typer.Option("--idle", metavar="SECONDS", help="With --watch or a stream: stop when idle."),
]
Runtime = Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")]
Precision = Annotated[str, typer.Option(help="auto, f32 or bf16.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Where = Annotated[
    str | None, typer.Option("--where", help='SQL over the images table, as in "width > 500".')
]
CollectionPath = Annotated[
    Path, typer.Argument(metavar="COLLECTION", help="The collection's folder.")
]
