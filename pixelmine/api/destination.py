"""What OUT on the command line stands for, and where a run towards it keeps its state."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import user_state_path

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest
from pixelmine.output import Sink, canonical_out, open_sink

__all__ = ["Destination"]


@dataclass(frozen=True)
class Destination:
    """`out`: as given, perhaps with a password. `name`: canonical, without one.

    `path`: of a file or folder; None for all else. `state`: the run's folder. `endless`: whether
    the run never ends by itself, so that files are folders of numbered parts.
    """

    out: str
    name: str
    path: Path | None
    state: Path
    partition_by: str | None = None
    endless: bool = False

    @classmethod
    def of(
        cls,
        out: str | Path,
        state: str | Path | None,
        partition_by: str | None = None,
        endless: bool = False,
    ) -> Self:
        """Understand OUT. State lies beside a file, else in `state` or the user's state folder."""
        text = str(out)
        name = canonical_out(text)
        if "://" in text:
            folder = Path(state) if state else user_state_path("pixelmine") / digest(name)[:16]
            return cls(text, name, None, folder.absolute(), partition_by, endless)
        path = Path(os.path.abspath(text))
        beside = path.with_name(path.name + ".run")
        folder = Path(state).absolute() if state else beside
        slash = "/" if text.endswith("/") else ""
        return cls(f"{path}{slash}", name, path, folder, partition_by, endless)

    @property
    def shown(self) -> str:
        """The path, or the canonical URL."""
        return str(self.path) if self.path else self.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is written and does not belong to a source, should it lie in one."""
        return (self.state, *([self.path] if self.path else []))

    def check(self, overwrite: bool) -> None:
        """Raise UsageError where something is there that this run did not write."""
        known = self.state.exists() or overwrite or self.path is None
        if not known and self.path is not None and self.path.exists():
            raise UsageError(f"{self.path} is there already. Give --overwrite to replace it.")

    def sink(self) -> Sink:
        """Open it. Raises OutputError, UsageError."""
        return open_sink(self.out, self.state, self.endless, self.partition_by)
