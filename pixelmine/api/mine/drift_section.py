# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""What has changed, as a section of the report."""

from typing import Any

from pixelmine.evaluate.texts import Language
from pixelmine.mine import chinese
from pixelmine.mine.section import Section, Shown, Strip, Table

from .drift import MinedDrift

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Drift",
        "lead": "The pictures have changed: {changed} of {tests} things that were compared differ.",
        "only_whole": "The pictures have changed as a whole, in nothing that was compared alone.",
        "nothing": "Nothing has changed beyond chance between the two sides.",
        "before": "Before",
        "after": "After",
        "p": "p of the decision",
        "auc": "Told apart (AUC)",
        "table": "What has changed, the surest first",
        "parts": "The parts that the decision is made of",
        "part": "Part",
        "name": "What",
        "effect": "Change, with its 95 % interval",
        "corrected": "p, corrected",
        "smallest": "p, corrected within",
        "compared": "Compared",
        "grew": "from {before} to {after} of the pictures",
        "clusters": "clusters",
        "labels": "labels",
        "predictions": "predictions",
        "metadata": "metadata",
        "quality": "quality",
        "measures": "measures",
        "classifier": "classifier",
        "kernel": "kernel",
        "note_level": "Where nothing has changed, this says drift in at most {level} of cases.",
        "note_effect": "Of measures the change is Cliff's delta, and before and after are medians.",
        "note_copies": "{copies} pictures are on both sides, byte for byte, and hide changes.",
        "note_groups": "{pictures} pictures {side} are {independent} groups and single ones, which "
        "are compared as a whole.",
        "note_untested": "Not compared, since one side has none of it: {names}.",
    },
    "zh": {
        "title": "漂移",
        "lead": "图片发生了变化：比较的 {tests} 项中有 {changed} 项不同。",
        "only_whole": "图片整体上发生了变化，但没有哪一项单独不同。",
        "nothing": "两侧之间没有超出偶然的变化。",
        "before": "之前",
        "after": "之后",
        "p": "判定的 p",
        "auc": "可区分度（AUC）",
        "table": "变化，最确定的在前",
        "parts": "判定的各部分",
        "part": "部分",
        "name": "项目",
        "effect": "变化及其 95 % 区间",
        "corrected": "校正后的 p",
        "smallest": "部分内校正的 p",
        "compared": "比较项数",
        "grew": "占图片的比例由 {before} 变为 {after}",
        "clusters": "聚类",
        "labels": "标签",
        "predictions": "预测",
        "metadata": "元数据",
        "quality": "质量",
        "measures": "度量",
        "classifier": "分类器",
        "kernel": "核检验",
        "note_level": "若没有变化，误判为漂移的情形不超过 {level}。",
        "note_effect": "度量的变化为 Cliff's delta，之前与之后为中位数。",
        "note_copies": "有 {copies} 张图片在两侧逐字节相同，会掩盖变化。",
        "note_groups": "{side}的 {pictures} 张图片属于 {independent} 个组或单张，按组整体比较。",
        "note_untested": "未比较，因为一侧没有：{names}。",
    },
}

_SHOWN, _LISTED = 6, 25


def section(found: MinedDrift, *, language: Language = "en") -> Section:
    """The decision, what changed, and pictures of the clusters that grew."""
    says, summary = TEXTS[language], found.found.summary
    changed = found.changed
    lead = "nothing"
    if summary["drifted"]:
        lead = "lead" if changed else "only_whole"
    numbers = sorted({row["change"] for row in found.rows.to_pylist()})[:_SHOWN]
    return Section(
        name="drift",
        title=says["title"],
        lead=says[lead].format(changed=f"{len(changed):,}", tests=f"{summary['tests']:,}"),
        figures={
            says["before"]: f"{summary['pictures_before']:,}",
            says["after"]: f"{summary['pictures_after']:,}",
            says["p"]: f"{summary['p_value']:.2g}",
            says["auc"]: f"{summary['classifier']['auc']:.2f}",
        },
        strips=[_strip(found.examples(number), says, language) for number in numbers],
        tables=[
            *([_changes(changed[:_LISTED], says, language)] if changed else []),
            _parts(summary, says),
        ],
        notes=_notes(summary, says),
    )


def _name(one: dict[str, Any], language: Language) -> str:
    """What changed; in Chinese where it is ours."""
    if language == "en":
        return str(one["name"])
    if one["part"] == "measures":
        return chinese.measure(one["name"])
    return (
        chinese.cell_name(one["name"]) if one["part"] == "clusters" else chinese.item(one["name"])
    )


def _strip(rows: list[dict[str, Any]], says: dict[str, str], language: Language) -> Strip:
    first = rows[0]
    return Strip(
        title=_name(first, language),
        note=says["grew"].format(before=f"{first['before']:.1%}", after=f"{first['after']:.1%}"),
        pictures=[Shown(row=row) for row in rows],
    )


def _changes(changes: list[dict[str, Any]], says: dict[str, str], language: Language) -> Table:
    def written(one: dict[str, Any], value: float) -> str:
        return f"{value:.3g}" if one["part"] == "measures" else f"{value:.1%}"

    def effect(one: dict[str, Any]) -> str:
        form = "+.2f" if one["part"] == "measures" else "+.1%"
        return f"{one['effect']:{form}} ({one['low']:{form}} … {one['high']:{form}})"

    return Table(
        title=says["table"],
        columns=[says[n] for n in ("part", "name", "before", "after", "effect", "corrected")],
        rows=[
            [
                says[one["part"]],
                _name(one, language),
                written(one, one["before"]),
                written(one, one["after"]),
                effect(one),
                f"{one['corrected']:.1g}",
            ]
            for one in changes
        ],
    )


def _parts(summary: dict[str, Any], says: dict[str, str]) -> Table:
    return Table(
        title=says["parts"],
        columns=[says[name] for name in ("part", "compared", "smallest")],
        rows=[
            [says[part["name"]], part["tests"], f"{part['p_value']:.2g}"]
            for part in summary["parts"]
        ],
    )


def _notes(summary: dict[str, Any], says: dict[str, str]) -> list[str]:
    notes = [says["note_level"].format(level=f"{summary['level']:.0%}"), says["note_effect"]]
    for side in ("before", "after"):
        pictures = summary[f"pictures_{side}"]
        independent = summary.get(f"independent_{side}", pictures)  # of an old finding not known
        if independent < pictures:
            told = {"pictures": f"{pictures:,}", "independent": f"{independent:,}"}
            notes.append(says["note_groups"].format(side=says[side].lower(), **told))
    if summary["copies"]:
        notes.append(says["note_copies"].format(copies=f"{summary['copies']:,}"))
    if summary["untested"]:
        notes.append(says["note_untested"].format(names=", ".join(summary["untested"])))
    return notes
