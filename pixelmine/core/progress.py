"""How a long job tells what it is doing, without knowing who looks."""

from typing import Protocol

__all__ = ["Progress", "SilentProgress"]


class Progress(Protocol):
    """A job calls `start` for each of its phases, `advance` as work is committed, then `finish`."""

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase of `total` pictures (None: not known)."""
        ...

    def advance(self, done: int, bad: int = 0) -> None:
        """Report `done` more pictures, `bad` of them failed."""
        ...

    def behind(self, waiting: int) -> None:
        """Report how many pictures of a source that never ends are still to come."""
        ...

    def note(self, text: str) -> None:
        """Say one line that stays."""
        ...

    def finish(self) -> None:
        """End the phase."""
        ...


class SilentProgress:
    """Tells nobody."""

    def start(self, phase: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, done: int, bad: int = 0) -> None:
        """Nothing."""

    def behind(self, waiting: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
