"""The report's fixed words in English. What stands in braces is filled in."""

__all__ = ["ENGLISH"]

ENGLISH = {
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
    "subset_accuracy": "All labels right",
    "subset_accuracy_sentence": (
        "Of {hits} of {pictures} test pictures every label is decided correctly. With 95% "
        "confidence that share lies between {low} and {high}."
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
    "ladder_title": "Which recipe is enough?",
    "ladder_name": "Enough",
    "ladder": "Accuracy against cost",
    "method": "Recipe",
    "ladder_lead": (
        "Every model answered the same {pictures} test pictures. Whiskers are 95% intervals; the "
        "line joins the models that no other beats in both accuracy and cost."
    ),
    "ladder_none": "No recipe could be trained and measured.",
    "ladder_only": "{name} is the only recipe measured, so there is nothing to compare it with.",
    "ladder_fastest": (
        "{name} is both the most accurate and the fastest on these {pictures} pictures."
    ),
    "ladder_best": (
        "{name} is the most accurate, and each faster recipe is significantly worse on these "
        "{pictures} pictures."
    ),
    "ladder_best_margin": (
        "{name} is the most accurate, and no faster one is sure to be within {margin} points of "
        "it: these {pictures} pictures leave more than that open."
    ),
    "ladder_enough": (
        "{name} is enough: it is the fastest recipe whose accuracy, {accuracy}, is not "
        "significantly below that of the best, {best}, {best_accuracy} (p = {p}, corrected). It "
        "may still be worse by up to {most} points, which {pictures} test pictures cannot tell."
    ),
    "ladder_margin": (
        "{name} is enough: it is the fastest recipe that is sure (95%) to be at most {margin} "
        "points less accurate than the best, {best}. It has {accuracy} against {best_accuracy}, at "
        "most {most} points less on the evidence of {pictures} pictures."
    ),
    "ladder_saving": (
        "It takes {seconds} a picture and {size}; the best takes {best_seconds} and {best_size}."
    ),
    "ladder_smallest": "The smallest that is enough is {name}, with {size}.",
    "ladder_uncosted": "What it costs could not be measured.",
    "ladder_failed": "Not measured: {names}.",
    "ladder_alt": "Accuracy over {axis} of {n} models: {names}.",
    "ladder_figures": "Recipe by recipe",
    "ladder_figures_lead": (
        "Below the best: points of accuracy less than the best model, on the same pictures, with "
        "the 95% interval. p: McNemar's exact test, corrected by Holm for the number of recipes."
    ),
    "rung_best": "the most accurate",
    "rung_same": "not shown to be worse",
    "rung_near": "near enough",
    "rung_worse": "worse",
    "rung_enough": "enough",
    "below_best": "Below the best",
    "p_corrected": "p",
    "a_picture": "A picture",
    "model_size": "Model",
    "peak_memory": "Memory",
    "train_time": "Training",
    "time_axis": "time a picture",
    "size_axis": "size of the model",
    "time_caption": "Across: time a picture, from its bytes to the answer. Up: accuracy.",
    "size_caption": "Across: size of the model. Up: accuracy.",
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
    "top_k": "Top-{k} accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "micro_f1": "Micro F1",
    "wrong_labels": "Wrong decisions on a label",
    "coverage": "Share decided",
    "decided_accuracy": "Accuracy where decided",
    "auc": "ROC AUC",
    "average_precision": "Average precision",
    "set_coverage": "Sets that hold the truth",
    "strange_auroc": "Strangeness points at mistakes (AUROC)",
    "mean_size": "Labels in a set",
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
    "ranking": "Can it tell each class from the rest?",
    "ranking_lead": (
        "Each class against all others, {classes} in all; the thick line is their mean. ROC AUC "
        "{auc}: the chance that a picture of a class has a higher probability of it than another. "
        "Average precision {ap}."
    ),
    "roc": "Found against false alarms (ROC)",
    "roc_axis": "Across: share of other pictures taken for the class. Up: share of it found.",
    "roc_alt": "Share found over share of false alarms; the area under the mean curve is {auc}.",
    "pr": "Precision against recall",
    "pr_axis": "Across: share of the class found (recall). Up: how many of those are right.",
    "pr_alt": "Precision over recall; the mean average precision is {ap}.",
    "by_coverage": "What if it only answered when sure?",
    "by_coverage_lead": (
        "Answers are given from the surest down. All of them are right in {all} of cases, the "
        "surest half in {half}."
    ),
    "by_coverage_set": (
        "Where the model gives a set of labels instead, {coverage} of the sets hold the truth "
        "(95% interval {low} to {high}), with {size} labels on average."
    ),
    "by_coverage_alt": "Accuracy over the share of pictures decided; at all of them it is {all}.",
    "by_coverage_axis": "Across: share of pictures decided. Up: share of those that is right.",
    "slices": "Where is it weak?",
    "slices_lead": (
        "Accuracy on parts of the test pictures, the weakest first. p: whether the part differs "
        "from the rest by more than chance (Fisher's exact test, corrected by Holm for all parts)."
    ),
    "slice_by": "By",
    "slice_value": "Value",
    "slice_none": "none",
    "below_all": "Below all",
    "more_slices": "The other {n} parts",
    "pairs": "The pairs mixed up most",
    "pairs_lead": "The surest mistakes of each pair: what do they have in common?",
    "pair": "{truth}, taken for {answer}",
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
