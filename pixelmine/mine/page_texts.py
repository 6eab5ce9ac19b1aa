# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written, and sizes with a cross
"""The fixed words of the mining report's frame. What stands in braces is filled in."""

from pixelmine.evaluate.texts import Language

__all__ = ["TEXTS", "text"]

TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "report": "Mining report",
        "contents": "Contents",
        "glance": "At a glance",
        "pile": "The pile",
        "pictures": "Pictures",
        "good": "Good",
        "failed": "Failed",
        "read": "{good} of {pictures} pictures could be read.",
        "each_reason": "Each of the others has its reason:",
        "all_read": "Every picture could be read.",
        "different": "Different",
        "different_note": "by content",
        "labelled": "Labelled",
        "no_labels": "none",
        "groups": "Groups",
        "no_groups": "none",
        "formats": "Formats",
        "size": "On disk",
        "sizes": "Sizes",
        "usual_size": "{width} × {height} pixels, the median",
        "size_range": "from {smallest} to {largest}",
        "size_note": "where the files lie",
        "and_more": "and {n} more",
        "next": "What to do next",
        "notes": "What to know",
        "own_options": "Found at {made} with other options than the usual ones, and nothing of it "
        "has changed since: {options}.",
        "skipped": "Not in this report",
        "skipped_lead": "What was not looked for, and why.",
        "provenance": "How it was made",
        "date": "Date",
        "command": "Command",
        "picture_number": "picture {n}",
        "marked": "marked",
        "nothing": "Nothing was looked for yet.",
        "made_by": "Made by Pixelmine. This page needs no network and runs no scripts.",
    },
    "zh": {
        "report": "挖掘报告",
        "contents": "目录",
        "glance": "概览",
        "pile": "图片集",
        "pictures": "图片",
        "good": "可用",
        "failed": "失败",
        "read": "{pictures} 张图片中有 {good} 张可以读取。",
        "each_reason": "其余每张都有原因：",
        "all_read": "所有图片均可读取。",
        "different": "互不相同",
        "different_note": "按内容",
        "labelled": "已标注",
        "no_labels": "无",
        "groups": "分组",
        "no_groups": "无",
        "formats": "格式",
        "size": "占用空间",
        "sizes": "尺寸",
        "usual_size": "{width} × {height} 像素（中位数）",
        "size_range": "从 {smallest} 到 {largest}",
        "size_note": "原处文件",
        "and_more": "另有 {n} 种",
        "next": "下一步",
        "notes": "须知",
        "own_options": "此结果于 {made} 用自选选项得到，此后所依据的内容未变：{options}。",
        "skipped": "本报告未包含",
        "skipped_lead": "未进行的检查及其原因。",
        "provenance": "制作方式",
        "date": "日期",
        "command": "命令",
        "picture_number": "图片 {n}",
        "marked": "已标记",
        "nothing": "尚未进行任何检查。",
        "made_by": "由 Pixelmine 生成。本页无需网络，也不运行脚本。",
    },
}


def text(language: Language, key: str, /, **values: object) -> str:
    """One text, filled in."""
    return TEXTS[language][key].format(**values)
