"""What a ladder says in words: which recipe is enough, and a table in Markdown."""

from .ladder import Ladder, Rung
from .markdown import rate_text, table
from .percent import percent, points
from .quantity import duration, p_value, size
from .texts import Language, text

__all__ = ["standing", "to_markdown", "verdict"]


def verdict(ladder: Ladder, language: Language) -> list[str]:
    """Sentences: which is enough and why, what it saves, and what a smaller one would be."""
    best, enough, smallest = ladder.best, ladder.enough, ladder.smallest
    if best is None or enough is None:
        return [text(language, "ladder_none")]
    sentences = [_enough(ladder, best, enough, language)]
    if enough is not best and enough.cost and best.cost:
        sentences.append(_saving(best, enough, language))
    if enough.cost is None:
        sentences.append(text(language, "ladder_uncosted"))
    if smallest is not None and smallest is not enough and smallest.cost:
        sentences.append(
            text(
                language, "ladder_smallest", name=smallest.name, size=size(smallest.cost.size_bytes)
            )
        )
    if failed := [rung.name for rung in ladder.rungs if rung.reason is not None]:
        sentences.append(text(language, "ladder_failed", names=", ".join(failed)))
    return sentences


def standing(ladder: Ladder, rung: Rung, language: Language) -> str:
    """A few words on one rung: best, as good, near enough, or worse."""
    if rung.against is None:
        return text(language, "rung_best")
    if ladder.is_enough(rung):
        return text(language, "rung_near" if ladder.margin is not None else "rung_same")
    return text(language, "rung_worse")


def to_markdown(ladder: Ladder) -> str:
    """The verdict, the table, and what failed."""
    rows = [_row(ladder, rung) for rung in ladder.measured]
    head = (
        "recipe",
        "accuracy",
        "points below the best",
        "p (Holm)",
        "a picture",
        "model",
        "memory",
    )
    parts = [" ".join(verdict(ladder, "en"))]
    if rows:
        parts.append(table(f"Recipes ({ladder.pictures:,} pictures)", (*head, "training"), rows))
    if failed := [(one.name, one.reason) for one in ladder.rungs if one.reason is not None]:
        parts.append(table("Failed", ("recipe", "reason"), failed))
    return "\n\n".join(parts) + "\n"


def _row(ladder: Ladder, rung: Rung) -> tuple[str, ...]:
    cost, against = rung.cost, rung.against
    name = f"{rung.name} (enough)" if rung is ladder.enough else rung.name
    return (
        name,
        rate_text(rung.accuracy),
        points(-against.difference.value) if against else "",
        p_value(rung.p) if rung.p is not None else "",
        duration(cost.seconds) if cost else "unknown",
        size(cost.size_bytes) if cost else "unknown",
        size(cost.peak_bytes) if cost and cost.peak_bytes else "unknown",
        duration(rung.train_seconds) if rung.train_seconds is not None else "unknown",
    )


def _enough(ladder: Ladder, best: Rung, enough: Rung, language: Language) -> str:
    if len(ladder.measured) == 1:
        return text(language, "ladder_only", name=best.name)
    pictures = f"{ladder.pictures:,}"
    if enough is best or enough.against is None:
        key = "ladder_best" if ladder.margin is None else "ladder_best_margin"
        if ladder.front("seconds")[:1] == [best]:
            key = "ladder_fastest"
        return text(
            language, key, name=best.name, margin=points(ladder.margin or 0), pictures=pictures
        )
    values = {
        "name": enough.name,
        "best": best.name,
        "accuracy": percent(enough.accuracy.value if enough.accuracy else 0.0),
        "best_accuracy": percent(best.accuracy.value if best.accuracy else 0.0),
        "most": points(max(0.0, -(enough.against.difference.low or 0.0))),
        "pictures": pictures,
    }
    if ladder.margin is not None:
        return text(language, "ladder_margin", margin=points(ladder.margin), **values)
    return text(language, "ladder_enough", p=p_value(enough.p or 0.0), **values)


def _saving(best: Rung, enough: Rung, language: Language) -> str:
    if best.cost is None or enough.cost is None:
        return ""
    return text(
        language,
        "ladder_saving",
        seconds=duration(enough.cost.seconds),
        best_seconds=duration(best.cost.seconds),
        size=size(enough.cost.size_bytes),
        best_size=size(best.cost.size_bytes),
    )
