# ruff: noqa: RUF001  full-width punctuation is how Chinese is written
"""Labels that are probably wrong, as a section of the report."""

from typing import Any

from pixelmine.evaluate.percent import percent
from pixelmine.evaluate.texts import Language
from pixelmine.mine.section import Section, Shown, Strip, Table

from .label_errors import LabelErrors

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Label errors",
        "lead": "{suspected} of {pictures} labels are suspected to be wrong; most often {most}.",
        "nothing": "None of the {pictures} labels is suspected to be wrong.",
        "pictures": "Labels judged",
        "suspected": "Suspected",
        "agreement": "Others agree with",
        "strip": "given {given}, probably {suggested} ({probability})",
        "near": "nearest others",
        "pairs": "Which label for which",
        "given": "Given",
        "suggested": "Suggested",
        "count": "Pictures",
        "labels": "Suspected by label",
        "label": "Label",
        "of": "Of",
        "note_how": "Each label is judged by a model fitted on other pictures and by the nearest "
        "other pictures; near-duplicates and pictures of one group never judge each other.",
        "note_features": "Judged by {features}.",
        "note_rejected": "Suggestions that somebody has rejected, and that are not made again: "
        "{rejected}.",
        "embedding": "what a network sees in the pictures",
        "designed": "the directions of edges",
        "both": "what a network sees in the pictures, and the directions of edges",
    },
    "zh": {
        "title": "标注错误",
        "lead": "{pictures} 个标注中有 {suspected} 个可能有误，最常见的是：{most}。",
        "nothing": "{pictures} 个标注中没有发现可能有误的。",
        "pictures": "已判断的标注",
        "suspected": "可能有误",
        "agreement": "其他图片认同",
        "strip": "标注为 {given}，更可能是 {suggested}（{probability}）",
        "near": "最近的其他图片",
        "pairs": "哪个标注被当成了哪个",
        "given": "现有标注",
        "suggested": "建议标注",
        "count": "图片",
        "labels": "各标注中可能有误的",
        "label": "标注",
        "of": "总数",
        "note_how": "每个标注由在其他图片上训练的模型和最近的其他图片共同判断；"
        "近似重复的图片和同一组的图片从不互相判断。",
        "note_features": "判断依据：{features}。",
        "note_rejected": "已被人否定、不再提出的建议：{rejected} 个。",
        "embedding": "神经网络从图片中看到的内容",
        "designed": "边缘的方向",
        "both": "神经网络从图片中看到的内容，以及边缘的方向",
    },
}

_SHOWN = 12
_ROWS = 10


def section(found: LabelErrors, *, language: Language = "en") -> Section:
    """The most probably wrong, each with the nearest pictures that voted, and what is mixed up."""
    says = TEXTS[language]
    summary = found.found.summary
    pairs = summary["confused"]
    most = ", ".join(
        f"{pair['given']} → {pair['suggested']} ({pair['pictures']:,})" for pair in pairs[:3]
    )
    counted = {name: f"{summary[name]:,}" for name in ("pictures", "suspected", "rejected")}
    return Section(
        name="label-errors",
        title=says["title"],
        lead=says["lead" if pairs else "nothing"].format(**counted, most=most),
        figures={
            says["pictures"]: counted["pictures"],
            says["suspected"]: counted["suspected"],
            says["agreement"]: percent(summary["agreement"]),
        },
        strips=[_strip(row, says) for row in found.worst()[:_SHOWN]],
        tables=_tables(summary, says) if pairs else [],
        notes=[
            says["note_how"],
            says["note_features"].format(features=says[summary["features"]]),
            *([says["note_rejected"].format(**counted)] if summary["rejected"] else []),
        ],
        commands=[
            "pixelmine mine label-errors COLLECTION",
            "pixelmine mine label-errors COLLECTION --accept ROW --reject ROW",
        ],
    )


def _strip(row: dict[str, Any], says: dict[str, str]) -> Strip:
    words = {**row, "probability": percent(row["probability"])}
    near = [
        Shown(row={"row_id": one["row_id"]}, caption=[one["label"]]) for one in row["near"] or ()
    ]
    place = {name: row[name] for name in ("row_id", "uri", "member", "frame")}
    return Strip(
        title=says["strip"].format(**words),
        note=says["near"],
        pictures=[Shown(row=place, caption=[row["given"], row["row_id"][:12]], mark=True), *near],
    )


def _tables(summary: dict[str, Any], says: dict[str, str]) -> list[Table]:
    labels = sorted(summary["of_label"].items(), key=lambda item: -item[1]["suspected"])
    return [
        Table(
            title=says["pairs"],
            columns=[says[name] for name in ("given", "suggested", "count")],
            rows=[
                [pair["given"], pair["suggested"], pair["pictures"]]
                for pair in summary["confused"][:_ROWS]
            ],
        ),
        Table(
            title=says["labels"],
            columns=[says[name] for name in ("label", "suspected", "of")],
            rows=[
                [name, about["suspected"], about["pictures"]]
                for name, about in labels[:_ROWS]
                if about["suspected"]
            ],
        ),
    ]
