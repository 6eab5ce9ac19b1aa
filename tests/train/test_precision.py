from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pixelmine.core.errors import UsageError


@pytest.mark.parametrize(
    ("flags", "computes"),
    [("fpu avx2 fma", False), ("avx512f avx512_vnni", False), ("avx512_bf16 fma", True)],
)
def test_what_the_processor_says(
    keras: ModuleType, tmp_path: Path, flags: str, computes: bool
) -> None:
    from pixelmine.train.precision import computes_bfloat16

    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert computes_bfloat16(tmp_path / "cpuinfo") is computes
    assert not computes_bfloat16(tmp_path / "none")


def test_auto_is_settled_by_the_processor(
    keras: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixelmine.train import precision

    for computes, word in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "computes_bfloat16", lambda computes=computes: computes)
        assert precision.settle("auto") == word
    assert precision.settle("float32") == "float32"
    with pytest.raises(UsageError, match="precision must be one of"):
        precision.settle("float16")


def test_weights_and_probabilities_are_float32_in_any_case(keras: ModuleType) -> None:
    from pixelmine.train.networks_strong import build_strong
    from pixelmine.train.precision import build_in

    network = build_in("bfloat16", lambda: build_strong(16, 16, 1, 2))
    assert keras.config.dtype_policy().name == "float32"
    assert {variable.dtype for variable in network.variables} == {"float32"}
    assert network.get_layer("conv_1").compute_dtype == "bfloat16"
    assert network(np.zeros((1, 16, 16, 1), np.float32)).numpy().dtype == np.float32
