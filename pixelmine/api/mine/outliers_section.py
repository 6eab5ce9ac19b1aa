# ruff: noqa: RUF001  full-width punctuation is how Chinese is written
"""Pictures that are unlike the others, as a section of the report."""

from typing import Any

from pixelmine.evaluate.texts import Language
from pixelmine.mine.section import Section, Shown, Strip, Table

from .outliers import Outliers

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Outliers",
        "lead": "{outliers} of {pictures} pictures are unlike all others; {label_outliers} are "
        "unlike the others of their label.",
        "nothing": "None of the {pictures} pictures is unlike all others.",
        "pictures": "Pictures",
        "outliers": "Outliers",
        "label_outliers": "Far from their label",
        "strip": "{deviations} deviations from the usual",
        "strip_label": "{label}: {deviations} deviations from what is usual in it",
        "near": "nearest others",
        "table": "Far from their label, by label",
        "label": "Label",
        "count": "Pictures",
        "note_how": "How far a picture is away is the mean distance to its {k} nearest, copies "
        "left out; {usual} is usual, and an outlier is farther than {threshold}: {deviations} "
        "deviations of a normal spread, taken from this collection.",
        "note_failed": "Pictures that could not be looked at: {failed}.",
    },
    "zh": {
        "title": "离群图片",
        "lead": "{pictures} 张图片中有 {outliers} 张与其他所有图片都不相似；"
        "{label_outliers} 张与同一标注的其他图片不相似。",
        "nothing": "{pictures} 张图片中没有与其他所有图片都不相似的。",
        "pictures": "图片",
        "outliers": "离群",
        "label_outliers": "远离其标注",
        "strip": "与通常情况相差 {deviations} 个标准差",
        "strip_label": "{label}：与该标注的通常情况相差 {deviations} 个标准差",
        "near": "最近的其他图片",
        "table": "各标注中远离的图片",
        "label": "标注",
        "count": "图片",
        "note_how": "一张图片的远近是它到最近 {k} 张图片（副本除外）的平均距离；"
        "通常为 {usual}，超过 {threshold} 即为离群："
        "即本图片集中正态分布的 {deviations} 个标准差。",
        "note_failed": "无法查看的图片：{failed} 张。",
    },
}

_SHOWN = 8
_ROWS = 10


def section(found: Outliers, *, language: Language = "en") -> Section:
    """The strangest of all and of their labels, each with the pictures that are nearest."""
    says = TEXTS[language]
    summary = found.found.summary
    counted = {
        name: f"{summary[name]:,}" for name in ("pictures", "outliers", "label_outliers", "failed")
    }
    some = summary["outliers"] or summary["label_outliers"]
    strange, own = found.strangest()[:_SHOWN], found.far_from_label()[:_SHOWN]
    shown = {row["row_id"] for row in strange}
    return Section(
        name="outliers",
        title=says["title"],
        lead=says["lead" if some else "nothing"].format(**counted),
        figures={says[name]: counted[name] for name in ("pictures", "outliers", "label_outliers")},
        strips=[
            *(_strip(row, says, "strip", row["deviations"]) for row in strange),
            *(
                _strip(row, says, "strip_label", row["label_deviations"])
                for row in own
                if row["row_id"] not in shown
            ),
        ],
        tables=[
            Table(
                title=says["table"],
                columns=[says["label"], says["count"]],
                rows=[[name, count] for name, count in list(summary["of_label"].items())[:_ROWS]],
            )
        ]
        if summary["of_label"]
        else [],
        notes=[
            says["note_how"].format(
                k=summary["k"],
                usual=f"{summary['usual']:.3g}",
                threshold=f"{summary['threshold']:.3g}",
                deviations=f"{summary['deviations']:g}",
            ),
            *([says["note_failed"].format(**counted)] if summary["failed"] else []),
        ],
        commands=["pixelmine mine outliers COLLECTION --top 50"],
    )


def _strip(row: dict[str, Any], says: dict[str, str], title: str, deviations: float) -> Strip:
    near = [
        Shown(row={"row_id": one["row_id"]}, caption=[one["label"] or "–"])
        for one in row["near"] or ()
    ]
    place = {name: row[name] for name in ("row_id", "uri", "member", "frame")}
    return Strip(
        title=says[title].format(label=row["label"], deviations=f"{deviations:.1f}"),
        note=says["near"],
        pictures=[
            Shown(row=place, caption=[row["label"] or "–", row["row_id"][:12]], mark=True),
            *near,
        ],
    )
