"""What the page shows of a ladder."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .ladder import Ladder, Rung
from .ladder_words import standing, verdict
from .quantity import duration, size
from .scatter import Point, scatter
from .texts import Language, text

__all__ = ["ladder_context"]


def ladder_context(ladder: Ladder, language: Language) -> Mapping[str, Any]:
    """The template's variables."""
    first, *others = verdict(ladder, language)
    return {
        "verdict": first,
        "more": others,
        "rungs": [(rung, _standing(ladder, rung, language)) for rung in _sorted(ladder)],
        "failed_rungs": [rung for rung in ladder.rungs if rung.reason is not None],
        "scatters": list(_scatters(ladder, language)),
    }


def _sorted(ladder: Ladder) -> list[Rung]:
    """The most accurate first."""
    return sorted(ladder.measured, key=lambda one: -(one.accuracy.value if one.accuracy else 0))


def _standing(ladder: Ladder, rung: Rung, language: Language) -> str:
    words = standing(ladder, rung, language)
    if rung is not ladder.enough or len(ladder.measured) == 1:
        return words
    joint = "，" if language == "zh" else ", "  # noqa: RUF001  Chinese
    return f"{text(language, 'rung_enough')}{joint}{words}"


def _scatters(ladder: Ladder, language: Language) -> Iterator[dict[str, str]]:
    axes: tuple[tuple[str, str, Callable[[float], str]], ...] = (
        ("time", "seconds", duration),
        ("size", "size", size),
    )
    for name, by, written in axes:
        front = ladder.front(by)
        points = [
            Point(
                name=rung.name,
                cost=rung.cost.seconds if by == "seconds" else rung.cost.size_bytes,
                accuracy=rung.accuracy,
                marked=rung is ladder.enough,
                front=rung in front,
            )
            for rung in ladder.measured
            if rung.cost and rung.accuracy
        ]
        if points:
            names = ", ".join(one.name for one in points)
            axis = text(language, f"{name}_axis")
            yield {
                "source": scatter(points, written),
                "caption": text(language, f"{name}_caption"),
                "alt": text(language, "ladder_alt", axis=axis, n=len(points), names=names),
            }
