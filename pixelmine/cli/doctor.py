"""`pixelmine doctor`."""

import typer
from rich.text import Text

from .options import Json
from .terminal import finish, out, run

__all__ = ["doctor"]


def doctor(as_json: Json = False) -> None:
    """Check the installation: versions, processors, cache, the bundled model."""
    with run(as_json):
        from pixelmine.api.doctor import doctor as call

        checks = call()
    if not as_json:
        for check in checks:
            mark = Text("ok    ", "green") if check.ok else Text("BAD   ", "red")
            out().print(mark + Text(f"{check.name}  ", "bold") + Text(check.text))
    finish({"checks": [check.to_dict() for check in checks]}, as_json)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
