# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""What goes with what, as a section of the report; shortcuts first."""

from typing import Any

from pixelmine.evaluate.texts import Language
from pixelmine.mine import chinese
from pixelmine.mine.section import Section, Shown, Strip, Table

from .associations import MinedAssociations

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Associations",
        "lead": "{rules} rules hold more often than chance allows, {shortcuts} of them shortcuts: "
        "how a picture came about points at what it shows, and a model may learn that instead.",
        "nothing": "No rule holds more often than chance allows.",
        "rules": "Rules",
        "shortcuts": "Shortcuts",
        "tested": "Rules tested",
        "items": "Items",
        "table": "Rules, the least likely by chance first",
        "if": "If",
        "then": "then",
        "pictures": "Pictures",
        "confidence": "Of those with the first",
        "lift": "Times as often",
        "p": "p, corrected",
        "and": " and ",
        "marked": "shortcut",
        "says": "{pictures} pictures, {confidence} of those with it ({lift} times as often).",
        "against": "not so",
        "note_correction": "The p-values are corrected for all {tested} rules that could be "
        "formed, also those too rare to look at, and each rule is better than every simpler one.",
        "note_independent": "Pictures are taken as independent; of a rule from few groups "
        "(senders, series) think twice.",
        "note_cut": "Left out: {what}",
        "note_function": "{first} tells {second} nearly always: no rules between them are shown.",
    },
    "zh": {
        "title": "关联",
        "lead": "有 {rules} 条规则的出现超出偶然，其中 {shortcuts} 条是捷径："
        "图片的来历指向其内容，模型可能学到的是来历。",
        "nothing": "没有规则的出现超出偶然。",
        "rules": "规则",
        "shortcuts": "捷径",
        "tested": "检验的规则",
        "items": "项",
        "table": "规则，最不可能出于偶然的在前",
        "if": "若",
        "then": "则",
        "pictures": "图片",
        "confidence": "占前项的比例",
        "lift": "倍数",
        "p": "校正后的 p",
        "and": " 且 ",
        "marked": "捷径",
        "says": "{pictures} 张图片，占前项的 {confidence}（为通常的 {lift} 倍）。",
        "against": "例外",
        "note_correction": "p 值已按可能组成的全部 {tested} 条规则校正，"
        "包括因太少而未查看的；每条规则都优于比它简单的规则。",
        "note_independent": "图片视为相互独立；来自少数分组（发送者、系列）的规则需谨慎对待。",
        "note_cut": "略去：{what}",
        "note_function": "{first} 几乎总能决定 {second}：不显示两者之间的规则。",
    },
}

_SHOWN, _LISTED = 6, 25
_WORTH = 1.5
"""Times as often: what is less is shown last; of what most pictures are, little more is to say."""


def section(found: MinedAssociations, *, language: Language = "en") -> Section:
    """The rules, shortcuts first, with pictures for and against each."""
    says, summary = TEXTS[language], found.found.summary
    rules = [_in(language, rule) for rule in found.rules]
    functions = [[_attribute(language, one) for one in pair] for pair in summary["functions"]]
    first = sorted(rules, key=lambda rule: (rule["lift"] < _WORTH, not rule["shortcut"]))
    tested = f"{summary['tested']:,}"
    return Section(
        name="associations",
        title=says["title"],
        lead=says["lead" if rules else "nothing"].format(
            rules=f"{len(rules):,}", shortcuts=f"{summary['shortcuts']:,}"
        ),
        figures={
            says["rules"]: f"{len(rules):,}",
            says["shortcuts"]: f"{summary['shortcuts']:,}",
            says["tested"]: tested,
            says["items"]: f"{summary['items']:,}",
        },
        strips=[_strip(rule, says) for rule in first[:_SHOWN]],
        tables=[_table(rules[:_LISTED], says)] if rules else [],
        notes=[
            says["note_correction"].format(tested=tested),
            says["note_independent"],
            *(says["note_function"].format(first=a, second=b) for a, b in functions),
            *(says["note_cut"].format(what=what) for what in summary["cut"]),
        ],
        commands=["pixelmine mine associations COLLECTION --predict"],
    )


def _in(language: Language, rule: dict[str, Any]) -> dict[str, Any]:
    """A rule with what is ours in a language."""
    if language == "en":
        return rule
    antecedent = [chinese.item(one) for one in rule["antecedent"]]
    return {**rule, "antecedent": antecedent, "consequent": chinese.item(rule["consequent"])}


def _attribute(language: Language, name: str) -> str:
    return name if language == "en" else chinese.item(f"{name} = ").removesuffix(" = ")


def _strip(rule: dict[str, Any], says: dict[str, str]) -> Strip:
    title = f"{says['and'].join(rule['antecedent'])} → {rule['consequent']}"
    return Strip(
        title=f"{title} ({says['marked']})" if rule["shortcut"] else title,
        note=says["says"].format(
            pictures=f"{rule['pictures']:,}",
            confidence=f"{rule['confidence']:.0%}",
            lift=f"{rule['lift']:.1f}",
        ),
        pictures=[
            *(Shown(row=row) for row in rule["examples"]),
            *(
                Shown(row=row, caption=[says["against"]], mark=True)
                for row in rule["counterexamples"]
            ),
        ],
    )


def _table(rules: list[dict[str, Any]], says: dict[str, str]) -> Table:
    return Table(
        title=says["table"],
        columns=[says[n] for n in ("if", "then", "pictures", "confidence", "lift", "p", "marked")],
        rows=[
            [
                says["and"].join(rule["antecedent"]),
                rule["consequent"],
                rule["pictures"],
                f"{rule['confidence']:.0%}",
                f"{rule['lift']:.1f}",
                f"{rule['corrected_p_value']:.1g}",
                says["marked"] if rule["shortcut"] else None,
            ]
            for rule in rules
        ],
    )
