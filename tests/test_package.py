"""The package as a whole: its public names, its size, what it says, what it loads."""

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pixelmine

ROOT = Path(__file__).parents[1]
PACKAGE = Path(pixelmine.__file__).parent

PUBLIC = [
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


def _python(code: str) -> str:
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout


def test_the_public_names_are_these_in_the_order_of_the_flow() -> None:
    assert pixelmine.__all__ == PUBLIC
    for name in PUBLIC:
        assert getattr(pixelmine, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = pixelmine.nothing_like_it


def test_no_public_name_is_hidden_by_a_subpackage() -> None:
    """Importing `pixelmine.x` sets the attribute `x` of the package, whatever was there."""
    modules = {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
    assert not modules & set(PUBLIC)


def test_importing_it_loads_nothing_heavy() -> None:
    loaded = json.loads(
        _python("import pixelmine, sys, json; print(json.dumps(sorted(sys.modules)))")
    )
    heavy = {"numpy", "pyarrow", "daft", "lance", "onnx", "openvino", "keras", "tensorflow", "cv2"}
    assert not heavy & set(loaded)


def test_help_loads_neither_runtime_nor_table_nor_framework() -> None:
    code = (
        "import sys, json, contextlib, io\n"
        "from pixelmine.cli.main import app\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    app(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    heavy = {"numpy", "pyarrow", "daft", "lance", "onnx", "onnxruntime", "openvino", "keras"}
    assert not heavy & set(json.loads(_python(code)))


def test_predicting_works_where_no_training_framework_can_be_imported(tmp_path: Path) -> None:
    """Bars the modules of the `train` extra, which stands for an install without it."""
    code = f"""
import sys
class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "tensorflow", "tf2onnx", "h5py", "jax", "torch"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Barred())
from importlib.resources import files
import pixelmine
folder = files("sklearn.datasets") / "images"
found = pixelmine.predict(folder, out=r"{tmp_path}/r.jsonl")
pixelmine.ingest([folder], r"{tmp_path}/c")
print(found.counts.ok, pixelmine.predict(r"{tmp_path}/c").counts.ok)
"""
    assert _python(code).split() == ["2", "2"]


def test_no_python_file_is_longer_than_500_lines() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert len(files) > 100
    long = {path.name: n for path in files if (n := len(path.read_text().splitlines())) > 500}
    assert not long


def test_nothing_is_unpickled_and_no_string_is_run() -> None:
    """The one reader of a pickle is torch_file.py: an allow-list of names, at conversion only."""
    found = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bpickle\b|\beval\(|\bexec\(|shell=True|joblib", path.read_text())
    }
    assert found <= {"torch_file.py"}


def test_broad_excepts_and_ignores_say_why() -> None:
    marks = r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[a-z-, ]+\])|except (?:Base)?Exception\b[^:]*:"
    bare = []
    for path in (*PACKAGE.rglob("*.py"), *Path(__file__).parent.rglob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            mark = re.search(f"(?:{marks})(.*)", line)
            if mark and not mark[1].strip(" #-") and path != Path(__file__):
                bare.append(f"{path.name}:{number}: {line.strip()}")
    assert not bare
