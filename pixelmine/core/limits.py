"""How much one picture may cost."""

from dataclasses import dataclass

from .checks import check_positive

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Past a limit a picture is a row with its reason, never a crash.

    `max_bytes`: of a file; 256 MiB holds any camera's picture and bounds the memory of a reader.
    `max_pixels`: width times height; 128 megapixels holds a medium-format photograph (RGB: 384 MB)
    and stays below the 179 megapixels at which Pillow itself refuses.
    """

    max_bytes: int = 256 * 2**20
    max_pixels: int = 128 * 10**6

    def __post_init__(self) -> None:
        check_positive("max_bytes", self.max_bytes)
        check_positive("max_pixels", self.max_pixels)
