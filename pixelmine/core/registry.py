"""A registry of strings: a name, and where the code lies that is imported when it is asked for."""

from importlib import import_module
from typing import Generic, TypeVar, cast

from .errors import UsageError

__all__ = ["Registry"]

Thing = TypeVar("Thing")


class Registry(Generic[Thing]):
    """Names of one kind of thing, each with `module:attribute`. Two of one name is an error."""

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self.kind = kind
        self._entries: dict[str, str] = {}
        for name, target in entries.items():
            self.add(name, target)

    def add(self, name: str, target: str) -> None:
        """Register `module:attribute` under a name that is still free."""
        if name in self._entries:
            raise UsageError(f"There already is a {self.kind} named {name!r}.")
        self._entries[name] = target

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._entries)

    def get(self, name: str) -> Thing:
        """Import and return what a name stands for. Raises UsageError for an unknown name."""
        if name not in self._entries:
            known = ", ".join(self.names())
            raise UsageError(f"There is no {self.kind} named {name!r}. Known: {known}.")
        module, _, attribute = self._entries[name].partition(":")
        return cast(Thing, getattr(import_module(module), attribute))
