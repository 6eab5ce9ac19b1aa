# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""What is wrong with the pictures, as a section of the report."""

from typing import Any

from pixelmine.evaluate.texts import Language
from pixelmine.mine import chinese
from pixelmine.mine.section import Section, Shown, Strip, Table

from .quality import Quality

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Quality",
        "lead": "{flagged} of {pictures} pictures have something wrong with them as pictures; "
        "the most common: {most}.",
        "nothing": "Nothing is wrong with any of the {pictures} pictures as pictures.",
        "pictures": "Pictures",
        "flagged": "With an issue",
        "several": "With several",
        "table": "Issues and where they begin",
        "issue": "Issue",
        "count": "Pictures",
        "measure": "Measure",
        "threshold": "Flagged beyond",
        "usual": "Usual",
        "blurred": "blurred",
        "dark": "dark",
        "bright": "too bright",
        "low-contrast": "little contrast",
        "noisy": "noisy",
        "low-information": "shows little",
        "odd-size": "odd size",
        "odd-aspect": "odd shape",
        "border": "bars along the sides",
        "text": "writing",
        "note_text": "Writing is what looks like a line of text: a watermark, a date, or print on "
        "a thing. It is measured, not read, and stripes can look like it.",
        "note_thresholds": "Thresholds come from this collection, within guards that are the same "
        "for all.",
        "note_missing": "Not looked for: {names}. Ingest the same sources again: an older version "
        "kept no measure of them.",
        "note_nature": "{names}: most pictures are like that, which is the nature of this "
        "collection; only those far from the others are flagged.",
        "note_few": "So few pictures say little about what is usual: only what is bad in any "
        "collection is flagged.",
        "worst": "the worst of {count}",
    },
    "zh": {
        "title": "图片质量",
        "lead": "{pictures} 张图片中有 {flagged} 张本身有问题，最常见的是：{most}。",
        "nothing": "{pictures} 张图片本身都没有问题。",
        "pictures": "图片",
        "flagged": "有问题",
        "several": "有多个问题",
        "table": "问题及其界限",
        "issue": "问题",
        "count": "图片",
        "measure": "度量",
        "threshold": "界限",
        "usual": "通常",
        **chinese.CHINESE["quality"],
        "note_text": "“有文字”指看起来像一行文字：水印、日期，或物品上的印字。"
        "只是度量，并未识读，条纹也可能像文字。",
        "note_thresholds": "界限来自本图片集，并受对所有图片集都相同的上下限约束。",
        "note_missing": "未检查：{names}。旧版本没有保存这些度量，请重新导入同样的来源。",
        "note_nature": "{names}：大多数图片都如此，这是本图片集的特点；"
        "只标出与其他图片相差很远的。",
        "note_few": "图片太少，无法判断什么是通常情况：只标出在任何图片集中都算差的图片。",
        "worst": "{count} 张中最差的",
    },
}

_SHOWN = 6


def section(found: Quality, *, language: Language = "en") -> Section:
    """The issues, most common first, with their worst pictures."""
    says = TEXTS[language]
    measure = chinese.measure if language == "zh" else str
    summary, issues = found.found.summary, found.issues
    counts = {name: about["flagged"] for name, about in issues.items() if about["flagged"]}
    order = sorted(counts, key=lambda name: -counts[name])
    most = ", ".join(f"{says[name]} ({counts[name]:,})" for name in order[:3])
    pictures, flagged = f"{summary['pictures']:,}", f"{summary['flagged']:,}"
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in found.rows.to_pylist():
        if len(rows.setdefault(row["issue"], [])) < _SHOWN:
            rows[row["issue"]].append(row)
    return Section(
        name="quality",
        title=says["title"],
        lead=says["lead" if order else "nothing"].format(
            pictures=pictures, flagged=flagged, most=most
        ),
        figures={
            says["pictures"]: pictures,
            says["flagged"]: flagged,
            says["several"]: f"{summary['with_several_issues']:,}",
        },
        strips=[
            Strip(
                title=says[name],
                note=says["worst"].format(count=f"{counts[name]:,}"),
                pictures=[
                    Shown(
                        row=row,
                        caption=[f"{measure(issues[name]['measure'])} {row['value']:.3g}"],
                    )
                    for row in rows[name]
                ],
            )
            for name in order
        ],
        tables=[
            Table(
                title=says["table"],
                columns=[
                    says[name] for name in ("issue", "count", "measure", "threshold", "usual")
                ],
                rows=[
                    [
                        says[name],
                        about["flagged"],
                        measure(about["measure"]),
                        _written(about["threshold"], "x " if about["worse"] == "apart" else ""),
                        _written(about["usual"]),
                    ]
                    for name, about in issues.items()
                ],
            )
        ],
        notes=_notes(summary, issues, says, order),
        commands=["pixelmine mine quality COLLECTION --top 20"],
    )


def _written(value: float | None, before: str = "") -> str | None:
    return None if value is None else f"{before}{value:.3g}"


def _notes(
    summary: dict[str, Any], issues: dict[str, Any], says: dict[str, str], order: list[str]
) -> list[str]:
    natures = [says[name] for name, about in issues.items() if about["nature"]]
    missing = [says[name] for name in summary["not_looked_for"]]
    return [
        says["note_thresholds"],
        *([says["note_text"]] if "text" in order else []),
        *([says["note_nature"].format(names=", ".join(natures))] if natures else []),
        *([says["note_missing"].format(names=", ".join(missing))] if missing else []),
        *([says["note_few"]] if summary["few"] else []),
    ]
