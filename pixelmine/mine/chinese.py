# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""What mining itself calls things, in Chinese: colours, looks, issues, measures, attributes.

Labels, answers of a model and values of a table are words of others, and stay as they are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["CHINESE", "cell_name", "cluster_name", "item", "measure", "word"]

CHINESE: dict[str, dict[str, str]] = {
    "colour": {
        "black": "黑色",
        "grey": "灰色",
        "white": "白色",
        "red": "红色",
        "orange": "橙色",
        "yellow": "黄色",
        "green": "绿色",
        "blue": "蓝色",
        "purple": "紫色",
        "pink": "粉色",
        "brown": "棕色",
    },
    "look": {
        "dark": "偏暗",
        "bright": "偏亮",
        "pale": "色彩淡",
        "colourful": "色彩鲜艳",
        "low in contrast": "对比度低",
        "high in contrast": "对比度高",
        "blurred or plain": "模糊或单调",
        "full of detail": "细节丰富",
    },
    "quality": {
        "blurred": "模糊",
        "dark": "过暗",
        "bright": "过亮",
        "low-contrast": "对比度低",
        "noisy": "噪点多",
        "low-information": "信息少",
        "odd-size": "尺寸异常",
        "odd-aspect": "形状异常",
        "border": "有边框",
        "text": "有文字",
    },
    "shape": {
        "tall": "瘦高",
        "upright": "竖幅",
        "square": "方形",
        "across": "横幅",
        "wide": "宽幅",
    },
    "weekday": {
        "Mon": "周一",
        "Tue": "周二",
        "Wed": "周三",
        "Thu": "周四",
        "Fri": "周五",
        "Sat": "周六",
        "Sun": "周日",
    },
    "measure": {
        "sharpness": "清晰度",
        "brightness": "亮度",
        "dark_share": "暗部占比",
        "bright_share": "亮部占比",
        "contrast": "对比度",
        "entropy": "信息熵",
        "colourfulness": "色彩度",
        "megapixels": "百万像素",
        "short_side": "短边",
        "aspect": "宽高比",
        "elongation": "狭长度",
        "focus": "对焦",
        "highlights": "高光",
        "shadows": "暗部",
        "noise": "噪声",
        "border": "边框",
        "text": "文字",
    },
}
"""By kind of word, then by the English one."""

_ATTRIBUTES = {
    "label": "标签",
    "predicted": "预测",
    "quality": "质量",
    "format": "格式",
    "size": "大小",
    "shape": "形状",
    "source": "来源",
    "group": "分组",
    "hour": "时段",
    "weekday": "星期",
    "month": "月份",
}
_SIZES = (
    (re.compile(r"^under (\S+) MP$"), r"不足 \1 百万像素"),
    (re.compile(r"^over (\S+) MP$"), r"超过 \1 百万像素"),
    (re.compile(r"^(\S+) to (\S+) MP$"), r"\1 至 \2 百万像素"),
    (re.compile(r"^(\d\d-\d\d) h$"), r"\1 时"),
)
_END = r"(?=,|，|$| \(\d+\)$)"
"""Where a part of a name ends: at the next, or at a number that tells it from another."""


def item(text: str) -> str:
    """`shape = tall` as `形状 = 瘦高`; of an attribute or a value of others only what is ours."""
    name, equals, value = text.partition(" = ")
    if not equals or name not in _ATTRIBUTES:
        return text
    value = CHINESE.get(name, {}).get(value, value)
    if name in ("size", "hour"):
        for pattern, chinese in _SIZES:
            value = pattern.sub(chinese, value)
    return f"{_ATTRIBUTES[name]} = {value}"


def word(kind: str, text: str) -> str:
    """A word of a cluster: see `cluster_words.KINDS`."""
    return item(text) if kind == "circumstance" else CHINESE.get(kind, {}).get(text, text)


def measure(name: str) -> str:
    """The name of a measure; a column of numbers of a table stays."""
    return CHINESE["measure"].get(name, name)


def cluster_name(name: str, words: Sequence[Mapping[str, Any]]) -> str:
    """A name as `cluster_words.name_of` makes it of some of these words, each `kind` and `word`.

    What the pictures show stays where it is; the frame around it and what is ours becomes Chinese.
    """
    shown = [one["word"] for one in words if one["kind"] in ("label", "predicted")]
    places = {", ": "，"} if shown else {", ": "，", "^": ""}  # what is shown comes first
    for one in words:
        kind, text = one["kind"], one["word"]
        frames = (
            {"mostly": "多为", "often": "常为"} if kind != "predicted" else {"mostly like": "多像"}
        )
        for frame, chinese in frames.items() if kind != "label" else ():
            for before, comma in places.items():
                part = rf"{before}{frame} {re.escape(text)}{_END}"
                name = re.sub(part, _as_it_is(f"{comma}{chinese}{word(kind, text)}"), name)
    for first in shown:
        for second in shown:
            if name.startswith(both := f"{first} or {second}"):
                name = f"{first} 或 {second}" + name[len(both) :]
    return name if shown else re.sub(rf"^mixed{_END}", "混合", name)


def _as_it_is(text: str) -> str:
    """To be put in by `re.sub`."""
    return text.replace("\\", r"\\")


def cell_name(name: str) -> str:
    """The name of a cell or a family of cells, as `drift_space` gives them."""
    name = re.sub(r"^cell (\d+)$", r"单元 \1", name)
    name = re.sub(r"(?:(, )|^)(\d+) cells", lambda m: f"{'，' if m[1] else ''}{m[2]} 个单元", name)
    return re.sub(r"((?: more)+)$", lambda m: "·又" * m[1].count("more"), name)
