# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""The report's fixed words in its languages.

Every language has every text. What stands in braces is filled in by `text`, numbers as written.
"""

from typing import Literal, TypeAlias, get_args

from pixelmine.core.reasons import Reason

__all__ = ["LANGUAGES", "TEXTS", "Language", "reason_meaning", "text"]

Language: TypeAlias = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

_ENGLISH = {
    "title": "Recognition report",
    "contents": "Contents",
    "model": "Model",
    "pictures": "Pictures",
    "failed": "Failed",
    "none_failed": "every picture could be read",
    "accuracy": "Accuracy",
    "accuracy_sentence": (
        "{hits} of {pictures} test pictures are named correctly. With 95% confidence the "
        "accuracy lies between {low} and {high}."
    ),
    "interval": "{value}; 95% interval {low} to {high}",
    "interval_short": "{low} to {high}",
    "gallery": "What it saw",
    "gallery_lead": "Pictures with the five most probable answers and their probabilities.",
    "alt_recognised": "{name}, recognised as {answer}",
    "alt_undecided": "{name}, not decided",
    "undecided": "No decision: not sure enough",
    "picture_number": "picture {n}",
    "pile": "What was wrong in the pile",
    "pile_lead": (
        "{ok} of {pictures} pictures could be used. Each of the others ({failed}) is kept as a "
        "row with its reason."
    ),
    "pile_clean": "Nothing: all {pictures} pictures could be used.",
    "reason": "Reason",
    "meaning": "Meaning",
    "comparison": "Methods compared",
    "comparison_lead": (
        "All were tested on the same pictures. Where two intervals overlap widely, the order of "
        "the two is not certain."
    ),
    "method": "Method",
    "train_time": "Training",
    "speed": "Pictures a second",
    "seconds": "{n} s",
    "history": "Training",
    "history_lead": "The epoch kept is {best} of {epochs}, marked by the dot.",
    "loss": "Loss",
    "by_epoch": "{what} by epoch",
    "trained_on": "pictures trained on",
    "held_back": "pictures held back",
    "evaluation": "Evaluation",
    "figures": "Figures",
    "figure": "Figure",
    "value": "Value",
    "interval_95": "95% interval",
    "top5": "Top-5 accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "coverage": "Share decided",
    "decided_accuracy": "Accuracy where decided",
    "calibration_error": "Calibration error",
    "confusion": "What is mistaken for what",
    "confusion_lead": (
        "Rows are the truth, columns the answer. Right answers are grey; the bluer a cell, the "
        "larger its share of the row's pictures was mistaken. An empty cell is 0."
    ),
    "confused_lead": (
        "With {classes} classes the whole table is too wide to read: here are the pairs mixed up "
        "most."
    ),
    "nothing_confused": "No picture was mistaken.",
    "truth": "Truth",
    "answer": "Answer",
    "truth_answer": "Truth \\ answer",
    "share_of_truth": "Share of the class",
    "classes": "Class by class",
    "classes_lead": (
        "The weakest first. Recall: how many of the class's pictures were found, with its 95% "
        "interval. Precision: how many of the pictures given this name belong to it."
    ),
    "more_classes": "The other {n} classes",
    "untested": "Classes without a test picture ({n}), whose recall is not known: {names}.",
    "and_more": "and {n} more",
    "class": "Class",
    "recall": "Recall",
    "precision": "Precision",
    "f1": "F1",
    "unknown": "unknown",
    "reliability": "Does it know how sure it is?",
    "reliability_lead": (
        "Each dot is a group of answers: across, the probability the model gave; up, how many "
        "were right, with the 95% interval. On the line the two agree; below it the model is too "
        "sure of itself. The mean gap is {error}."
    ),
    "reliability_alt": (
        "Accuracy against stated probability in {n} groups of answers; the mean gap is {error}."
    ),
    "history_alt": (
        "{what} by epoch, 1 to {epochs}. Last, on pictures held back: {last}; best epoch: {best}."
    ),
    "across_up": "Across: probability given. Up: share right.",
    "mistakes": "Worst mistakes",
    "mistakes_lead": (
        "Wrong answers the model was surest of. Look here for wrong labels first: often it is "
        "the label that is mistaken."
    ),
    "alt_mistake": "{name}: {truth}, taken for {answer}",
    "provenance": "How it was made",
    "date": "Date",
    "model_digest": "Model digest",
    "data_digest": "Training data digest",
    "split_id": "Split",
    "recipe": "Recipe",
    "seed": "Seed",
    "licence": "Licence",
    "machine": "Machine",
    "versions": "Versions",
    "commands": "Commands",
    "made_by": "Made by Pixelmine. This file holds everything it shows and loads nothing.",
}

_CHINESE = {
    "title": "图像识别报告",
    "contents": "目录",
    "model": "模型",
    "pictures": "图片数",
    "failed": "未能处理",
    "none_failed": "所有图片均可读取",
    "accuracy": "准确率",
    "accuracy_sentence": (
        "{pictures} 张测试图片中有 {hits} 张识别正确。在 95% 的置信水平下，准确率介于 {low} 与 "
        "{high} 之间。"
    ),
    "interval": "{value}；95% 置信区间 {low} 至 {high}",
    "interval_short": "{low} 至 {high}",
    "gallery": "识别示例",
    "gallery_lead": "每张图片列出概率最高的五个答案及其概率。",
    "alt_recognised": "{name}，识别为“{answer}”",
    "alt_undecided": "{name}，未作判定",
    "undecided": "未作判定：把握不足",
    "picture_number": "图片 {n}",
    "pile": "数据中的问题",
    "pile_lead": "{pictures} 张图片中有 {ok} 张可用；其余 {failed} 张均保留记录并注明原因。",
    "pile_clean": "没有问题：{pictures} 张图片全部可用。",
    "reason": "原因",
    "meaning": "含义",
    "comparison": "方法对比",
    "comparison_lead": "所有方法均在同一批图片上测试。两个区间大幅重叠时，二者的优劣并不确定。",
    "method": "方法",
    "train_time": "训练用时",
    "speed": "每秒图片数",
    "seconds": "{n} 秒",
    "history": "训练过程",
    "history_lead": "共 {epochs} 轮，保留第 {best} 轮的模型（圆点处）。",
    "loss": "损失",
    "by_epoch": "{what}随训练轮次的变化",
    "trained_on": "训练集",
    "held_back": "验证集",
    "evaluation": "评估",
    "figures": "指标",
    "figure": "指标",
    "value": "数值",
    "interval_95": "95% 置信区间",
    "top5": "Top-5 准确率",
    "balanced_accuracy": "均衡准确率",
    "macro_f1": "宏平均 F1",
    "coverage": "作出判定的比例",
    "decided_accuracy": "已判定部分的准确率",
    "calibration_error": "校准误差",
    "confusion": "混淆矩阵",
    "confusion_lead": (
        "行为真实类别，列为识别结果。灰色为识别正确；蓝色越深，该行图片中被误认的比例越大。空白表"
        "示 0。"
    ),
    "confused_lead": "共有 {classes} 个类别，完整矩阵过大；下表列出最常混淆的类别对。",
    "nothing_confused": "没有识别错误的图片。",
    "truth": "真实类别",
    "answer": "识别结果",
    "truth_answer": "真实 \\ 识别",
    "share_of_truth": "占该类别的比例",
    "classes": "各类别表现",
    "classes_lead": (
        "按召回率从低到高排列。召回率：该类别图片中被正确识别的比例，附 95% 置信区间。精确率：被"
        "识别为该类别的图片中确属该类别的比例。"
    ),
    "more_classes": "其余 {n} 个类别",
    "untested": "没有测试图片、召回率未知的类别（{n} 个）：{names}。",
    "and_more": "以及另外 {n} 个",
    "class": "类别",
    "recall": "召回率",
    "precision": "精确率",
    "f1": "F1",
    "unknown": "未知",
    "reliability": "置信度是否可靠",
    "reliability_lead": (
        "每个圆点代表一组答案：横轴为模型给出的概率，纵轴为实际正确的比例及其 95% 置信区间。位于"
        "对角线上表示两者一致，位于下方表示模型过于自信。平均偏差为 {error}。"
    ),
    "reliability_alt": "{n} 组答案的实际正确率与所给概率的对比，平均偏差为 {error}。",
    "history_alt": "第 1 至 {epochs} 轮的{what}。验证集最后一轮为 {last}；最佳为第 {best} 轮。",
    "across_up": "横轴：模型给出的概率；纵轴：实际正确的比例。",
    "mistakes": "最严重的错误",
    "mistakes_lead": "模型最有把握却答错的图片。请先检查这些图片的标注：出错的往往是标注本身。",
    "alt_mistake": "{name}：真实类别“{truth}”，误认为“{answer}”",
    "provenance": "生成方式",
    "date": "日期",
    "model_digest": "模型摘要",
    "data_digest": "训练数据摘要",
    "split_id": "数据划分",
    "recipe": "训练方案",
    "seed": "随机种子",
    "licence": "许可证",
    "machine": "运行环境",
    "versions": "软件版本",
    "commands": "命令",
    "made_by": "由 Pixelmine 生成。本文件包含所示全部内容，不加载任何外部资源。",
}

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
    Reason.ERASED: "图片已被删除，不得恢复。",
}


TEXTS: dict[Language, dict[str, str]] = {"en": _ENGLISH, "zh": _CHINESE}


def text(language: Language, key: str, /, **values: object) -> str:
    """One text, filled in."""
    return TEXTS[language][key].format(**values)


def reason_meaning(language: Language, reason: str) -> str:
    """One sentence for people on why a picture failed."""
    known = Reason(reason)
    return _REASONS_ZH[known] if language == "zh" else known.meaning
