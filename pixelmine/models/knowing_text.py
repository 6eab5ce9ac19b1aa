"""How a model comes from logits to an answer, and when it gives none, in words."""

from .card import Card

__all__ = ["decides_text", "probabilities_text"]


def probabilities_text(card: Card) -> list[str]:
    """Logits to probabilities, a paragraph each."""
    one = card.calibration
    steps = []
    if one.temperature != 1:
        steps.append(f"divided by the temperature {one.temperature:.4g}")
    if one.scale is not None:
        steps.append("multiplied by `calibration.scale`, a value a label")
    if one.bias is not None:
        steps.append("moved by `calibration.bias`, a value a label")
    if not steps:
        steps.append("taken as they are")
    last = "softmax" if card.task == "single" else "the logistic function, label by label"
    text = f"Probabilities: the logits are {', then '.join(steps)}, and {last} makes them 0 to 1."
    if one.knots is not None:
        text += " They then go along the lines of `calibration.knots`, one a label (isotonic)."
    said = "none" if one.method == "none" else one.method
    return [text, f"Calibration: {said}."]


def decides_text(card: Card) -> list[str]:
    """When it decides and when it abstains, its sets, and how odd a picture is."""
    return [" ".join(_decision(card)), *_sets(card)]


def _decision(card: Card) -> list[str]:
    one = card.thresholds
    if card.task == "multi":
        at = "0.5" if one.labels is None else "their own threshold (`thresholds.labels`)"
        said = [f"Decision: every label whose probability reaches {at}."]
    else:
        said = ["Decision: the likeliest label."]
    if one.decision:
        said.append(f"It abstains where no probability reaches {one.decision:.4g}.")
    if one.error is not None:
        sure = f", with a confidence of {one.confidence:.4g}" if one.confidence else ""
        said.append(f"Of what it decides, at most a share of {one.error:.4g} is wrong{sure}.")
    if one.ood is not None:
        said.append(
            f"It abstains on a picture odder than a share of {one.ood:.4g} of those held back."
        )
    if not one.decision and one.ood is None and card.task == "single":
        said.append("It always decides.")
    return said


def _sets(card: Card) -> list[str]:
    said = []
    if card.conformal is not None:
        sets = card.conformal
        empty = "may be empty" if sets.empty else "holds one label at least"
        said.append(
            f"Sets: those labels that reach the probability in `conformal.at_least`; such a set "
            f"holds the truth for a share of {sets.coverage:.4g} of the pictures and {empty}."
        )
    if card.ood is not None:
        how = f"by `{card.ood.method}`"
        said.append(f"Oddness: the share of the held-back pictures that are less odd, {how}.")
    return said
