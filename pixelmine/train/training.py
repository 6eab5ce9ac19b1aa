"""The job `train`: pictures to a bundle."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from pixelmine.classify import Head
from pixelmine.classify.learn import Asked, Learned, learn
from pixelmine.evaluate import evaluate_multilabel
from pixelmine.evaluate.interval import Rate
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Metric, Training

from .checkpoint import forget
from .events import Events
from .jobs import TrainJob
from .pixels import forget_pixels
from .plan import Plan
from .trained import Trained

__all__ = ["train"]


def train(plan: Plan, events: Events) -> None:
    """Train, export and write the bundle; the last event is `done`."""
    start = time.monotonic()
    module, _, name = plan.recipe.trainer.partition(":")
    trained: Trained = getattr(import_module(module), name)(plan, events)
    bundle = _bundle(plan, trained, time.monotonic() - start, events)
    bundle.save(Path(plan.job.out))
    forget_pixels(plan.job.state_folder)
    forget(plan.job.state_folder)
    events.finish()
    _done(plan, bundle, trained, time.monotonic() - start, events)


def _bundle(plan: Plan, trained: Trained, seconds: float, events: Events) -> Bundle:
    job, examples, recipe, judged = plan.job, plan.examples, plan.recipe, trained.judged
    learned = learn(
        judged.logits,
        judged.embedding,
        judged.y,
        task=examples.task,
        asked=_asked(job),
        seed=job.seed,
        groups=judged.groups,
    )
    for note in learned.notes:
        events.note(note)
    card = Card(
        name=job.name or Path(job.out).stem,
        description=_description(plan, trained),
        licence="as the training pictures'",
        source=f"trained with Pixelmine's recipe {recipe.name}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        input=trained.input,
        features=trained.features,
        embedding_dimensions=trained.golden[0].embedding.size,
        labels=examples.labels,
        preprocessing=examples.preprocessing.to_card(),
        metrics=_metrics(plan, trained, learned),
        training=_training(plan, trained, seconds),
        builder=trained.builder,
        files={},
        **learned.parts(),
    )
    files = {
        "model.onnx": trained.onnx,
        "seen.bin": Bundle.seen(examples.picture_ids, plan.earlier),
    }
    return Bundle.make(card, {**files, **trained.files, **learned.files}, trained.golden)


def _asked(job: TrainJob) -> Asked:
    """What the model is to be relied on for.

    Calibration by a number for each class would give rare ones back how rarely they are answered.
    """
    found = Asked(coverage=job.coverage, error=job.error, ood=job.ood)
    return replace(found, method="temperature") if job.balanced else found


def _metrics(plan: Plan, trained: Trained, learned: Learned) -> dict[str, Metric]:
    """On the pictures judged: the accuracy; of several labels what `evaluate_multilabel` has."""
    judged, labels = trained.judged, plan.examples.labels
    data = f"{plan.source_name}: {judged.how}"
    if plan.examples.multi:
        head = Head(tuple(labels), learned.calibration, learned.thresholds, "multi")
        probabilities = head.probabilities(judged.logits)
        found = evaluate_multilabel(labels, judged.y, probabilities, head.chosen(probabilities))
        return found.card_metrics(f"{data}; they chose the thresholds too")
    right = judged.logits.argmax(axis=1) == judged.y
    rate = Rate(hits=int(right.sum()), pictures=len(right))
    return {
        "accuracy": Metric(
            value=rate.value, low=rate.low, high=rate.high, pictures=rate.pictures, data=data
        )
    }


def _training(plan: Plan, trained: Trained, seconds: float) -> Training:
    history = trained.history
    return Training(
        recipe=plan.recipe.name,
        seed=plan.job.seed,
        epochs=len(history),
        best_epoch=history.best + 1 if history else 0,
        pictures=trained.learnt,
        held_back=len(plan.examples) - trained.learnt,
        data_digest=plan.examples.data_digest,
        split_id=plan.examples.split_id,
        history=history.for_card(),
        seconds=round(history.seconds or seconds, 1),
        start=plan.earlier.card.digest if plan.earlier else None,
    )


def _description(plan: Plan, trained: Trained) -> str:
    classes, learnt = len(plan.examples.labels), trained.learnt
    even = ", every class counting the same" if plan.job.balanced else ""
    of = f"{learnt} pictures of {plan.source_name}"
    return f"{classes} classes, learnt from {of}{trained.says}{even}."


def _done(plan: Plan, bundle: Bundle, trained: Trained, seconds: float, events: Events) -> None:
    metrics, history = bundle.card.metrics, trained.history
    accuracy = metrics.get("accuracy") or metrics["subset_accuracy"]
    about: dict[str, float] = {}
    if "average_precision" in metrics:
        about["held_back_average_precision"] = metrics["average_precision"].value
    if history:
        about |= {
            "epochs": len(history),
            "best_epoch": history.best + 1,
            "train_seconds": round(history.seconds, 1),
            "images_per_s": round(trained.learnt * len(history) / history.seconds, 1),
        }
    events.send(
        "done",
        bundle=str(Path(plan.job.out).absolute()),
        digest=bundle.card.digest,
        recipe=plan.recipe.name,
        pictures=trained.learnt,
        held_back=len(trained.judged.y),
        labels=plan.examples.labels,
        held_back_accuracy=accuracy.value,
        held_back_accuracy_low=accuracy.low,
        held_back_accuracy_high=accuracy.high,
        seconds=round(seconds, 1),
        **about,
    )
