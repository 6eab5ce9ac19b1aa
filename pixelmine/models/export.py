"""A bundle's network as files for other tools, with what one must know to use them."""

from collections.abc import Callable
from pathlib import Path

from pixelmine.core.atomic import replace_folder
from pixelmine.core.errors import ModelError, OutputError

from .bundle import Bundle
from .card_markdown import card_markdown, network_text

__all__ = ["WRITERS", "write_onnx", "write_openvino"]

_README = """\
# {name} for {tool}

`{file}` is a plain network in the format of {tool}. It does not carry what a picture must go
through before it, nor what its numbers mean: that is below. `labels.txt` has the labels, one a
line, in the order of the logits.

{network}

{card}"""


def write_onnx(bundle: Bundle, out: Path) -> None:
    """Make a folder with `model.onnx`, `labels.txt` and `README.md`.

    The network is the bundle's, byte for byte. Raises OutputError.
    """
    _write(bundle, out, "model.onnx", "ONNX", _put_onnx)


def write_openvino(bundle: Bundle, out: Path) -> None:
    """Make a folder with `model.xml`, `model.bin`, `labels.txt` and `README.md`.

    Weights keep float32. The network is read and saved by OpenVINO, not converted: its converter
    sends telemetry (2026.4). Raises ModelError where it cannot read the network, OutputError.
    """
    _write(bundle, out, "model.xml", "OpenVINO", _put_openvino)


WRITERS: dict[str, Callable[[Bundle, Path], None]] = {
    "onnx": write_onnx,
    "openvino": write_openvino,
}
"""By format."""


def _write(
    bundle: Bundle, out: Path, file: str, tool: str, put: Callable[[bytes, Path], None]
) -> None:
    readme = _README.format(
        name=bundle.card.name,
        file=file,
        tool=tool,
        network=network_text(bundle.card),
        card=card_markdown(bundle),
    )
    try:
        with replace_folder(out) as folder:
            put(bundle.files["model.onnx"], folder / file)
            labels = "".join(f"{' '.join(label.split())}\n" for label in bundle.card.labels)
            (folder / "labels.txt").write_text(labels, "utf-8")
            (folder / "README.md").write_text(readme, "utf-8")
    except OSError as error:
        raise OutputError(f"Cannot write {out}: {error.strerror}.") from error


def _put_onnx(network: bytes, path: Path) -> None:
    path.write_bytes(network)


def _put_openvino(network: bytes, path: Path) -> None:
    import openvino

    try:
        model = openvino.Core().read_model(network)
        openvino.save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        raise ModelError(f"OpenVINO cannot take the network: {last}.") from error
