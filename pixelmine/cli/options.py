"""Options that several commands share, said once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "CollectionPath",
    "Engine",
    "Json",
    "Language",
    "Model",
    "Overwrite",
    "Precision",
    "Runtime",
    "Strict",
    "Where",
]

Language = Annotated[Literal["en", "zh"], typer.Option("--language", help="Of the report.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if some pictures were bad.")]
Model = Annotated[str, typer.Option("--model", help="A model's name, or the path of a bundle.")]
Engine = Annotated[str, typer.Option(help="auto, local or native.")]
Runtime = Annotated[str, typer.Option(help="auto, onnxruntime or openvino.")]
Precision = Annotated[str, typer.Option(help="auto, f32 or bf16.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
Where = Annotated[
    str | None, typer.Option("--where", help='SQL over the images table, as in "width > 500".')
]
CollectionPath = Annotated[
    Path, typer.Argument(metavar="COLLECTION", help="The collection's folder.")
]
