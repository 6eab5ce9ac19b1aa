"""What is wrong with pictures as pictures: thresholds from the collection, between fixed guards.

Each issue looks at one measure, turned so that more is worse. What is usual, and how much it
varies, is taken from the better third of the collection, so that it stays true where a third is
bad: with q(p) the value that the share p is better than, and a normal spread,

    s = (q(1/3) - q(1/10)) / .851,   middle = q(1/3) + .431 s,   own threshold = middle + 3 s

which is the middle and three deviations where nothing is wrong. It moves within two guards that do
not depend on the collection: nothing better than `guard` is flagged, so a collection in which
nothing is wrong loses nothing; what is worse than `sure` is flagged, however much of it there is.
Of a collection more than half of which lies beyond the guard (scans of 28 pixels, X-rays, drawings)
it is the nature: there only its own threshold holds, and that is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pixelmine.core.checks import check_positive
from pixelmine.core.errors import UsageError

__all__ = ["ISSUES", "Flagged", "Issue", "QualityOptions", "find_issues"]

_THIRD, _TENTH = 1 / 3, 1 / 10
_Z_THIRD, _Z_TENTH = -0.4307, -1.2816
_LEAST = 0.25
"""Of the distance between the guards: where even pictures are so alike that they do not vary, one
must differ by more than that to be flagged."""
_MAD = 1.4826
"""From the median of the deviations to the standard deviation of a normal spread."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One thing that can be wrong. `unit`: of `measure`, for people.

    `worse`: which way: `low`, `high`, or `apart` (a factor either way from the median). `log`:
    whether ratios count, not differences. `guard`, `sure`: in the unit of the measure, for `apart`
    factors; `sure` None: nothing is bad by itself.
    """

    name: str
    measure: str
    worse: Literal["low", "high", "apart"]
    log: bool
    guard: float
    sure: float | None
    unit: str = ""

    def badness(self, values: np.ndarray) -> np.ndarray:
        """float64 (N,), more is worse."""
        turned = np.log(np.maximum(values, 1e-6)) if self.log else values.astype(np.float64)
        if self.worse == "apart":
            return np.asarray(np.abs(turned - np.nanmedian(turned)))
        return np.asarray(-turned if self.worse == "low" else turned)

    def limits(self) -> tuple[float, float]:
        """`guard` and `sure` as badness."""
        guard = self._limit(self.guard)
        return guard, np.inf if self.sure is None else self._limit(self.sure)

    def in_unit(self, badness: float) -> float:
        """A badness in the unit of the measure; for `apart` the factor."""
        turned = -badness if self.worse == "low" else badness
        return float(np.exp(turned)) if self.log else float(turned)

    def _limit(self, value: float) -> float:
        turned = float(np.log(value)) if self.log else value
        return -turned if self.worse == "low" else turned


ISSUES = (
    Issue(name="blurred", measure="focus", worse="low", log=True, guard=1, sure=0.7),
    Issue(name="dark", measure="highlights", worse="low", log=False, guard=0.45, sure=0.25),
    Issue(name="bright", measure="shadows", worse="high", log=False, guard=0.58, sure=0.8),
    Issue(name="low-contrast", measure="contrast", worse="low", log=True, guard=0.05, sure=0.025),
    Issue(name="noisy", measure="noise", worse="high", log=False, guard=6, sure=9, unit="levels"),
    Issue(
        name="low-information",
        measure="entropy",
        worse="low",
        log=False,
        guard=5,
        sure=3,
        unit="bits",
    ),
    Issue(
        name="odd-size", measure="megapixels", worse="apart", log=True, guard=4, sure=None, unit="x"
    ),
    Issue(name="odd-aspect", measure="elongation", worse="high", log=True, guard=2.4, sure=4),
    Issue(name="border", measure="border", worse="high", log=False, guard=0.04, sure=0.08),
    Issue(name="text", measure="text", worse="high", log=False, guard=0.46, sure=0.56),
)
"""In the order in which they are told. Guards from 5,756 photographs 400x533 of clothes, looked at,
and from copies of them made bad (2026-11): a Gaussian blur of 2 pixels gives a focus of .9, of 3
pixels .35; noise of 8 levels a `noise` of 3.5, of 12 levels 7.5; a line of text laid over the
picture a `text` of .47 in the median, where of the photographs themselves 2 % lie higher, most of
which show print. `focus` is sharpness over contrast in grey levels: sharpness alone is low for what
is smooth and of little contrast, and over the variance it is low for a black thing on white.
`highlights` and `shadows` are brightness and two contrasts more or less: how
bright the bright parts are, and how dark the dark ones. `elongation`: the longer side over the
shorter."""


@dataclass(frozen=True, kw_only=True)
class QualityOptions:
    """How far from the usual is unusual.

    `spread`: deviations from the middle; 3, which one in a thousand of a normal spread exceeds.
    `few`: pictures below which a collection says nothing about what is usual in it, and only what
    is sure is flagged; 50, of which the better tenth, 5, can be told from the third.
    """

    spread: float = 3.0
    few: int = 50

    def __post_init__(self) -> None:
        check_positive("spread", self.spread)
        if self.few < 1:
            raise UsageError(f"few must be at least 1. Got {self.few} instead.")


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """One issue in a collection of N pictures.

    `at`: int64 (F,), the pictures that have it, worst first. `values`: float64 (F,), of the
    measure. `scores`: float64 (F,), deviations beyond the threshold, 0 up, comparable between
    issues. `threshold`: in the unit of the measure (`apart`: a factor), None where nothing can be
    said. `usual`: the median. `nature`: the collection is so as a whole, and only its own spread
    counts. `measured`: pictures whose measure is known.
    """

    issue: Issue
    at: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    scores: np.ndarray = field(repr=False)
    threshold: float | None
    usual: float | None
    nature: bool
    measured: int


def find_issues(
    measures: Mapping[str, np.ndarray],
    options: QualityOptions | None = None,
    issues: Sequence[Issue] = ISSUES,
) -> list[Flagged]:
    """Look for each issue whose measure is there.

    `measures`: float (N,) by name, NaN where unknown: those of `features.Measures` and
    `features.Surface`. Equal values are in the order of the pictures.
    """
    options = options or QualityOptions()
    known = dict(measures) | _made_of(measures)
    return [
        _find(issue, known[issue.measure], options) for issue in issues if issue.measure in known
    ]


def _made_of(measures: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {}
    if {"brightness", "contrast"} <= measures.keys():
        bright, contrast = (
            measures[name].astype(np.float64) for name in ("brightness", "contrast")
        )
        found["highlights"] = bright + 2 * contrast
        found["shadows"] = bright - 2 * contrast
    if {"sharpness", "contrast"} <= measures.keys():
        found["focus"] = measures["sharpness"] / (255 * np.maximum(measures["contrast"], 1 / 255))
    if "aspect" in measures:
        aspect = np.maximum(measures["aspect"].astype(np.float64), 1e-6)
        found["elongation"] = np.maximum(aspect, 1 / aspect)
    return found


def _find(issue: Issue, values: np.ndarray, options: QualityOptions) -> Flagged:
    values = np.asarray(values, np.float64)
    known = np.flatnonzero(np.isfinite(values))
    nothing = Flagged(
        issue=issue,
        at=np.empty(0, np.int64),
        values=np.empty(0),
        scores=np.empty(0),
        threshold=None,
        usual=None,
        nature=False,
        measured=len(known),
    )
    if not len(known):
        return nothing
    badness = issue.badness(values[known])
    threshold, scale, nature = _threshold(issue, badness, options)
    usual = float(np.median(values[known]))
    beyond = np.flatnonzero(badness > threshold)
    scores = (badness[beyond] - threshold) / scale
    order = np.argsort(-scores, kind="stable")
    return Flagged(
        issue=issue,
        at=known[beyond[order]],
        values=values[known[beyond[order]]],
        scores=scores[order],
        threshold=issue.in_unit(threshold) if np.isfinite(threshold) else None,
        usual=usual,
        nature=nature,
        measured=len(known),
    )


def _threshold(
    issue: Issue, badness: np.ndarray, options: QualityOptions
) -> tuple[float, float, bool]:
    """The badness beyond which a picture is flagged, a deviation of it, and `nature`."""
    guard, sure = issue.limits()
    middle, spread = _usual(issue, badness)
    floor = (sure - guard) / options.spread if np.isfinite(sure) else guard / options.spread
    scale = max(spread, floor)
    nature = bool(np.sort(badness)[(len(badness) - 1) // 2] > guard)
    if len(badness) < options.few:
        return (np.inf if nature else sure), scale, nature
    own = middle + options.spread * spread
    if nature:  # the better third is no measure of the usual: the middle of all is
        half = float(np.median(badness))
        usual = half + options.spread * _MAD * float(np.median(np.abs(badness - half)))
        return max(own, usual, middle + _LEAST * options.spread * floor), scale, True
    return min(max(own, guard), sure), scale, False


def _usual(issue: Issue, badness: np.ndarray) -> tuple[float, float]:
    if issue.worse == "apart":
        return 0.0, _MAD * float(np.median(badness))
    third, tenth = np.quantile(badness, [_THIRD, _TENTH])
    spread = float(third - tenth) / (_Z_THIRD - _Z_TENTH)
    return float(third) - _Z_THIRD * spread, spread
