"""Read the tensors of a PyTorch weights file without PyTorch.

Why a pickle reader is in this package at all: the weights of some networks come inside an
installed Python package, in torch's old file layout, which is pickle. This reader is for those
files alone. It is given the bytes only after their SHA-256 matched a pinned one, it runs only when
such a file is converted, and never when predicting. A file that a user hands over is never read
with it. The allowlists below are the second lock, not the first.

The layout is that of `_legacy_save` in `torch/serialization.py`, the default before PyTorch 1.6:
one pickle each of a magic number, the layout's version, facts about the writing machine, the state
dict, and the list of storage keys; then, for each key in that list, a storage: its number of
elements as a little-endian int64, and the elements.
"""

import io
import math
import pickle
import pickletools
from collections import OrderedDict
from typing import Any, NamedTuple, cast

import numpy as np

from pixelmine.core.errors import ModelError

__all__ = ["read_state_dict"]

_HEADER = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)

_DTYPES = {
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
    "CharStorage": np.dtype("i1"),
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "IntStorage": np.dtype("<i4"),
    "LongStorage": np.dtype("<i8"),
    "ShortStorage": np.dtype("<i2"),
}

# fmt: off
_OPCODES = frozenset({
    "APPEND", "APPENDS", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID", "BINPUT",
    "BINUNICODE", "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "GLOBAL", "LONG1",
    "LONG_BINGET", "LONG_BINPUT", "MARK", "NEWFALSE", "NEWTRUE", "NONE", "PROTO", "REDUCE",
    "SETITEM", "SETITEMS", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
})
# fmt: on


class _StorageType(NamedTuple):
    """Stands in for a class such as `torch.FloatStorage`."""

    dtype: np.dtype[Any]


class _Storage(NamedTuple):
    """What the state dict says about a storage; its elements come later in the file."""

    key: str
    dtype: np.dtype[Any]
    elements: int


class _Tensor(NamedTuple):
    """A view of a storage. Offset and strides count elements, as torch counts them."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RebuildTensor:
    """Stands in for `torch._utils._rebuild_tensor_v2`. Empty slots: a pickle cannot alter it."""

    __slots__ = ()

    def __call__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *_autograd: Any
    ) -> _Tensor:
        counts = (offset, *shape, *strides)
        sound = type(storage) is _Storage and len(shape) == len(strides)
        if not sound or any(type(count) is not int or count < 0 for count in counts):
            raise ModelError(
                "A tensor in the weights file is not described by a storage, an offset, a shape "
                f"and as many strides, all whole numbers from 0. Got {storage!r}, {offset!r}, "
                f"{shape!r}, {strides!r} instead. The file is damaged: reinstall its package."
            )
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Knows ordered dicts, tensors and storages; every other name is refused."""

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _RebuildTensor()
        if module == "torch" and name in _DTYPES:
            return _StorageType(_DTYPES[name])
        raise ModelError(
            f"The weights file asks for {module}.{name}. Only ordered dicts, tensors and torch's "
            f"storages of {', '.join(_DTYPES)} are read, because any other name could run code. "
            "Do not use this file."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _StorageType(dtype), str(key), str(), int(elements), None) if (
                elements >= 0
            ):
                return _Storage(key, dtype, elements)
        raise ModelError(
            "A storage in the weights file must be given as ('storage', type, key, device, number "
            f"of elements, None). Got {pid!r} instead. Storages that are views are not supported."
        )


def read_state_dict(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tensors of a state dict that `torch.save` wrote in its old, non-zip layout.

    `data` is the whole file, whose SHA-256 the caller has compared with a pinned one. The names
    come in the file's order. The arrays have the dtype and shape of the tensors (a scalar is 0-d)
    and are read-only, possibly strided views of `data`: nothing is copied.

    Raises ModelError for a file that has another layout, is truncated or at odds with itself, or
    asks for anything but ordered dicts, tensors and storages.
    """
    if not data.startswith(_HEADER):
        raise ModelError(
            "The weights file does not start as torch's old layout (version 1001) does. Got "
            f"{data[: len(_HEADER)]!r} instead. Zip files, written by torch 1.6 and later, are "
            "not read."
        )
    stream = io.BytesIO(data)
    stream.seek(len(_HEADER))
    _check_byte_order(_load(stream))
    tensors = _check_tensors(_load(stream))
    keys = _load(stream)
    starts = _locate(data, stream.tell(), keys, tensors)
    return {name: _view(data, starts, name, tensor) for name, tensor in tensors.items()}


def _load(stream: io.BytesIO) -> Any:
    """Load the next pickle, after all of its operations have been seen to be allowed."""
    start = stream.tell()
    try:
        _check_operations(stream)
        stream.seek(start)
        return _Unpickler(stream).load()
    except ModelError:
        raise
    except Exception as error:  # a damaged pickle raises whatever it likes
        raise ModelError(
            f"The weights file cannot be read: the pickle at byte {start} is damaged or truncated "
            f"({type(error).__name__}: {error}). Reinstall the package that brings the file."
        ) from error


def _check_operations(stream: io.BytesIO) -> None:
    for opcode, argument, position in pickletools.genops(stream):
        # The unpickler's memo is an array: one huge index would make it as long.
        huge = opcode.name == "LONG_BINPUT" and cast(int, argument) > stream.tell()
        if opcode.name not in _OPCODES or huge:
            raise ModelError(
                f"The weights file has the pickle operation {opcode.name} {argument!r:.50} at byte "
                f"{position}, which torch does not write. Do not use this file."
            )


def _check_byte_order(machine: Any) -> None:
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise ModelError(
            "The weights file does not say that it comes from a little-endian machine, and its "
            "numbers can only be read as such. Write it again on one."
        )


def _check_tensors(state: Any) -> dict[str, _Tensor]:
    if type(state) not in (dict, OrderedDict):
        raise ModelError(f"The weights file must hold a dict. Got {type(state).__name__} instead.")
    # Not state.items(): a pickle can give an OrderedDict an attribute of that name.
    tensors = dict(state)
    for name, tensor in tensors.items():
        if type(name) is not str or type(tensor) is not _Tensor:
            raise ModelError(
                "The weights file must map strings to tensors. Got a "
                f"{type(name).__name__} and a {type(tensor).__name__} instead."
            )
    return tensors


def _locate(data: bytes, start: int, keys: Any, tensors: dict[str, _Tensor]) -> dict[str, int]:
    """Find the byte where each storage's elements begin; all of them lie inside `data`."""
    described = {tensor.storage for tensor in tensors.values()}
    storages = {storage.key: storage for storage in described}
    if type(keys) is not list or any(type(key) is not str for key in keys):
        raise ModelError("The weights file must end its head with a list of storage keys.")
    if set(keys) != set(storages) or not len(keys) == len(storages) == len(described):
        raise ModelError(
            f"The weights file must list each storage of its tensors once. Got {len(keys)} keys "
            f"for {len(described)} storages instead. Reinstall the package that brings the file."
        )
    starts = {}
    for key in keys:
        _check_storage(data, start, storages[key])
        starts[key] = start + 8
        start += 8 + storages[key].elements * storages[key].dtype.itemsize
    if start != len(data):
        raise ModelError(
            f"The weights file has {len(data) - start} bytes after its last storage, which should "
            "end it. Reinstall the package that brings the file."
        )
    return starts


def _check_storage(data: bytes, start: int, storage: _Storage) -> None:
    needed = 8 + storage.elements * storage.dtype.itemsize
    if needed > len(data) - start:
        raise ModelError(
            f"The weights file is truncated: storage {storage.key!r} needs {needed} bytes and "
            f"{len(data) - start} are left. Reinstall the package that brings the file."
        )
    elements = int.from_bytes(data[start : start + 8], "little", signed=True)
    if elements != storage.elements:
        raise ModelError(
            f"The weights file is at odds with itself: storage {storage.key!r} should have "
            f"{storage.elements} elements and says it has {elements}. Reinstall its package."
        )


def _view(data: bytes, starts: dict[str, int], name: str, tensor: _Tensor) -> np.ndarray[Any, Any]:
    storage, offset, shape, strides = tensor
    size = math.prod(shape)
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    # A stride of 0 could make a huge tensor of one number, hence the bound on the size too.
    if size > storage.elements or offset > storage.elements or (size and last >= storage.elements):
        raise ModelError(
            f"The weights file is at odds with itself: tensor {name!r} of shape {shape}, strides "
            f"{strides} and offset {offset} reaches outside its storage of {storage.elements} "
            "elements. Reinstall the package that brings the file."
        )
    return np.ndarray(
        shape,
        storage.dtype,
        buffer=data,
        offset=starts[storage.key] + offset * storage.dtype.itemsize,
        strides=tuple(stride * storage.dtype.itemsize for stride in strides),
    )
