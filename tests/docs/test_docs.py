"""The documentation names everything there is, its links lead somewhere, and its commands run."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.main import get_command

import pixelmine
from pixelmine.api.demo_pictures import copy_photographs, write_digits
from pixelmine.api.work import Commits
from pixelmine.cli.main import app
from pixelmine.core import Limits, Reason
from pixelmine.core.ids import uri_path
from pixelmine.core.schema import (
    IMAGES,
    LABELS,
    RESULTS,
    SPLITS,
    features_schema,
    predictions_schema,
)
from pixelmine.engine.engine import FEW
from pixelmine.engine.stage import BATCH_ROWS
from pixelmine.features.embedding import BATCH
from pixelmine.models import Bundle, Card
from pixelmine.models.card import Input, Training
from pixelmine.models.golden import SHIPPED, GoldenPicture, golden_bytes
from pixelmine.output import parts
from pixelmine.output.formats import CSV_COLUMNS
from pixelmine.preprocess import STEPS, DecodeOptions, Normalise, Preprocessing, Resize
from pixelmine.preprocess.decode import RULES
from pixelmine.store import Collection, find_split, labelled_pictures

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = DOCS / "reference" / "commands.md"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = sorted(
    [*READMES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")], key=str
)
WRITTEN = [page for page in PAGES if page != GENERATED]


def reference(name: str) -> str:
    return (DOCS / "reference" / name).read_text("utf-8")


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks in these languages, without their fences."""
    fences = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    return [text for language, text in fences if language in languages]


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with its words."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield words, command
        return
    for name, inner in inside.items():
        yield from commands(inner, (*words, name))


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"| `{reason}` | {reason.meaning} |" in reference("reasons.md")


def test_no_reason_is_explained_that_there_is_not() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", reference("reasons.md"), re.M)
    assert sorted(rows) == sorted(Reason)


def test_every_environment_variable_is_explained() -> None:
    found = set()
    for file in (ROOT / "pixelmine").rglob("*.py"):
        lines = file.read_text("utf-8").splitlines()
        for place, line in enumerate(lines):
            if re.search(r"\bos\.(environ|getenv)\b", line):
                near = "\n".join(lines[max(0, place - 1) : place + 2])
                found |= set(re.findall(r"[\"']([A-Z][A-Z0-9_]+)[\"']", near))
                found |= set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", near))
    assert {"PIXELMINE_CACHE", "DO_NOT_TRACK"} <= found
    text = reference("environment.md")
    assert [name for name in sorted(found) if f"`{name}" not in text] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_named(words: tuple[str, ...]) -> None:
    text = "\n".join(page.read_text("utf-8") for page in WRITTEN)
    assert re.search(rf"\bpixelmine {' '.join(words)}\b", text)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("results.md", [*RESULTS.names, *CSV_COLUMNS]),
        ("collection.md", [*IMAGES.names, *LABELS.names, *SPLITS.names]),
        ("collection.md", [*features_schema(1).names, *predictions_schema(1).names]),
        ("bundle.md", [*Card.model_fields, *Training.model_fields, *Input.model_fields]),
        ("bundle.md", [*STEPS, *RULES]),
    ],
)
def test_every_column_field_and_step_is_named(page: str, names: list[str]) -> None:
    text = reference(page)
    assert [name for name in names if f"`{name}`" not in text] == []


def test_limits_are_those_of_the_program() -> None:
    text = reference("limits.md")
    assert f"{Limits().max_bytes:,} bytes" in text
    assert f"{Limits().max_pixels:,} pixels" in text
    assert f"| rows of one batch in the engine | {BATCH_ROWS} |" in text
    assert f"| pictures in one call of the network | {BATCH} |" in text
    assert f"| rows up to which `--engine auto` is `local` | {FEW} |" in text
    assert f"every {parts.SECONDS:.0f} seconds or {parts.ROWS:,} rows" in text
    assert f"every {Commits.SECONDS:.0f} seconds or {Commits.ROWS:,} rows" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """What GitHub calls the page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in headings}


def test_the_index_links_every_page() -> None:
    links = re.findall(r"\]\(([^)#\s]+)", (DOCS / "index.md").read_text("utf-8"))
    linked = {(DOCS / link).resolve() for link in links}
    assert set(DOCS.rglob("*.md")) - linked == {DOCS / "index.md"}


def test_both_readmes_have_the_same_commands() -> None:
    english, chinese = (blocks(page, "sh", "console") for page in READMES)
    assert english == chinese


def test_the_page_of_commands_is_up_to_date() -> None:
    ran = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_have_the_options_they_are_shown_with(page: Path) -> None:
    for block in blocks(page, "sh", "console"):
        for line in re.findall(r"^(?:\$ )?pixelmine (.+)$", block, re.M):
            words = shlex.split(line)
            name = next(tuple(words[:n]) for n in (1, 2, 3) if tuple(words[:n]) in COMMANDS)
            known = {
                option
                for one in COMMANDS[name].params
                for option in (*one.opts, *one.secondary_opts)
            }
            used = {word for word in words if word.startswith("--")}
            assert used <= known, line


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_on_a_page_uses_names_that_there_are(page: Path) -> None:
    for block in blocks(page, "python", "py"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "pixelmine" or hasattr(pixelmine, node.attr), node.attr


@dataclass(frozen=True)
class Step:
    """A command of the README and what it shows; `printed` when it has run."""

    command: str
    shown: list[str]

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.command)[1:]


def readme_steps() -> list[Step]:
    """The commands in the README's console blocks, in order."""
    steps = []
    for block in blocks(READMES[0], "console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *shown = part.splitlines()
            steps.append(Step(command, shown))
    return steps


STEPS_SHOWN = readme_steps()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `make demo` leaves, as far as the README uses it."""
    folder = tmp_path_factory.mktemp("demo")
    copy_photographs(folder / "photographs")
    write_digits(folder / "digits")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, tuple[int, list[str]]]:
    """Exit code and lines of each of the README's commands, run one after the other.

    Training is left to other tests: a linear model takes the place of what it would write.
    """
    found = {}
    for step in STEPS_SHOWN:
        if step.arguments[0] == "train":
            stand_in(folder / "tour.pixels", folder / "tour.bundle")
            continue
        ran = run(folder, "-m", "pixelmine", *step.arguments)
        found[step.command] = (ran.returncode, ran.stdout.splitlines())
    return found


@pytest.mark.xdist_group("readme")
@pytest.mark.parametrize(
    "step",
    [step for step in STEPS_SHOWN if step.arguments[0] != "train"],
    ids=lambda step: step.command,
)
def test_the_readme_shows_what_is_printed(
    step: Step, printed: dict[str, tuple[int, list[str]]]
) -> None:
    code, lines = printed[step.command]
    assert code == (3 if "--strict" in step.arguments else 0), lines
    counted = step.arguments[0] not in ("split", "evaluate")
    wanted = Counter(stable(line, counted) for line in step.shown if line != "...")
    given = Counter(stable(line, counted) for line in lines if line.strip())
    assert wanted - given == Counter(), lines
    if "..." not in step.shown:
        assert given - wanted == Counter()


@pytest.mark.xdist_group("readme")
def test_the_python_guide_runs(folder: Path, printed: object) -> None:
    script = "\n".join(blocks(DOCS / "how-to" / "use-from-python.md", "python"))
    ran = run(folder, "-c", script)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("SourceError There is no file or folder")


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PIXELMINE_CACHE": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stable(line: str, counted: bool) -> tuple[str, ...]:
    """The words of a line without what differs between machines, in no order.

    Those are fractions, percentages, ids, bars and the runtime; counts too where they are not
    `counted`, since another version of OpenCV may write other bytes and so make another split.
    """
    line = re.sub(r"\b[0-9a-f]{64}\b", "ID", line)
    line = re.sub(r"\b\d+\.\d+%?", "SHARE", line)
    line = re.sub(r"\b(onnxruntime|openvino) (f32|bf16)\b", "RUNTIME", line)
    line = re.sub("█+", "BAR", line)
    if not counted:
        line = re.sub(r"\b\d[\d,]*\b", "COUNT", line)
    return tuple(sorted(word.strip(",.()") for word in line.split()))


def stand_in(collection: Path, out: Path) -> None:
    """A bundle of a linear model, fitted to the part `train` by least squares."""
    preprocessing = Preprocessing(
        decode=DecodeOptions(colour="grey"),
        steps=(Resize(height=28, width=28), Normalise()),
    )

    def pixels(data: bytes) -> np.ndarray:
        found = preprocessing.prepare(data, Limits())
        assert isinstance(found, np.ndarray)
        return found.reshape(-1)

    with Collection.open(collection) as opened:
        split = find_split(opened, opened.splits.read(["split_id"])["split_id"][0].as_py())
        rows = [
            row for row in labelled_pictures(opened, split).to_pylist() if row["part"] == "train"
        ]
    x = np.stack([pixels(uri_path(row["uri"]).read_bytes()) for row in rows])
    labels = sorted({row["labels"][0] for row in rows})
    y = np.eye(len(labels))[[labels.index(row["labels"][0]) for row in rows]]
    weights = np.linalg.lstsq(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y, rcond=None)[0]
    weights = (10 * weights).astype(np.float32)
    golden = [
        GoldenPicture(name, golden_bytes(name), vector @ weights, vector)
        for name, vector in ((name, pixels(golden_bytes(name))) for name in SHIPPED)
    ]
    card = Card(
        name=out.stem,
        description="A linear model.",
        licence="none",
        source="a test",
        created="2026-11-23",
        input=Input(dtype="float32", height=28, width=28, channels=1),
        embedding_dimensions=x.shape[1],
        labels=labels,
        preprocessing=preprocessing.to_card(),
        training=Training(
            recipe="none",
            seed=1,
            epochs=1,
            best_epoch=1,
            pictures=len(rows),
            held_back=0,
            data_digest="",
            split_id=split,
        ),
        files={},
    )
    files = {
        "model.onnx": linear_network(weights),
        "seen.bin": Bundle.seen(row["picture_id"] for row in rows),
    }
    Bundle.make(card, files, golden).save(out)


def linear_network(weights: np.ndarray) -> bytes:
    """ONNX: `pixels` (N, 28, 28, 1) to `embedding`, flat, and `logits`, times the weights."""
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 28, 28, 1])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", weights.shape[1]]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", weights.shape[0]]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = onnx.ModelProto.SerializeToString(model)
    return data
