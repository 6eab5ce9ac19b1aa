"""How much one picture may cost."""

from dataclasses import dataclass, fields

from .checks import check_positive

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Past a limit a picture is a row with its reason, never a crash.

    `max_bytes`: of a file; 256 MiB holds any camera's picture and bounds the memory of a reader.
    `max_pixels`: width times height; 128 megapixels holds a medium-format photograph (RGB: 384 MB)
    and stays below the 179 megapixels at which Pillow itself refuses. `max_frames`: of one file; an
    hour of video at one frame a second is 3,600. `decode_cpu_s`, `decode_cpu_s_per_megapixel`:
    processor time for one picture, in seconds; a decoder takes about 0.01 s a megapixel.
    """

    max_bytes: int = 256 * 2**20
    max_pixels: int = 128 * 10**6
    max_frames: int = 4000
    decode_cpu_s: float = 2.0
    decode_cpu_s_per_megapixel: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            check_positive(field.name, getattr(self, field.name))

    def cpu_s(self, pixels: int) -> float:
        """Processor time allowed for a picture of so many pixels, in seconds."""
        return self.decode_cpu_s + self.decode_cpu_s_per_megapixel * pixels / 1e6
