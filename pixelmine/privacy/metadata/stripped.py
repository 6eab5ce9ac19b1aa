"""What may stay in a picture's file, and what came of taking the rest out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pixelmine.core import Limits, Reason
from pixelmine.core.checks import check_one_of

__all__ = ["Allowed", "MustEncode", "Rewritten", "Stripped", "TooMany", "check_pixels"]


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What may stay besides what shows the pixels.

    `orientation`: `keep` it as the one value that stays, in the smallest block that the format has;
    with `apply` it is dropped, and who asked turns the pixels by `Stripped.orientation`. `uid`:
    maps a DICOM UID to another one by a key, so that a study stays together and nobody without the
    key can tell which it was; None draws a key that lives as long as the process. `limits`: bytes,
    pixels and frames of one file.
    """

    orientation: Literal["keep", "apply"] = "keep"
    uid: Callable[[str], str] | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        check_one_of("orientation", self.orientation, ("keep", "apply"))


@dataclass(frozen=True, kw_only=True)
class Stripped:
    """`data`: the picture with nothing but what is allowed, its decoded pixels the same.

    None where that takes decoding and encoding it again; `why` says so in a sentence. `format`: as
    its content says, `unknown` for what is not known here. `removed`: names of what was taken out,
    sorted, never what it said. `orientation`: 1 to 8 as the file has it, None where it says
    nothing; it still stands in `data` where `Allowed.orientation` is `keep`. `burned_in`: whether a
    DICOM file says that there is text about the patient in its pixels (None: it does not say).
    """

    data: bytes | None
    format: str
    removed: tuple[str, ...] = ()
    orientation: int | None = None
    why: str = ""
    burned_in: bool | None = None


@dataclass(kw_only=True)
class Rewritten:
    """What a format's own `rewrite` gives."""

    data: bytes
    removed: set[str]
    orientation: int | None = None
    burned_in: bool | None = None


class MustEncode(Exception):  # noqa: N818  # an answer on the way to Stripped, not an error
    """The file cannot be rewritten: its pixels have to be decoded and encoded again."""


class TooMany(Exception):  # noqa: N818  # an answer on the way to a Reason, not an error
    """Past a limit."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Raise MustEncode without any, TooMany above the limit."""
    if width <= 0 or height <= 0:
        raise MustEncode("The file says that it has no pixels.")
    if width * height > limits.max_pixels:
        raise TooMany(Reason.TOO_MANY_PIXELS)
