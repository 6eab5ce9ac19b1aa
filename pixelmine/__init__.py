"""Pixelmine: from a pile of pictures to recognised, private, trustworthy data.

Start with `pixelmine.predict("FOLDER")`, or read `pixelmine/pipeline.py`.
"""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

# No telemetry, a dependency's neither. Each of these was seen to call home (2026-11): Daft and ONNX
# Runtime unless told not to, OpenVINO on import unless its telemetry package cannot be imported.
os.environ.update(DO_NOT_TRACK="1", ORT_DISABLE_TELEMETRY="1", RAY_USAGE_STATS_ENABLED="0")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None bars an import

_HOMES = {
    "ingest": "pixelmine.api.ingest",
    "label_summary": "pixelmine.api.labels",
    "set_label": "pixelmine.api.labels",
    "undo_label": "pixelmine.api.labels",
    "mine_duplicates": "pixelmine.api.mine.duplicates",
    "make_plan": "pixelmine.api.mine.plan",
    "apply_plan": "pixelmine.api.mine.plan",
    "undo_plan": "pixelmine.api.mine.plan",
    "mine_quality": "pixelmine.api.mine.quality",
    "mine_outliers": "pixelmine.api.mine.outliers",
    "mine_label_errors": "pixelmine.api.mine.label_errors",
    "mine_clusters": "pixelmine.api.mine.clusters",
    "mine_associations": "pixelmine.api.mine.associations",
    "mine_drift": "pixelmine.api.mine.drift",
    "mine_next": "pixelmine.api.mine.to_label",
    "mine_report": "pixelmine.api.mine.report",
    "search": "pixelmine.api.search",
    "export_collection": "pixelmine.api.export",
    "split": "pixelmine.api.split",
    "train_model": "pixelmine.api.train",
    "evaluate_model": "pixelmine.api.evaluate",
    "compare_recipes": "pixelmine.api.compare",
    "predict": "pixelmine.api.predict",
    "import_model": "pixelmine.api.train",
    "SourceOptions": "pixelmine.input",
    "LabelOptions": "pixelmine.input.labels",
    "EngineOptions": "pixelmine.engine",
    "SplitOptions": "pixelmine.evaluate",
    "Collection": "pixelmine.store",
    "Bundle": "pixelmine.models",
    "PixelmineError": "pixelmine.core.errors",
}

__version__ = version("pixelmine")
__all__ = [  # noqa: RUF022  in the order of the flow
    "ingest",
    "label_summary",
    "set_label",
    "undo_label",
    "mine_duplicates",
    "make_plan",
    "apply_plan",
    "undo_plan",
    "mine_quality",
    "mine_outliers",
    "mine_label_errors",
    "mine_clusters",
    "mine_associations",
    "mine_drift",
    "mine_next",
    "mine_report",
    "search",
    "export_collection",
    "split",
    "train_model",
    "evaluate_model",
    "compare_recipes",
    "predict",
    "import_model",
    "SourceOptions",
    "LabelOptions",
    "EngineOptions",
    "SplitOptions",
    "Collection",
    "Bundle",
    "PixelmineError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import pixelmine` alone loads nothing heavy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pixelmine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
