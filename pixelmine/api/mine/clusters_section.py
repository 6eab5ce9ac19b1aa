# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""The clusters as a section of the report: the map, and pictures of the largest."""

from typing import Any

import numpy as np

from pixelmine.evaluate.texts import Language
from pixelmine.mine import chinese
from pixelmine.mine.map_plot import map_plot
from pixelmine.mine.section import Plot, Section, Shown, Strip, Table

from .clusters import MinedClusters

__all__ = ["TEXTS", "section"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Clusters",
        "lead": "{pictures} pictures fall into {clusters} clusters; {odd} ({share}) belong to "
        "none. The largest: {largest}.",
        "nothing": "{pictures} pictures fall into no clusters of at least {min_size}.",
        "pictures": "Pictures",
        "clusters": "Clusters",
        "groups": "Groups of clusters",
        "odd": "In no cluster",
        "map": "Map",
        "map_alt": "A point for each picture, coloured by its cluster: like pictures together.",
        "table": "All clusters",
        "cluster": "Cluster",
        "group": "Group",
        "share": "Share",
        "words": "What sets it apart",
        "strip": "{pictures} pictures, {share} of all. {words}",
        "word": "{word}: {share}, {lift} times as often",
        "typical": "typical",
        "odd_one": "odd",
        "note_words": "A word is told of a cluster where it comes more often than by chance (Holm, "
        "level {level}); colours are those of 20 typical pictures of each.",
        "note_map": "On the map neighbours are alike; how far apart clusters lie means little.",
    },
    "zh": {
        "title": "聚类",
        "lead": "{pictures} 张图片分为 {clusters} 个聚类；{odd} 张（{share}）不属于任何聚类。"
        "最大的是：{largest}。",
        "nothing": "{pictures} 张图片中没有至少 {min_size} 张的聚类。",
        "pictures": "图片",
        "clusters": "聚类",
        "groups": "聚类组",
        "odd": "不属于任何聚类",
        "map": "分布图",
        "map_alt": "每张图片一个点，颜色表示所属聚类：相似的图片相邻。",
        "table": "全部聚类",
        "cluster": "聚类",
        "group": "组",
        "share": "占比",
        "words": "特征",
        "strip": "{pictures} 张图片，占全部的 {share}。{words}",
        "word": "{word}：{share}，为平均的 {lift} 倍",
        "typical": "典型",
        "odd_one": "非典型",
        "note_words": "只列出在聚类中出现频率超出偶然的词（Holm 校正，水平 {level}）；"
        "颜色取自每个聚类的 20 张典型图片。",
        "note_map": "分布图上相邻即相似；聚类之间的远近意义不大。",
    },
}

_STRIPS, _TYPICAL, _ODD, _WORDS, _LARGEST = 12, 6, 2, 3, 3


def section(found: MinedClusters, *, language: Language = "en") -> Section:
    """The map, the largest clusters with typical and odd pictures, and a table of all."""
    says, summary = TEXTS[language], found.found.summary
    clusters = [_in(language, row) for row in found.level(2)]
    groups = {row["cluster"]: _in(language, row)["name"] for row in found.level(1)}
    figures = {
        says["pictures"]: f"{summary['pictures']:,}",
        says["clusters"]: f"{summary['clusters']:,}",
        says["groups"]: f"{summary['groups']:,}",
        says["odd"]: f"{summary['odd']:,} ({summary['odd_share']:.0%})",
    }
    if not clusters:
        lead = says["nothing"].format(
            pictures=f"{summary['pictures']:,}", min_size=summary["min_size"]
        )
        return Section(name="clusters", title=says["title"], lead=lead, figures=figures)
    lead = says["lead"].format(
        pictures=f"{summary['pictures']:,}",
        clusters=f"{summary['clusters']:,}",
        odd=f"{summary['odd']:,}",
        share=f"{summary['odd_share']:.0%}",
        largest="; ".join(row["name"] for row in clusters[:_LARGEST]),
    )
    return Section(
        name="clusters",
        title=says["title"],
        lead=lead,
        figures=figures,
        plots=[_map(found, clusters, says)],
        strips=[_strip(row, says) for row in clusters[:_STRIPS]],
        tables=[_table(clusters, groups, says)],
        notes=[says["note_words"].format(level=summary["level"]), says["note_map"]],
        commands=["pixelmine mine table COLLECTION clusters --out clusters.csv"],
    )


def _in(language: Language, row: dict[str, Any]) -> dict[str, Any]:
    """A cluster with its name and its words in a language."""
    if language == "en":
        return row
    words = [{**one, "word": chinese.word(one["kind"], one["word"])} for one in row["words"]]
    return {**row, "name": chinese.cluster_name(row["name"], row["words"]), "words": words}


def _map(found: MinedClusters, clusters: list[dict[str, Any]], says: dict[str, str]) -> Plot:
    numbers = found.rows["cluster"].to_numpy(zero_copy_only=False).astype(np.float64)
    source = map_plot(
        found.rows["x"].to_numpy(),
        found.rows["y"].to_numpy(),
        np.where(np.isfinite(numbers), numbers, -1).astype(np.int64),
        {row["cluster"]: row["name"] for row in clusters},
    )
    return Plot(title=says["map"], alt=says["map_alt"], source=source)


def _strip(row: dict[str, Any], says: dict[str, str]) -> Strip:
    typical = row["representatives"][:_TYPICAL]
    odd = [name for name in row["odd"] if name not in typical][:_ODD]
    return Strip(
        title=row["name"],
        note=says["strip"].format(
            pictures=f"{row['pictures']:,}", share=f"{row['share']:.1%}", words=_words(row, says)
        ),
        pictures=[
            *(Shown(row={"row_id": name}, caption=[says["typical"]]) for name in typical),
            *(Shown(row={"row_id": name}, caption=[says["odd_one"]], mark=True) for name in odd),
        ],
    )


def _words(row: dict[str, Any], says: dict[str, str]) -> str:
    return "; ".join(
        says["word"].format(
            word=word["word"], share=f"{word['share']:.0%}", lift=f"{word['lift']:.1f}"
        )
        for word in row["words"][:_WORDS]
    )


def _table(clusters: list[dict[str, Any]], groups: dict[int, str], says: dict[str, str]) -> Table:
    return Table(
        title=says["table"],
        columns=[says[name] for name in ("cluster", "group", "pictures", "share", "words")],
        rows=[
            [
                row["name"],
                groups.get(row["parent"], ""),
                row["pictures"],
                f"{row['share']:.1%}",
                _words(row, says),
            ]
            for row in clusters
        ],
    )
