"""One picture protected, in a process of its own: what is found is masked, metadata is taken out.

`protector` is a target of `engine.Isolated`: bytes that a stranger made are taken apart there, and
whatever they do to a decoder, they do it to that process.

    rules.masks   decode -> detect -> mask -> metadata     a file of several frames leaves as frames
    else          metadata                                 losslessly, where the format can be
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pixelmine import preprocess
from pixelmine.core import FAILED, OK, Limits, Reason
from pixelmine.detect import Box, Found
from pixelmine.preprocess import Picture
from pixelmine.preprocess.decode import File, open_file
from pixelmine.preprocess.sniff import sniff
from pixelmine.privacy.mask import MaskOptions, mask_jpeg, mask_pixels, to_stored, warm_up
from pixelmine.privacy.metadata import Allowed, keyed_uids, strip
from pixelmine.privacy.orientation import with_orientation
from pixelmine.privacy.picture_rules import PictureRules

__all__ = ["Protection", "check_detectors", "protector"]

Values = dict[str, Any]
Detect = Callable[[np.ndarray], Found]

_FULL = preprocess.DecodeOptions(rule="full")
_AGAIN = 3
"""Times that a masked picture is looked at again: a face behind a face, or a mask that is taken for
one where hair frames it (2 in 300 photographs, 2026-11), is masked too."""
_QUALITY = 95
"""Of a JPEG that has to be encoded again: at it a photograph differs by less than it shows."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One box, upright, and how it is masked. `sure`: whether the detector was."""

    box: Box
    style: str
    sure: bool = True

    def said(self) -> Values:
        """As JSON, without what was read in it."""
        edges = [round(edge, 1) for edge in self.box.edges]
        kind, score = self.box.kind, round(self.box.score, 3)
        return {"kind": kind, "box": edges, "score": score, "sure": self.sure}


@dataclass(frozen=True, kw_only=True)
class Protection:
    """What the rules make of a file. Weights are loaded with the first picture.

    `uid_key`: 32 bytes, by which DICOM's UIDs are mapped; None draws one for this process.
    """

    rules: PictureRules
    limits: Limits = field(default_factory=Limits)
    uid_key: bytes | None = field(default=None, repr=False)

    def __call__(self, data: bytes) -> Iterator[tuple[Values, bytes | None]]:
        """Yield what leaves of a file: all of it as one, or frame by frame, as PNG.

        With each: `frame`, `status`, `reason`, `format`, `found`, `verdict` (`found`, `none`,
        `unsure`, or null where nothing was looked for), `removed` (names of metadata), `how`
        (`lossless`: the pixels outside of masks are the same; `encoded`: made anew).
        """
        if not self.rules.masks:
            yield from self._without_metadata(data)
            return
        file = open_file(data, _FULL, self.limits)
        if isinstance(file, Reason):
            yield _failed(0, file)
            return
        with closing(file):
            several = file.count() != 1
            for frame in range(self.limits.max_frames):
                picture = file.frame(frame)
                if picture is None:
                    break
                if isinstance(picture, Reason):
                    yield _failed(frame, picture)
                    if not file.opened.independent:
                        break
                    continue
                yield self._masked(data, frame, picture, several)
                if not several:
                    break

    def of_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """A small picture, uint8 (H, W, 3), masked; black where the rules keep it back."""
        seen = self._look(pixels)
        if self.rules.unsure == "withhold" and _verdict(seen) == "unsure":
            return np.zeros_like(pixels)
        return self._painted(pixels, self._to_mask(seen))

    def _to_mask(self, seen: Sequence[Seen]) -> list[Seen]:
        return [one for one in seen if one.sure or self.rules.unsure == "mask"]

    def _painted(self, pixels: np.ndarray, masked: Sequence[Seen]) -> np.ndarray:
        for style in sorted({one.style for one in masked}):
            options = MaskOptions(style=style, grow=self.rules.grow)
            boxes = [one.box for one in masked if one.style == style]
            pixels = mask_pixels(pixels, boxes, options)
        return pixels

    def _masked(
        self, data: bytes, frame: int, picture: Picture, several: bool
    ) -> tuple[Values, bytes | None]:
        seen = self._look(picture.pixels)
        told: Values = {
            "found": [one.said() for one in seen if one.box.kind != "region"],
            "verdict": _verdict(seen) if self.rules.looks_for else None,
        }
        if self.rules.unsure == "withhold" and told["verdict"] == "unsure":
            values, _ = _failed(frame, Reason.WITHHELD)
            return {**values, **told}, None
        masked = self._to_mask(seen)
        if not masked and not several:
            values, out = next(self._without_metadata(data))
            return {**values, **told}, out
        values, out = self._with_masks(data, picture, masked, several)
        return {**values, **told, "frame": frame}, out

    def _with_masks(
        self, data: bytes, picture: Picture, masked: Sequence[Seen], several: bool
    ) -> tuple[Values, bytes]:
        plain = all(one.style == "fill" for one in masked)
        if picture.format == "jpeg" and not several and plain:
            made = self._in_coefficients(data, picture, masked)
            if made is not None:
                return made
        pixels = self._painted(picture.pixels, masked)
        name = "jpeg" if picture.format == "jpeg" and not several else "png"
        how = "encoded" if picture.format in _LOSSY else "lossless"
        return _done(name, how, ("all metadata",)), _encoded(pixels, name)

    def _in_coefficients(
        self, data: bytes, picture: Picture, masked: Sequence[Seen]
    ) -> tuple[Values, bytes] | None:
        """A JPEG whose other blocks stay as they are; None where its pixels must be encoded."""
        plain = strip(data, Allowed(orientation="apply", limits=self.limits))
        if isinstance(plain, Reason) or plain.data is None:  # as a profile of other colours wants
            return None
        size = picture.width, picture.height
        boxes = [to_stored(one.box, picture.orientation, *size) for one in masked]
        options = MaskOptions(grow=self.rules.grow)
        made = mask_jpeg(plain.data, boxes, options, limits=self.limits)
        if made.data is None:
            return None
        kept = self._upright(made.data, picture.orientation)
        removed = sorted({*plain.removed, *made.removed})
        return None if kept is None else (_done("jpeg", "lossless", removed), kept)

    def _without_metadata(self, data: bytes) -> Iterator[tuple[Values, bytes | None]]:
        if self.rules.metadata == "keep":
            name = sniff(data)
            if name is None:
                yield _failed(0, Reason.NOT_AN_IMAGE if data else Reason.EMPTY)
            else:
                yield _done(name, "lossless", ()), data
            return
        uid = None if self.uid_key is None else keyed_uids(self.uid_key)
        allow = Allowed(orientation=self.rules.orientation, uid=uid, limits=self.limits)
        made = strip(data, allow)
        if isinstance(made, Reason):
            yield _failed(0, made)
        elif made.data is not None and not self._must_turn(made.orientation):
            yield _done(made.format, "lossless", made.removed), made.data
        else:
            yield from self._encoded_anew(data)

    def _must_turn(self, orientation: int | None) -> bool:
        return self.rules.orientation == "apply" and orientation not in (None, 1)

    def _encoded_anew(self, data: bytes) -> Iterator[tuple[Values, bytes | None]]:
        """Frames as PNG; a JPEG as one JPEG."""
        file = open_file(data, _FULL, self.limits)
        if isinstance(file, Reason):
            yield _failed(0, file)
            return
        with closing(file):
            yield from self._frames(file)

    def _frames(self, file: File) -> Iterator[tuple[Values, bytes | None]]:
        for frame in range(self.limits.max_frames):
            picture = file.frame(frame)
            if picture is None:
                return
            if isinstance(picture, Reason):
                yield _failed(frame, picture)
                if not file.opened.independent:
                    return
                continue
            name = "jpeg" if picture.format == "jpeg" else "png"
            how = "encoded" if picture.format in _LOSSY else "lossless"
            values = _done(name, how, ("all metadata",))
            yield {**values, "frame": frame}, _encoded(picture.pixels, name)

    def _upright(self, data: bytes, orientation: int) -> bytes | None:
        """The masked JPEG as it may leave; None where it has to be turned."""
        if orientation == 1:
            return data
        if self.rules.orientation == "apply":
            return None
        return with_orientation(data, orientation)

    def _look(self, pixels: np.ndarray) -> list[Seen]:
        height, width = pixels.shape[:2]
        seen = []
        for region in self.rules.regions:
            edges = region.x0 * width, region.y0 * height, region.x1 * width, region.y1 * height
            box = dict(zip(("x0", "y0", "x1", "y1"), edges, strict=True))
            seen.append(Seen(box=Box(kind="region", score=1.0, **box), style="fill"))
        seen += self._found(pixels)
        for _ in range(_AGAIN):
            masked = self._to_mask(seen)
            if all(one.box.kind == "region" for one in masked):
                break
            more = [one for one in self._found(self._painted(pixels, masked)) if one.sure]
            if not more:
                break
            seen += more
        return seen

    def _found(self, pixels: np.ndarray) -> list[Seen]:
        seen = []
        for style, detect in self._detectors:
            found = detect(pixels)
            seen += [Seen(box=box, style=style) for box in found.boxes]
            seen += [Seen(box=box, style=style, sure=False) for box in found.unsure]
        return seen

    @cached_property
    def _detectors(self) -> list[tuple[str, Detect]]:
        made: list[tuple[str, Detect]] = []
        for kind in self.rules.looks_for:
            made.append((getattr(self.rules, kind), _DETECTORS[kind]()))
        return made


def _faces() -> Detect:
    from pixelmine.detect.faces import FaceDetector

    return FaceDetector(threads=1).detect


def _plates() -> Detect:
    from pixelmine.detect.plates import PlateDetector

    return PlateDetector(threads=1).detect


def _text() -> Detect:
    from pixelmine.detect.text import TextDetector

    return TextDetector(threads=1).detect


_DETECTORS: dict[str, Callable[[], Detect]] = {"faces": _faces, "plates": _plates, "text": _text}
_LOSSY = ("jpeg", "webp", "avif", "heic", "jpeg2000")


def check_detectors(rules: PictureRules) -> None:
    """Raise ModelError, which says how to get it, where what the rules look with is not here."""
    if "faces" in rules.looks_for:
        from pixelmine.models.weights import load_weights

        load_weights("centerface")
    for kind in set(rules.looks_for) - {"faces"}:
        _DETECTORS[kind]()


def protector(options: Values) -> Callable[[Values, Any], Iterator[tuple[Values, Any]]]:
    """Target: what leaves of a picture, its bytes as uint8 (N,)."""
    protection = Protection(
        rules=PictureRules.read(options["rules"]),
        limits=Limits(**options["limits"]),
        uid_key=bytes.fromhex(options["uid_key"]),
    )

    if protection.rules.masks:
        warm_up()  # before processes are forked, and on nobody's clock

    def work(_: Values, data: Any) -> Iterator[tuple[Values, np.ndarray | None]]:
        for values, out in protection(bytes(data)):
            yield values, None if out is None else np.frombuffer(out, np.uint8)

    return work


def _done(name: str, how: str, removed: Sequence[str]) -> Values:
    said = {"format": name, "how": how, "removed": list(removed)}
    return {"frame": 0, "status": OK, "reason": None, "found": [], "verdict": None, **said}


def _failed(frame: int, reason: Reason) -> tuple[Values, None]:
    nothing: Values = {"format": None, "how": None, "removed": [], "found": [], "verdict": None}
    return {"frame": frame, "status": FAILED, "reason": reason, **nothing}, None


def _verdict(seen: Sequence[Seen]) -> str:
    if any(not one.sure for one in seen):
        return "unsure"
    return "found" if any(one.box.kind != "region" for one in seen) else "none"


def _encoded(pixels: np.ndarray, name: str) -> bytes:
    """A file of uint8 (H, W, C) with nothing in it but the pixels."""
    from PIL import Image

    out = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if name == "jpeg":
        image.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        image.save(out, "PNG", compress_level=3)
    return out.getvalue()
