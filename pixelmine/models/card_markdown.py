"""A model's card as Markdown, for people who decide whether to use it.

In the order of Mitchell et al., "Model Cards for Model Reporting", FAT* 2019: what it is, what goes
in and comes out, how it decides, how good it is, where it comes from, and what it is not for.
"""

import re
from collections.abc import Iterable, Iterator

from .bundle import Bundle
from .card import Card
from .knowing_text import decides_text, probabilities_text
from .steps_text import steps_text

__all__ = ["card_markdown", "network_text"]

_LABELS = 50
"""So many are written out."""


def card_markdown(bundle: Bundle) -> str:
    """The card of a bundle, as one page of Markdown that ends in a newline.

    Names and texts come from whoever made the bundle: what Markdown or HTML would take for its own
    is escaped.
    """
    card = bundle.card
    sections = {
        "What it is": _identity(card),
        f"Labels ({len(card.labels):,})": [_labels(card)],
        "What goes in": _takes(card),
        "What comes out": [*probabilities_text(card), *decides_text(card)],
        "How good it is": _metrics(card),
        "Training": _training(card, seen=len(bundle.files.get("seen.bin", b"")) // 8),
        "Licence": [f"{_plain(card.licence)}. Source: {_plain(card.source)}."],
        "Limits": _limits(card),
        "Files": [_table(("file", "SHA-256"), _files(card))],
    }
    parts = [f"# {_plain(card.name)}", _plain(card.description)]
    for title, paragraphs in sections.items():
        parts += [f"## {title}", *paragraphs]
    return "\n\n".join(parts) + "\n"


def network_text(card: Card) -> str:
    """What the network alone takes and gives, as a list in Markdown."""
    if card.features is not None:
        takes = f"`features`, float32 (N, {card.features.dimensions})"
    else:
        size = ", ".join(map(str, card.input.shape))
        scale = ", 0 to 255" if card.input.dtype == "uint8" else ", after all preprocessing"
        takes = f"`pixels`, {card.input.dtype} (N, {size}): pictures x height x width x channels"
        takes += scale
    return "\n".join(
        [
            f"- input {takes}; N is free;",
            f"- output `logits`, float32 (N, {len(card.labels)}), before softmax;",
            f"- output `embedding`, float32 (N, {card.embedding_dimensions}).",
        ]
    )


def _identity(card: Card) -> list[str]:
    task = {
        "single": "one label for each picture",
        "multi": "any number of labels for each picture",
    }
    rows = [
        ("task", task[card.task]),
        ("made", _plain(card.created)),
        ("digest", f"`{card.digest}`"),
    ]
    return [_table(("", ""), rows)]


def _labels(card: Card) -> str:
    shown = ", ".join(map(_plain, card.labels[:_LABELS]))
    rest = len(card.labels) - _LABELS
    return f"{shown}, and {rest:,} more." if rest > 0 else f"{shown}."


def _takes(card: Card) -> list[str]:
    steps = steps_text(card.preprocessing)
    if card.features is not None:
        names = [_plain(str(step.get("feature", step))) for step in card.features.steps]
        steps.append(f"Compute the features {', '.join(names)} of it, one behind the other.")
    numbered = [f"{number}. {_plain(step, code=True)}" for number, step in enumerate(steps, 1)]
    first = "The bytes of a picture, which then go through:"
    return [first, "\n".join(numbered), "The network itself:", network_text(card)]


def _metrics(card: Card) -> list[str]:
    if not card.metrics:
        return ["Nothing was measured when it was made. `pixelmine evaluate` measures it."]
    rows = [
        (
            _plain(name),
            f"{one.value:.4f}",
            f"{one.low:.4f} to {one.high:.4f}",
            f"{one.pictures:,}",
            _plain(one.data),
        )
        for name, one in card.metrics.items()
    ]
    return [_table(("measure", "value", "95 % interval", "pictures", "measured on"), rows)]


def _training(card: Card, seen: int) -> list[str]:
    one = card.training
    if one is None:
        return ["The card does not say what it was trained on."]
    rows = [
        ("recipe", f"`{_plain(one.recipe)}`"),
        ("pictures learnt from", f"{one.pictures:,}"),
        ("pictures held back", f"{one.held_back:,}"),
        *([("epochs", f"{one.epochs}, of which {one.best_epoch} is kept")] if one.epochs else []),
        ("seed", str(one.seed)),
        ("data digest", f"`{one.data_digest}`"),
        *([("split", f"`{_plain(one.split_id)}`")] if one.split_id else []),
        *([("pictures that evaluation refuses", f"{seen:,}")] if seen else []),
    ]
    return [_table(("", ""), rows)]


def _limits(card: Card) -> list[str]:
    gives = "one of them" if card.task == "single" else "any number of them"
    limits = [
        f"It knows no other labels than those above, and gives {gives} to anything it decides."
    ]
    if card.metrics:
        limits.append("It was measured on the pictures named above; on others it may be worse.")
    else:
        limits.append("How good it is was not measured.")
    if card.calibration.method == "none":
        limits.append("Its probabilities are not calibrated: .9 need not be right 9 times of 10.")
    if not card.thresholds.decision and card.thresholds.ood is None:
        limits.append("It never abstains.")
    if card.ood is None:
        limits.append("It does not notice pictures unlike those it was trained on.")
    return ["\n".join(f"- {limit}" for limit in limits)]


def _files(card: Card) -> Iterator[tuple[str, str]]:
    for name, digest in card.files.items():
        yield f"`{name}`", f"`{digest}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str, code: bool = False) -> str:
    """Text that Markdown shows as it is, on one line; with `code` its code spans are left."""
    marks = r"([\\*_{}\[\]<>|#])" if code else r"([\\`*_{}\[\]<>|#])"
    return re.sub(marks, r"\\\1", " ".join(text.split()))
