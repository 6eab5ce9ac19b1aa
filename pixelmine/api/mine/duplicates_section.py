# ruff: noqa: RUF001  full-width punctuation is how Chinese is written
"""Copies and similar scenes, as a section of the report."""

from collections.abc import Mapping
from typing import Any

from pixelmine.evaluate.quantity import size
from pixelmine.evaluate.texts import Language
from pixelmine.mine.group_rows import MIDDLE, TIERS
from pixelmine.mine.section import Section, Shown, Strip, Table

from .duplicates import Duplicates

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Duplicates",
        "lead": "{copies} of {pictures} pictures are copies of others, in {groups} groups; "
        "the copies take {bytes}.",
        "nothing": "None of the {pictures} pictures is a copy of another.",
        "pictures": "Pictures",
        "groups": "Groups",
        "copies": "Copies",
        "taken": "Taken by copies",
        "table": "How they are copies",
        "tier": "Tier",
        "meaning": "Meaning",
        "middle": "middle",
        "bytes": "same bytes",
        "pixels": "same pixels",
        "reencoded": "saved again",
        "edited": "edited",
        "means_bytes": "The files are equal.",
        "means_pixels": "The files differ, every pixel is the same.",
        "means_reencoded": "Compressed or resized; nothing else has changed.",
        "means_edited": "Cropped, framed, written on, recoloured, mirrored or turned.",
        "group": "Group {number}: {rows} pictures",
        "evidence": "{bits} bits of 256",
        "detail": "detail agrees {value}",
        "apart": "At most {bits} of 256 bits between any two, turned as they fit best; "
        "the least agreement of detail with the middle is {weakest}.",
        "scene": "Alike, no copies: {rows} pictures",
        "alike": "alike {value}",
        "note_middle": "Each picture of a group is a copy of its middle by its own evidence: "
        "groups do not chain.",
        "note_hash": "{count} pictures show too little for a hash; of these only equal files and "
        "what their embedding proposes are found.",
        "note_turned": "Mirrored and turned copies were not looked for.",
        "note_more": "{count} more groups are in the table.",
        "upright": "upright",
        "mirrored": "mirrored",
        "mirrored upside down": "mirrored upside down",
        "upside down": "upside down",
        "mirrored and turned": "mirrored and turned",
        "turned left": "turned left",
        "turned right": "turned right",
    },
    "zh": {
        "title": "重复图片",
        "lead": "{pictures} 张图片中有 {copies} 张是其他图片的副本，分为 {groups} 组；"
        "副本共占用 {bytes}。",
        "nothing": "{pictures} 张图片中没有任何副本。",
        "pictures": "图片",
        "groups": "组",
        "copies": "副本",
        "taken": "副本占用",
        "table": "副本的种类",
        "tier": "层级",
        "meaning": "含义",
        "middle": "中心",
        "bytes": "字节相同",
        "pixels": "像素相同",
        "reencoded": "重新保存",
        "edited": "经过编辑",
        "means_bytes": "文件完全相同。",
        "means_pixels": "文件不同，但每个像素都相同。",
        "means_reencoded": "经过压缩或缩放，其他没有变化。",
        "means_edited": "经过裁剪、加框、加字、改色、镜像或旋转。",
        "group": "第 {number} 组：{rows} 张图片",
        "evidence": "256 位中有 {bits} 位不同",
        "detail": "细节一致度 {value}",
        "apart": "以最合适的方向比较，任意两张之间最多相差 256 位中的 {bits} 位；"
        "与中心图片细节一致度最低为 {weakest}。",
        "scene": "相似但不是副本：{rows} 张图片",
        "alike": "相似度 {value}",
        "note_middle": "每组中的每张图片都凭自身的证据是中心图片的副本：不会由链条连成一组。",
        "note_hash": "{count} 张图片内容太少，哈希无法说明问题；其中只能找到完全相同的文件，"
        "以及由嵌入向量提示的副本。",
        "note_turned": "未查找镜像和旋转的副本。",
        "note_more": "另有 {count} 组见表格。",
        "upright": "正向",
        "mirrored": "左右镜像",
        "mirrored upside down": "上下镜像",
        "upside down": "倒置",
        "mirrored and turned": "镜像并旋转",
        "turned left": "向左旋转",
        "turned right": "向右旋转",
    },
}

_GROUPS, _ROW, _SCENES = 8, 7, 3


def section(found: Duplicates, *, language: Language = "en") -> Section:
    """The largest groups with their evidence, then similar scenes."""
    says, summary = TEXTS[language], found.summary
    counts = {name: f"{summary[name]:,}" for name in ("pictures", "groups", "copies")}
    taken = size(summary["bytes_of_copies"])
    groups = _by_group(found.rows.to_pylist())
    scenes = _by_group(found.scenes.to_pylist())
    return Section(
        name="duplicates",
        title=says["title"],
        lead=says["lead" if groups else "nothing"].format(**counts, bytes=taken),
        figures={
            **{says[name]: value for name, value in counts.items()},
            says["taken"]: taken,
        },
        strips=[
            *(_strip(rows, says) for rows in list(groups.values())[:_GROUPS]),
            *(_scene(rows, says) for rows in list(scenes.values())[:_SCENES]),
        ],
        tables=[
            Table(
                title=says["table"],
                columns=[says[name] for name in ("tier", "copies", "meaning")],
                rows=[
                    [says[tier], summary["tiers"].get(tier, 0), says[f"means_{tier}"]]
                    for tier in TIERS
                ],
            )
        ],
        notes=_notes(summary, says, len(groups)),
        commands=[
            "pixelmine mine duplicates COLLECTION",
            "pixelmine mine plan make COLLECTION --out plan.csv",
        ],
    )


def _by_group(rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group_id"], []).append(row)
    return groups


def _strip(rows: list[dict[str, Any]], says: Mapping[str, str]) -> Strip:
    one = rows[0]
    note = ""
    if one["diameter"] is not None and one["weakest"] is not None:
        note = says["apart"].format(bits=one["diameter"], weakest=f"{one['weakest']:.2f}")
    return Strip(
        title=says["group"].format(number=one["group_id"], rows=f"{len(rows):,}"),
        note=note,
        pictures=[
            Shown(row=row, caption=_caption(row, says), mark=row["tier"] == MIDDLE)
            for row in rows[:_ROW]
        ],
    )


def _caption(row: Mapping[str, Any], says: Mapping[str, str]) -> list[str]:
    said = [says[row["tier"]]]
    if row["turn"] not in (None, "upright"):
        said.append(says[row["turn"]])
    if row["bits"] is not None:
        said.append(says["evidence"].format(bits=row["bits"]))
    elif row["correlation"] is not None:
        said.append(says["detail"].format(value=f"{row['correlation']:.2f}"))
    return said


def _scene(rows: list[dict[str, Any]], says: Mapping[str, str]) -> Strip:
    pictures = []
    for row in rows[:_ROW]:
        alike = row["cosine"]
        caption = [says["alike"].format(value=f"{alike:.2f}")] if alike is not None else []
        pictures.append(Shown(row=row, caption=caption, mark=alike is None))
    return Strip(title=says["scene"].format(rows=f"{len(rows):,}"), pictures=pictures)


def _notes(summary: Mapping[str, Any], says: Mapping[str, str], groups: int) -> list[str]:
    notes = [says["note_middle"]] if groups else []
    if groups > _GROUPS:
        notes.append(says["note_more"].format(count=f"{groups - _GROUPS:,}"))
    if summary["without_hash"]:
        notes.append(says["note_hash"].format(count=f"{summary['without_hash']:,}"))
    if not summary["turned"]:
        notes.append(says["note_turned"])
    return notes
