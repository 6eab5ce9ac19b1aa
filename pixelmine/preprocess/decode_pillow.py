"""What Pillow decodes: still pictures, the pages of a TIFF, and pictures that move."""

import io
from collections.abc import Sequence
from contextlib import closing

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from pixelmine.core import Limits, Reason
from pixelmine.core.budget import expect

from .colour import to_grey, to_rgb
from .exif import read_exif
from .orient import orient
from .picture import DecodeOptions, Picture
from .tiff import Tiff

__all__ = ["PillowFile", "decode_still", "open_pillow"]

_PLUGINS = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
    "webp": "WEBP",
    "ico": "ICO",
    "ppm": "PPM",
    "jpeg2000": "JPEG2000",
    "avif": "AVIF",
}
_WITH_FRAMES = {"png", "gif", "tiff", "webp", "avif"}
_MADE_FROM_THOSE_BEFORE = {"png", "gif", "webp"}


def open_pillow(data: bytes, name: str, options: DecodeOptions, limits: Limits) -> "PillowFile":
    """Read the header. Of an ICO the largest picture is taken, of a HEIC the primary one."""
    return PillowFile(data, name, options, limits)


def decode_still(
    data: bytes, name: str, options: DecodeOptions, limits: Limits, scale: int = 1
) -> Picture | Reason:
    """The first frame; a JPEG at a half, a quarter or an eighth of its size (`scale` 2, 4, 8)."""
    file = PillowFile(data, name, options, limits)
    with closing(file):
        if scale > 1:
            file.shrink(scale)
        found = file.picture(0)
    return Reason.CORRUPT if found is None else found


class PillowFile:
    """A file that Pillow has opened. Frames of GIF, WebP and APNG are laid one on the other."""

    def __init__(self, data: bytes, name: str, options: DecodeOptions, limits: Limits) -> None:
        self.name, self.options, self.limits = name, options, limits
        self.image = _open(data, name)
        self.independent = name not in _MADE_FROM_THOSE_BEFORE
        self._pages = len(Tiff(data).pages) if name == "tiff" else None
        self._stored: tuple[int, int] | None = None
        self._done = -1

    def shrink(self, scale: int) -> None:
        """Have a JPEG decoded at 1/2, 1/4 or 1/8; the size as stored is remembered."""
        width, height = self._stored = self.image.size
        self.image.draft(None, (width // scale, height // scale))

    def picture(self, frame: int) -> Picture | Reason | None:
        """One frame, composited; those before it are decoded where it is made from them."""
        first = frame if self.independent else min(self._done + 1, frame)
        for number in range(first, frame + 1):
            if number and not self._seek(number):
                return None
            width, height = self._stored or self.image.size
            if width * height > self.limits.max_pixels:
                return Reason.TOO_MANY_PIXELS
            expect(width * height)
            turned = read_exif(self.image) if self.name == "tiff" else None
            self.image.load()  # which turns a TIFF upright, and forgets that it did
            self._done = number
        return self._finish((width, height), turned)

    def count(self) -> int:
        """What the header says, or what is found on a walk through the file."""
        if self._pages is not None:
            return max(self._pages, 1)
        return int(getattr(self.image, "n_frames", 1)) if self.name in _WITH_FRAMES else 1

    def moments(self) -> Sequence[int]:
        """The first frame."""
        return (0,)

    def close(self) -> None:
        """Close the image."""
        self.image.close()

    def _seek(self, frame: int) -> bool:
        if self.name != "gif":  # it would be walked through for its count
            if frame >= self.count():
                return False
            self.image.seek(frame)
            return True
        try:
            self.image.seek(frame)
        except EOFError:
            return False
        return True

    def _finish(
        self, size: tuple[int, int], turned: tuple[int, dict[str, str]] | None
    ) -> Picture | Reason:
        if isinstance(self.image, TiffImageFile):
            # Pillow leaves the profile of the page before; tag: ICC.1:2022, B.4
            self.image.info["icc_profile"] = self.image.tag_v2.get(34675)
        orientation, meta = turned or read_exif(self.image)
        pixels = to_rgb(self.image)
        if pixels is None:
            return Reason.UNSUPPORTED_FORMAT
        if self.options.colour == "grey":
            pixels = to_grey(pixels)
        width, height = size
        if turned is None:
            pixels = np.ascontiguousarray(orient(pixels, orientation))
        elif orientation >= 5:
            width, height = height, width
        return Picture(pixels, self.name, width, height, orientation, meta)


def _open(data: bytes, name: str) -> Image.Image:
    if name == "heic":
        return _open_heic(data)
    try:
        return Image.open(io.BytesIO(data), formats=[_PLUGINS[name]])
    except UnidentifiedImageError as error:
        # its message names an object in memory; what is wrong with the file it does not say
        raise SyntaxError("the header is broken") from error


def _open_heic(data: bytes) -> Image.Image:
    from pi_heif import HeifImageFile, options

    options.DECODE_THREADS = 1  # other pictures are decoded beside this one
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    image: Image.Image = HeifImageFile(io.BytesIO(data))
    return image
