# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""The report's fixed words in its languages.

Every language has every text. What stands in braces is filled in by `text`, numbers as written.
"""

from typing import Literal, TypeAlias, get_args

from pixelmine.core.reasons import Reason

from .texts_en import ENGLISH
from .texts_zh import CHINESE

__all__ = ["LANGUAGES", "TEXTS", "Language", "reason_meaning", "text"]

Language: TypeAlias = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

_REASONS_ZH = {
    Reason.EMPTY: "文件为空。",
    Reason.NOT_AN_IMAGE: "内容不是任何已知格式的图片。",
    Reason.TRUNCATED: "图片数据不完整，在末尾像素之前中断。",
    Reason.CORRUPT: "内容与其自身格式相矛盾。",
    Reason.UNSUPPORTED_FORMAT: "已知的图片格式或其变体，但没有相应的解码器。",
    Reason.TOO_MANY_PIXELS: "宽乘高超出上限。",
    Reason.TOO_MANY_FRAMES: "文件的帧数超出上限，上限之前的各帧均已成行。",
    Reason.TOO_LARGE_FILE: "文件大小超出上限。",
    Reason.DECODER_CRASH: "解码器在处理此图片时崩溃。",
    Reason.DECODER_TIMEOUT: "解码超时。",
    Reason.UNREADABLE: "文件无法读取。",
    Reason.NOT_FOUND: "文件不存在。",
    Reason.DENIED: "没有读取该文件的权限。",
    Reason.PRIVATE_ADDRESS: "该地址属于专用网络，未予访问。",
    Reason.UNREACHABLE: "无法连接到服务器。",
    Reason.SOURCE_TIMEOUT: "服务器响应超时。",
    Reason.SERVER_ERROR: "服务器返回错误。",
    Reason.CHANGED: "文件已不是录入时的内容，请重新录入。",
    Reason.QUARANTINED: "图片已按清理计划移入隔离区，可用 `mine plan undo` 恢复。",
    Reason.ERASED: "图片已被删除，不得恢复。",
    Reason.WITHHELD: "隐私策略要求先有人看过，才能让它离开。",
}


TEXTS: dict[Language, dict[str, str]] = {"en": ENGLISH, "zh": CHINESE}


def text(language: Language, key: str, /, **values: object) -> str:
    """One text, filled in."""
    return TEXTS[language][key].format(**values)


def reason_meaning(language: Language, reason: str) -> str:
    """One sentence for people on why a picture failed."""
    known = Reason(reason)
    return _REASONS_ZH[known] if language == "zh" else known.meaning
