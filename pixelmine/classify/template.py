"""Classification by template: a picture is of the class whose template it correlates with best.

The measure is the zero-mean normalised cross-correlation (Lewis, "Fast Normalized
Cross-Correlation", Vision Interface 1995; OpenCV's TM_CCOEFF_NORMED), from -1 to 1, which neither
brightness nor contrast changes. A template is slid over the picture in several sizes, and its best
place counts.

N pictures of (H, W, C), K classes, T templates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

from .template_learn import learn_templates, normalised, sample_rows
from .template_onnx import Window, build_onnx

__all__ = ["FittedTemplates", "TemplateOptions", "fit_templates"]

SMALLEST = 3
"""Pixels, of a template's side: of fewer a correlation says nothing."""

_MOST = 10_000
_VALUES = 2**23
"""Of the windows that are looked at together: 32 MiB."""


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """How templates are learned and searched for.

    `templates`: learned for each class, where it has as many pictures. `shift`: how far from the
    middle a template is searched for, in pixels each way; beyond the picture its edge goes on.
    `scales`: sizes in which it is searched for, in units of its own. `sample`: the most pictures
    learned from, evenly of all classes; more of them cost time and hardly move a mean. `seed`: of
    the sample and of k-means.

    Of 5,000 held-back training pictures of MNIST and of Fashion-MNIST (2026-11) 50 templates and a
    shift of 1 get .971 and .842 right, 100 of them .977 and .853; scales of .9, 1 and 1.1 with 50
    (and on MNIST a shift of 2) .973 and .838, for three times the work and more. So more templates
    are worth more than more places.
    """

    templates: int = 100
    shift: int = 1
    scales: tuple[float, ...] = (1.0,)
    sample: int = 60_000
    seed: int = 1

    def __post_init__(self) -> None:
        check_positive("templates", self.templates, at_most=1000)
        check_positive("sample", self.sample)
        if not 0 <= self.shift <= 64:
            raise UsageError(f"shift must be from 0 to 64 pixels. Got {self.shift} instead.")
        object.__setattr__(self, "scales", tuple(float(scale) for scale in self.scales))
        if not self.scales or not all(0.25 <= scale <= 4 for scale in self.scales):
            raise UsageError(f"scales must be from 0.25 to 4. Got {self.scales} instead.")


@dataclass(frozen=True, kw_only=True)
class FittedTemplates:
    """Templates in all their sizes, ready to classify pictures of `shape` (H, W, C).

    `owner`: int64 (T,), rising, the class of each template; every class has one at least.
    `sharpness`: what a correlation is multiplied by to be a logit.
    """

    shape: tuple[int, int, int]
    windows: tuple[Window, ...]
    owner: np.ndarray
    sharpness: float

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Take uint8 (N, H, W, C), give float32 (N, K): each class's best correlation, sharpened.

        Raises UsageError for pictures of another size.
        """
        return np.asarray(self.sharpness * self._by_class(self.correlations(x)), np.float32)

    def correlations(self, x: np.ndarray) -> np.ndarray:
        """Take uint8 (N, H, W, C), give float32 (N, T): each template's best correlation, -1 to 1.

        It is 0 for a picture of one colour. A place whose pixels vary by less than one level of 255
        (root mean square) counts as if they varied by one.
        """
        if x.ndim != 4 or x.shape[1:] != self.shape or x.dtype != np.uint8:
            raise UsageError(
                f"pictures must be uint8 (N, {', '.join(map(str, self.shape))}). "
                f"Got {x.dtype} {x.shape} instead."
            )
        found = np.full((len(x), len(self.owner)), -1, np.float32)
        for window in self.windows:
            each = window.places**2 * window.templates[0].size
            step = max(1, _VALUES // each)
            for at in range(0, len(x), step):
                part = found[at : at + step]
                np.maximum(part, _best(x[at : at + step], window), out=part)
        return found

    def to_onnx(self) -> bytes:
        """The same as a network of plain `ai.onnx` operators; equal templates give equal bytes.

        Input `pixels`, uint8 (N, H, W, C), N free. Outputs `logits` (N, K) and `embedding` (N, T),
        the correlations, both float32 and the same as here to 1e-4 of a correlation.
        """
        return build_onnx(self.shape, self.windows, self.owner, self.sharpness)

    def _by_class(self, correlations: np.ndarray) -> np.ndarray:
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        return np.asarray(np.maximum.reduceat(correlations, first, axis=1))


def fit_templates(
    x: np.ndarray,
    y: np.ndarray,
    *,
    classes: int,
    options: TemplateOptions | None = None,
    given: Mapping[int, np.ndarray] | None = None,
) -> FittedTemplates:
    """Learn templates by k-means on normalised pictures, or take those `given`.

    `x`: uint8 (N, H, W, C). `y`: int64 (N,), 0 to K - 1, with K = `classes`. `given`: for each
    class its templates, uint8 (M, h, w, C), all of one size. The sharpness is the one that makes
    the labels likeliest of pictures that no template was learned from: a fifth is kept apart. The
    same arguments give the same bytes. Raises UsageError where a class has no picture or template.
    """
    options = options or TemplateOptions()
    rows = sample_rows(y, classes, options.sample, options.seed)
    apart = _every_fifth(y, rows)
    if given is None:
        learned = np.setdiff1d(rows, apart) if len(apart) else rows
        base, owner = learn_templates(x, y, learned, classes, options.templates, options.seed)
    else:
        base, owner = _taken(given, classes, x.shape[3])
        apart = rows
    shape = (x.shape[1], x.shape[2], x.shape[3])
    windows = tuple(_window(base, scale, shape, options.shift) for scale in options.scales)
    fitted = FittedTemplates(shape=shape, windows=windows, owner=owner, sharpness=1.0)
    check = apart if len(apart) else rows
    sharpness = _sharpness(fitted.logits(x[check]), y[check])
    return FittedTemplates(shape=shape, windows=windows, owner=owner, sharpness=sharpness)


def _best(x: np.ndarray, window: Window) -> np.ndarray:
    """(N, T): the best correlation over all places of one size."""
    height, width = window.size
    side = window.places - 1
    values = x - x.mean(axis=(1, 2), keepdims=True, dtype=np.float32)
    rows = _reach(window.top, height + side, x.shape[1])
    columns = _reach(window.left, width + side, x.shape[2])
    around = values[:, rows][:, :, columns]
    view = np.lib.stride_tricks.sliding_window_view(around, (height, width), axis=(1, 2))
    # (N, places, places, C, h, w) to one row a place
    places = view.reshape(len(x) * window.places**2, x.shape[3], height * width)
    energy = (places**2).sum(axis=(1, 2)) - (places.sum(axis=2) ** 2).sum(axis=1) / (height * width)
    flat = places.reshape(len(places), -1)
    patterns = window.templates.transpose(0, 3, 1, 2).reshape(len(window.templates), -1)
    found = (flat @ patterns.T) / np.sqrt(np.maximum(energy, flat.shape[1]))[:, None]
    return np.asarray(found.reshape(len(x), window.places**2, -1).max(axis=1))


def _reach(start: int, length: int, side: int) -> np.ndarray:
    """Positions from `start` on; those outside are the nearest inside."""
    return np.clip(np.arange(start, start + length), 0, side - 1)


def _window(base: np.ndarray, scale: float, shape: tuple[int, int, int], shift: int) -> Window:
    height, width = (round(side * scale) for side in base.shape[1:3])
    if min(height, width) < SMALLEST:
        raise UsageError(
            f"A template must be at least {SMALLEST} pixels high and wide. "
            f"Got {height}x{width} at scale {scale:g} instead."
        )
    resized = base if scale == 1 else np.stack([_resize(one, height, width) for one in base])
    return Window(
        templates=normalised(resized),
        top=(shape[0] - height) // 2 - shift,
        left=(shape[1] - width) // 2 - shift,
        places=2 * shift + 1,
    )


def _resize(template: np.ndarray, height: int, width: int) -> np.ndarray:
    smaller = height < template.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = cv2.resize(template, (width, height), interpolation=method)
    return np.asarray(resized).reshape(height, width, template.shape[2])


def _taken(
    given: Mapping[int, np.ndarray], classes: int, channels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Given templates as float32 (T, h, w, C), and the class of each (T,)."""
    if sorted(given) != list(range(classes)) or not all(map(len, given.values())):
        raise UsageError(
            f"There must be a template for each of the {classes} classes. "
            f"Got some for {len([one for one in given.values() if len(one)])} instead."
        )
    shapes = {one.shape[1:] for one in given.values()}
    if len(shapes) != 1 or next(iter(shapes))[2:] != (channels,):
        raise UsageError(
            f"Templates must all be (h, w, {channels}), of one size. "
            f"Got {', '.join(map(str, sorted(shapes)))} instead."
        )
    total = sum(map(len, given.values()))
    if total > _MOST:
        raise UsageError(f"There can be {_MOST} templates in all. Got {total} instead.")
    order = range(classes)
    base = np.concatenate([given[k] for k in order]).astype(np.float32)
    return base, np.repeat(np.arange(classes), [len(given[k]) for k in order])


def _every_fifth(y: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Of the rows of each class every fifth, sorted."""
    parts: Iterator[np.ndarray] = (rows[y[rows] == k][4::5] for k in np.unique(y[rows]))
    return np.sort(np.concatenate(list(parts)))


def _sharpness(correlations: np.ndarray, y: np.ndarray) -> float:
    """The factor that makes the labels likeliest, 1 to 1,000."""

    def loss(power: float) -> float:
        logits = np.exp(power) * correlations.astype(np.float64)
        return float((logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean())

    found = minimize_scalar(loss, bounds=(0.0, np.log(1000.0)), method="bounded")
    return float(np.float32(np.exp(found.x)))
