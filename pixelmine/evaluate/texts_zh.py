# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written
"""The report's fixed words in Chinese. What stands in braces is filled in."""

__all__ = ["CHINESE"]

CHINESE = {
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
    "subset_accuracy": "标签全部正确",
    "subset_accuracy_sentence": (
        "{pictures} 张测试图片中有 {hits} 张的标签全部判定正确。在 95% 的置信水平下，该比例介于 "
        "{low} 与 {high} 之间。"
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
    "ladder_title": "哪种训练方案已经足够？",
    "ladder_name": "足够的方案",
    "ladder": "准确率与代价",
    "method": "方案",
    "ladder_lead": (
        "所有模型回答的是同一批 {pictures} 张测试图片。竖线为 95% 置信区间；折线连接的是在准确率与"
        "代价两方面都不逊于他者的模型。"
    ),
    "ladder_none": "没有任何方案完成训练与测量。",
    "ladder_only": "只测量了 {name} 一种方案，无从比较。",
    "ladder_fastest": "在这 {pictures} 张图片上，{name} 的准确率最高，速度也最快。",
    "ladder_best": ("{name} 的准确率最高，在这 {pictures} 张图片上，更快的方案均显著更差。"),
    "ladder_best_margin": (
        "{name} 的准确率最高，且没有更快的方案能确保与其相差不超过 {margin} 个百分点：{pictures} 张"
        "图片尚不足以排除更大的差距。"
    ),
    "ladder_enough": (
        "{name} 已经足够：它是准确率（{accuracy}）不显著低于最佳方案 {best}（{best_accuracy}）的"
        "方案中最快的（校正后 p = {p}）。它仍可能低至多 {most} 个百分点，{pictures} 张测试图片无"
        "法判断。"
    ),
    "ladder_margin": (
        "{name} 已经足够：在 95% 置信水平下，它是比最佳方案 {best} 低不超过 {margin} 个百分点的方案"
        "中最快的：{accuracy} 对 {best_accuracy}，依据 {pictures} 张图片，至多低 {most} 个百分点。"
    ),
    "ladder_saving": (
        "每张图片用时 {seconds}（最佳方案为 {best_seconds}），模型大小 {size}（最佳方案为 "
        "{best_size}）。"
    ),
    "ladder_smallest": "足够的方案中模型最小的是 {name}，大小为 {size}。",
    "ladder_uncosted": "其代价未能测量。",
    "ladder_failed": "未能测量：{names}。",
    "ladder_alt": "{n} 个模型的准确率与{axis}：{names}。",
    "ladder_figures": "各方案数据",
    "ladder_figures_lead": (
        "低于最佳：在同一批图片上比最佳模型低多少个百分点，附 95% 置信区间。p：McNemar 精确检验，"
        "按方案数以 Holm 法校正。"
    ),
    "rung_best": "准确率最高",
    "rung_same": "未见更差",
    "rung_near": "足够接近",
    "rung_worse": "更差",
    "rung_enough": "足够",
    "below_best": "低于最佳",
    "p_corrected": "p 值",
    "a_picture": "每张用时",
    "model_size": "模型大小",
    "peak_memory": "内存",
    "train_time": "训练用时",
    "time_axis": "每张用时",
    "size_axis": "模型大小",
    "time_caption": "横轴：每张图片从读入到得出结果的用时；纵轴：准确率。",
    "size_caption": "横轴：模型大小；纵轴：准确率。",
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
    "top_k": "Top-{k} 准确率",
    "balanced_accuracy": "均衡准确率",
    "macro_f1": "宏平均 F1",
    "micro_f1": "微平均 F1",
    "wrong_labels": "标签判定错误的比例",
    "coverage": "作出判定的比例",
    "decided_accuracy": "已判定部分的准确率",
    "auc": "ROC 曲线下面积",
    "average_precision": "平均精度",
    "set_coverage": "包含真实类别的集合",
    "strange_auroc": "异常分数指向错误的能力（AUROC）",
    "mean_size": "集合中的标签数",
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
    "ranking": "能否把每个类别与其余区分开？",
    "ranking_lead": (
        "每个类别与其余所有类别相比，共 {classes} 个；粗线为平均。ROC 曲线下面积 {auc}：某类别的"
        "图片得到该类别的概率高于其他图片的可能性。平均精度 {ap}。"
    ),
    "roc": "检出率与误报率（ROC）",
    "roc_axis": "横轴：其他图片被误认为该类别的比例；纵轴：该类别被检出的比例。",
    "roc_alt": "检出率随误报率的变化；平均曲线下面积为 {auc}。",
    "pr": "精确率与召回率",
    "pr_axis": "横轴：该类别被检出的比例（召回率）；纵轴：检出者中正确的比例。",
    "pr_alt": "精确率随召回率的变化；平均精度为 {ap}。",
    "by_coverage": "如果只在有把握时作答？",
    "by_coverage_lead": (
        "从最有把握的答案开始作答。全部作答时正确率为 {all}，最有把握的一半为 {half}。"
    ),
    "by_coverage_set": (
        "若模型改为给出一组标签，其中 {coverage} 的集合包含真实类别（95% 置信区间 {low} 至 "
        "{high}），平均每组 {size} 个标签。"
    ),
    "by_coverage_alt": "正确率随作答比例的变化；全部作答时为 {all}。",
    "by_coverage_axis": "横轴：作答图片的比例；纵轴：其中正确的比例。",
    "slices": "薄弱之处",
    "slices_lead": (
        "测试图片各部分的准确率，从低到高排列。p 值：该部分与其余部分的差异是否超出偶然（Fisher "
        "精确检验，按所有部分以 Holm 法校正）。"
    ),
    "slice_by": "划分依据",
    "slice_value": "取值",
    "slice_none": "无",
    "below_all": "低于总体",
    "more_slices": "其余 {n} 个部分",
    "pairs": "最常混淆的类别对",
    "pairs_lead": "每对中最有把握的错误：它们有什么共同之处？",
    "pair": "“{truth}”误认为“{answer}”",
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
