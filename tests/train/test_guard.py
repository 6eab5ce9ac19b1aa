"""Files made to do harm are refused before Keras sees them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from pixelmine.core.errors import TrainError, UsageError
from pixelmine.train.guard import guarded_copy

LABELS = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def saved(article_model: Any, save: Any, tmp_path_factory: Any) -> dict[str, bytes]:
    """The entries of an honest `.keras` file."""
    path = save(article_model, tmp_path_factory.mktemp("saved") / "my.keras")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def edited(saved: dict[str, bytes], change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    config = json.loads(saved["config.json"])
    change(config)
    return {**saved, "config.json": json.dumps(config).encode()}


def test_an_honest_file_is_copied_without_what_is_not_needed(
    saved: dict[str, bytes], tmp_path: Path
) -> None:
    assert b"compile_config" in saved["config.json"]
    with zipfile.ZipFile(guarded_copy(packed(saved), tmp_path)) as archive:
        assert set(archive.namelist()) == set(saved)
        assert archive.read("model.weights.h5") == saved["model.weights.h5"]
        assert b"compile_config" not in archive.read("config.json")


def with_code(keras: ModuleType) -> Any:
    return keras.layers.Lambda(lambda x: x * 2)


def registered(keras: ModuleType) -> Any:
    @keras.saving.register_keras_serializable(package="mine")
    class Mine(keras.layers.Dense):  # type: ignore[misc, name-defined]  # a fixture
        pass

    return Mine(10)


def disguised(keras: ModuleType) -> Any:
    @keras.saving.register_keras_serializable(package="mine", name="Dense")
    class Dense(keras.layers.Dense):  # type: ignore[misc, name-defined]  # a fixture
        pass

    return Dense(10)


@pytest.mark.parametrize(
    ("make", "said"),
    [(with_code, "'Lambda'"), (registered, "'Mine'"), (disguised, "from the module")],
)
def test_foreign_code_is_refused(
    keras: ModuleType, run_job: Any, save: Any, make: Any, said: str, tmp_path: Path
) -> None:
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), make(keras)]
    path = save(keras.Sequential(layers), tmp_path / "bad.keras")
    ran = run_job("import", model=path, out=tmp_path / "b", labels=LABELS)
    assert (ran.status, ran.last["kind"]) == (1, "TrainError")
    assert said in ran.last["message"]
    assert not (tmp_path / "b").exists()


def module_of_a_layer(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["module"] = "os"


def registered_in_disguise(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["registered_name"] = "mine>Conv2D"


def function_for_an_activation(config: dict[str, Any]) -> None:
    config["config"]["layers"][1]["config"]["activation"] = {
        "module": "builtins",
        "class_name": "function",
        "config": "eval",
        "registered_name": "function",
    }


def code_in_an_initializer(config: dict[str, Any]) -> None:
    layer = config["config"]["layers"][1]["config"]
    layer["kernel_initializer"] = {"class_name": "__lambda__", "config": {"value": "4wEAAA=="}}


def file_of_words(config: dict[str, Any]) -> None:
    config["config"]["layers"].append(
        {
            "module": "keras.layers",
            "class_name": "StringLookup",
            "config": {"vocabulary": "/etc/passwd"},
            "registered_name": None,
        }
    )


def depth(config: dict[str, Any]) -> None:
    inner: list[Any] = []
    for _ in range(100):
        inner = [inner]
    config["config"]["layers"].append(inner)


def no_network(config: dict[str, Any]) -> None:
    config["class_name"] = "Dense"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (module_of_a_layer, "module 'os'"),
        (registered_in_disguise, "'mine>Conv2D'"),
        (function_for_an_activation, "'function'"),
        (code_in_an_initializer, "'__lambda__'"),
        (file_of_words, "'StringLookup'"),
        (depth, "nested more than"),
        (no_network, "no network"),
    ],
)
def test_a_config_with_more_than_layers_is_refused(
    saved: dict[str, bytes], change: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainError, match=said):
        guarded_copy(packed(edited(saved, change)), tmp_path)


def test_a_zip_bomb_is_refused(saved: dict[str, bytes], run_job: Any, tmp_path: Path) -> None:
    entries = {**saved, "model.weights.h5": bytes(64 * 2**20)}
    path = tmp_path / "bomb.keras"
    path.write_bytes(packed(entries, zipfile.ZIP_DEFLATED))
    ran = run_job("import", model=path, out=tmp_path / "b", labels=LABELS)
    assert (ran.status, ran.last["kind"]) == (1, "TrainError")
    assert "bomb" in ran.last["message"]


@pytest.mark.parametrize("name", ["../evil", "assets/words.txt", "config.json/", "model.pkl"])
def test_an_entry_without_a_place_is_refused(
    saved: dict[str, bytes], name: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainError, match="no place"):
        guarded_copy(packed({**saved, name: b"x"}), tmp_path)


def test_an_entry_that_comes_twice_is_refused(saved: dict[str, bytes], tmp_path: Path) -> None:
    data = packed(saved | {"Config.json": saved["config.json"]})
    with pytest.raises(TrainError, match="no place"):
        guarded_copy(data.replace(b"Config.json", b"config.json"), tmp_path)


def test_damaged_compression_is_refused(saved: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(packed(saved, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        entry = archive.infolist()[0]
    start = entry.header_offset + 30 + len(entry.filename)
    data[start] = 0xFF  # a block of the reserved type
    with pytest.raises(TrainError, match="damaged"):
        guarded_copy(bytes(data), tmp_path)


def test_a_missing_entry_is_said(saved: dict[str, bytes], tmp_path: Path) -> None:
    rest = {name: data for name, data in saved.items() if name != "model.weights.h5"}
    with pytest.raises(TrainError, match=r"lacks model\.weights\.h5"):
        guarded_copy(packed(rest), tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK", b"\x80\x04pickle", b"\x08\x07saved_model"])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a network saved by Keras"):
        guarded_copy(data, tmp_path)


def external_link(file: h5py.File, other: Path) -> None:
    file["layers/stolen"] = h5py.ExternalLink(str(other), "/secret")


def soft_link(file: h5py.File, other: Path) -> None:
    file["layers/soft"] = h5py.SoftLink("/layers")


def itself(file: h5py.File, other: Path) -> None:
    file["layers/again"] = file["layers"]


def external_storage(file: h5py.File, other: Path) -> None:
    file.create_dataset("stolen", (10,), "u1", external=[(str(other), 0, 10)])


def virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "secret", (10,))
    file.create_virtual_dataset("stolen", layout)


def huge(file: h5py.File, other: Path) -> None:
    file.create_dataset("huge", (2**40,), "f4", chunks=(2**20,), compression="gzip")


def reference(file: h5py.File, other: Path) -> None:
    file.create_dataset("pointer", data=file["layers"].ref, dtype=h5py.ref_dtype)


def text(file: h5py.File, other: Path) -> None:
    file.create_dataset("text", data="words")


def pointing_attribute(file: h5py.File, other: Path) -> None:
    file.attrs.create("pointer", file["layers"].ref, dtype=h5py.ref_dtype)


def named_type(file: h5py.File, other: Path) -> None:
    file["type"] = np.dtype("f8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (external_link, "is a link"),
        (soft_link, "is a link"),
        (itself, "group inside itself"),
        (external_storage, "from another file"),
        (virtual, "from another file"),
        (huge, "unpacks to more"),
        (reference, "not numbers"),
        (text, "not numbers"),
        (pointing_attribute, "not text or numbers"),
        (named_type, "Datatype"),
    ],
)
@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_weights_with_more_than_numbers_are_refused(
    saved: dict[str, bytes],
    article_model: Any,
    save: Any,
    spoil: Any,
    said: str,
    kind: str,
    tmp_path: Path,
) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(10, dtype=np.float32)
    weights = tmp_path / "weights.h5"
    if kind == "keras":
        weights.write_bytes(saved["model.weights.h5"])
    else:
        save(article_model, weights)
    with h5py.File(weights, "a") as file:
        file.require_group("layers")
        spoil(file, other)
    entries = {**saved, "model.weights.h5": weights.read_bytes()}
    data = packed(entries) if kind == "keras" else weights.read_bytes()
    with pytest.raises(TrainError, match=said):
        guarded_copy(data, tmp_path)


def test_an_h5_with_an_external_link_is_refused_by_the_job(
    article_model: Any, run_job: Any, save: Any, tmp_path: Path
) -> None:
    path = save(article_model, tmp_path / "my.h5")
    with h5py.File(path, "a") as file:
        layers = file["model_weights"]
        name = next(name for name in layers if name.startswith("dense"))
        del layers[name]
        layers[name] = h5py.ExternalLink("/etc/passwd", "/")
    ran = run_job("import", model=path, out=tmp_path / "b", labels=LABELS)
    assert (ran.status, ran.last["kind"]) == (1, "TrainError")
    assert "is a link" in ran.last["message"]


def test_an_h5_of_weights_alone_is_refused(article_model: Any, save: Any, tmp_path: Path) -> None:
    path = save(article_model, tmp_path / "my.weights.h5")
    with pytest.raises(TrainError, match="only weights"):
        guarded_copy(path.read_bytes(), tmp_path)


@pytest.mark.parametrize("cut", [20, 1000, 100_000])
def test_a_truncated_file_is_refused(
    saved: dict[str, bytes], article_model: Any, save: Any, cut: int, tmp_path: Path
) -> None:
    with pytest.raises(TrainError, match=r"damaged|cannot be read"):
        guarded_copy(packed(saved)[:cut], tmp_path)
    path = save(article_model, tmp_path / "my.h5")
    with pytest.raises(TrainError, match="cannot be read"):
        guarded_copy(path.read_bytes()[:cut], tmp_path)
