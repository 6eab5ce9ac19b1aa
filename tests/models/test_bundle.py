"""A bundle is used only if every byte of it is what it was made to be."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.core.errors import ModelError
from pixelmine.models import Bundle, Card, load_bundle
from pixelmine.models.card import Input
from pixelmine.models.golden import GoldenPicture, golden_bytes
from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize

STEPS = Preprocessing(
    decode=DecodeOptions(colour="grey"), steps=(Resize(height=4, width=4), Normalise())
)


def graph(**changes: object) -> onnx.ModelProto:
    """Mean of a 4x4 grey picture as embedding; two logits from it."""
    mean = helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0)
    embedding = helper.make_node("Identity", ["mean"], ["embedding"])
    logits = helper.make_node("MatMul", ["mean", "weight"], ["logits"])
    weight = numpy_helper.from_array(np.array([[1.0, -1.0]], np.float32), "weight")
    made = helper.make_graph(
        changes.get("nodes", [mean, embedding, logits]),
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 4, 4, 1])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 1]),
        ],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17), *changes.get("opsets", [])]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def card(**changes: object) -> Card:
    values: dict[str, object] = {
        "name": "tiny",
        "description": "mean brightness",
        "licence": "Apache-2.0",
        "source": "a test",
        "created": "2026-11-23T00:00:00+00:00",
        "input": Input(dtype="float32", height=4, width=4, channels=1),
        "embedding_dimensions": 1,
        "labels": ["bright", "dark"],
        "preprocessing": STEPS.to_card(),
        "files": {},
    }
    return Card(**{**values, **changes})


def golden(name: str = "drawn.png") -> GoldenPicture:
    from pixelmine.core import Limits

    pixels = STEPS.prepare(golden_bytes(name), Limits())
    mean = np.array([pixels.mean()], np.float32)
    return GoldenPicture(name, golden_bytes(name), np.array([mean[0], -mean[0]]), mean)


@pytest.fixture
def bundle() -> Bundle:
    return Bundle.make(card(), {"model.onnx": graph().SerializeToString()}, [golden()])


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    bundle.save(tmp_path / "tiny.bundle")
    return tmp_path / "tiny.bundle"


def test_a_folder_and_a_zip_give_the_same_bundle_back(bundle: Bundle, tmp_path: Path) -> None:
    for name in ("a.bundle", "a.zip"):
        bundle.save(tmp_path / name)
        assert Bundle.load(tmp_path / name) == bundle


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("position", [0.1, 0.5, 0.9])
def test_one_changed_byte_in_any_file_is_refused(folder: Path, position: float) -> None:
    names = [path.relative_to(folder) for path in _files(folder)]
    assert len(names) == 4
    for name in names:
        whole = (folder / name).read_bytes()
        at = int(len(whole) * position)
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ModelError):
            Bundle.load(folder)
        (folder / name).write_bytes(whole)
    Bundle.load(folder)


def test_a_missing_an_added_and_a_linked_file_are_refused(folder: Path) -> None:
    (folder / "extra.py").write_text("print('no')")
    with pytest.raises(ModelError, match=r"extra\.py"):
        Bundle.load(folder)
    (folder / "extra.py").unlink()
    model = folder / "model.onnx"
    shutil.move(model, folder.parent / "elsewhere")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        Bundle.load(folder)
    model.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(ModelError, match="symbolic link"):
        Bundle.load(folder)


def test_what_is_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model bundle"):
        Bundle.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"card\.json"):
        Bundle.load(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"not a zip")
    with pytest.raises(ModelError, match="not a model bundle"):
        Bundle.load(tmp_path / "x.zip")
    with pytest.raises(ModelError, match="no model named"):
        load_bundle("no-such-model")


def test_a_zip_cannot_hold_files_outside_its_places(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("../escape.png", b"x")
    with pytest.raises(ModelError, match="no place"):
        Bundle.load(tmp_path / "a.zip")
    assert not (tmp_path.parent / "escape.png").exists()


def test_a_card_with_a_digest_of_its_own_for_a_foreign_file_is_refused(bundle: Bundle) -> None:
    import hashlib

    files = {**bundle.files, "run.py": b"print()"}
    digests = {**bundle.card.files, "run.py": hashlib.sha256(b"print()").hexdigest()}
    forged = bundle.card.model_copy(update={"files": digests}).sealed()
    with pytest.raises(ModelError, match="no place for a file named"):
        Bundle.check(forged, files)


def test_a_zip_that_inflates_is_refused_before_it_does(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(50_000_000))
    with pytest.raises(ModelError, match="only stores"):
        Bundle.load(tmp_path / "b.zip")


def test_a_golden_set_must_hold_pictures_that_fit() -> None:
    files = {"model.onnx": graph().SerializeToString()}
    with pytest.raises(ModelError, match="golden set"):
        Bundle.make(card(), files, [])
    right = golden()
    wrong = GoldenPicture(right.name, right.data, right.logits[:1], right.embedding)
    with pytest.raises(ModelError, match="does not fit the card"):
        Bundle.make(card(), files, [wrong])


def test_steps_that_do_not_fit_the_network_are_a_model_error() -> None:
    from pixelmine.pipeline import load_model

    for steps in (
        Preprocessing(decode=DecodeOptions(colour="grey"), steps=(Normalise(),)),
        Preprocessing(decode=DecodeOptions(colour="grey"), steps=(Resize(height=4, width=4),)),
        Preprocessing(steps=(Resize(height=4, width=4), Normalise(mean=(1.0, 2.0)))),
    ):
        made = Bundle.make(
            card(preprocessing=steps.to_card()),
            {"model.onnx": graph().SerializeToString()},
            [golden()],
        )
        with pytest.raises(ModelError, match="cannot be used here"):
            load_model(made, "onnxruntime", "f32")


def test_custom_operators_are_refused() -> None:
    node = helper.make_node("Evil", ["pixels"], ["logits"], domain="com.example")
    model = graph(nodes=[node], opsets=[helper.make_opsetid("com.example", 1)])
    with pytest.raises(ModelError, match="not ONNX's own"):
        Bundle.make(card(), {"model.onnx": model.SerializeToString()}, [golden()])


def test_tensors_outside_the_file_are_refused_wherever_they_hide() -> None:
    def outside(tensor: TensorProto) -> None:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../../etc/passwd"

    model = graph()
    outside(model.graph.initializer[0])
    with pytest.raises(ModelError, match="in another file"):
        Bundle.make(card(), {"model.onnx": model.SerializeToString()}, [golden()])

    hidden = graph()
    constant = helper.make_node(
        "Constant", [], ["c"], value=numpy_helper.from_array(np.zeros(1, np.float32), "c")
    )
    outside(constant.attribute[0].t)
    hidden.graph.node.insert(0, constant)
    with pytest.raises(ModelError, match="in another file"):
        Bundle.make(card(), {"model.onnx": hidden.SerializeToString()}, [golden()])


def test_functions_of_its_own_are_refused() -> None:
    model = graph()
    model.functions.add(name="f", domain="local")
    with pytest.raises(ModelError, match="functions of its own"):
        Bundle.make(card(), {"model.onnx": model.SerializeToString()}, [golden()])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["a", "b", "c"]}, "logits must be"),
        ({"embedding_dimensions": 3}, "embedding must be"),
        ({"input": Input(dtype="uint8", height=4, width=4, channels=1)}, "must take uint8"),
        ({"input": Input(dtype="float32", height=5, width=4, channels=1)}, "must take float32"),
    ],
)
def test_a_network_that_does_not_fit_its_card_is_refused(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        Bundle.make(card(**changes), {"model.onnx": graph().SerializeToString()}, [golden()])


def test_bytes_that_are_no_network_are_refused() -> None:
    with pytest.raises(ModelError, match="not a valid ONNX model"):
        Bundle.make(card(), {"model.onnx": b"\x00\x01 nonsense"}, [golden()])


def test_the_digest_covers_what_changes_an_answer_and_nothing_else(bundle: Bundle) -> None:
    from pixelmine.models.card import Calibration, Metric, Thresholds

    same = bundle.card.model_copy(
        update={"metrics": {"accuracy": Metric(value=1, low=0, high=1, pictures=1, data="x")}}
    )
    assert same.digest == bundle.card.digest
    for update in (
        {"labels": ["dark", "bright"]},
        {"calibration": Calibration(method="temperature", temperature=2.0)},
        {"thresholds": Thresholds(decision=0.5)},
        {"preprocessing": {}},
        {"files": {**bundle.card.files, "model.onnx": "0" * 64}},
    ):
        assert bundle.card.model_copy(update=update).digest != bundle.card.digest
    head = bundle.card.model_copy(update={"thresholds": Thresholds(decision=0.5)})
    assert head.embedding_digest == bundle.card.embedding_digest


def test_cards_that_are_not_cards_are_refused(bundle: Bundle) -> None:
    good = json.loads(bundle.card.model_dump_json())
    for broken in (
        "[]",
        "{",
        json.dumps({**good, "labels": ["a", "a"]}),
        json.dumps({**good, "code": "import os"}),
        json.dumps({**good, "card_version": 2}),
        json.dumps({**good, "name": "other"}),
    ):
        with pytest.raises(ModelError, match="card"):
            Card.parse(broken)
    assert Card.parse(json.dumps(good)) == bundle.card


def test_seen_pictures_are_found_by_their_first_eight_bytes(bundle: Bundle) -> None:
    trained = [f"{number:064x}" for number in (3, 2**255, 7)]
    data = Bundle.seen([*trained, trained[0]])
    assert len(data) % 8 == 0
    assert list(np.frombuffer(data, ">u8")) == sorted(np.frombuffer(data, ">u8"))
    model = Bundle(bundle.card, {**bundle.files, "seen.bin": data})
    assert model.has_seen([trained[1], "f" * 64]) == [trained[1]]
    assert bundle.has_seen(trained) == []


def test_a_full_disk_leaves_the_old_bundle(
    bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine.core.errors import OutputError

    before = {path: path.read_bytes() for path in _files(folder)}

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        bundle.save(folder)
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in _files(folder)} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
