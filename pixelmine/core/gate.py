"""The release gate: nothing leaves Pixelmine but through `clear`.

Sinks, exports, reports and answers accept only `Cleared`, and only `clear` makes one, under a
policy that says what may leave. A new kind of item needs a new method of `Policy`, so that no
policy can overlook it.
"""

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from .reasons import Reason

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Cleared", "PassPolicy", "Policy", "Withheld", "clear"]

Item = TypeVar("Item")
_KEY = object()


@dataclass(frozen=True)
class Cleared(Generic[Item]):
    """What a policy let through. Made by `clear` alone."""

    item: Item
    key: InitVar[object] = None

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise TypeError("Cleared is made by core.clear(item, policy), never by hand.")


class Withheld(Exception):  # noqa: N818  an answer, not a mistake
    """Raised by a policy that lets one picture not leave; it becomes a row with the reason."""

    def __init__(self, reason: Reason = Reason.WITHHELD) -> None:
        super().__init__(reason)
        self.reason = reason


class Policy(Protocol):
    """What may leave: one method for each kind of item."""

    def rows(self, rows: "pa.RecordBatch") -> "pa.RecordBatch":
        """A batch of result or image rows."""
        ...

    def picture(self, data: bytes) -> bytes:
        """One picture's encoded bytes. Raises Withheld where it may not leave."""
        ...

    def thumbnail(self, pixels: "np.ndarray") -> "np.ndarray":
        """One small picture, uint8 (H, W, 3) RGB."""
        ...


class PassPolicy:
    """The default: what Pixelmine's own schemas hold may leave as it is."""

    def rows(self, rows: "pa.RecordBatch") -> "pa.RecordBatch":
        """Unchanged."""
        return rows

    def picture(self, data: bytes) -> bytes:
        """Unchanged."""
        return data

    def thumbnail(self, pixels: "np.ndarray") -> "np.ndarray":
        """Unchanged."""
        return pixels


def clear(item: Item, policy: Policy) -> Cleared[Item]:
    """Pass one item through the policy. Raises TypeError for a kind no policy has a method for."""
    return Cleared(cast(Item, _let_through(item, policy)), _KEY)


def _let_through(item: object, policy: Policy) -> object:
    import numpy as np  # here, so that naming a policy or an error loads nothing heavy
    import pyarrow as pa

    if isinstance(item, pa.RecordBatch):
        return policy.rows(item)
    if isinstance(item, bytes):
        return policy.picture(item)
    if isinstance(item, np.ndarray):
        return policy.thumbnail(item)
    raise TypeError(f"cannot clear a {type(item).__name__}: no policy has a method for it.")
