"""Small sources of every kind, made of real and drawn pictures."""

import base64
import io
import json
import sqlite3
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from skimage import data


@pytest.fixture(scope="session")
def made():
    """The functions below."""
    return sys.modules[__name__]


def jpeg(seed=0):
    """A real photograph, different for each seed."""
    pixels = data.astronaut()[seed * 8 : seed * 8 + 64, :64]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


PICTURES = {f"{'cat' if n % 2 else 'dog'}/{n}.jpg": jpeg(n) for n in range(6)}


def write_tar(path, members=PICTURES, mode="w", **options):
    with tarfile.open(path, mode, **options) as archive:
        for name, content in dict(members).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, members=PICTURES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in dict(members).items():
            archive.writestr(name, content)
    return path


def write_folder(path):
    for name, content in PICTURES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def table(**more):
    cells = [{"bytes": content, "path": name} for name, content in PICTURES.items()]
    labels = [name.partition("/")[0] for name in PICTURES]
    return pa.table({"image": cells, "label": labels, "width": [64] * len(cells), **more})


def write_arrow(path, rows=None, stream=True, compression=None):
    rows = rows or table()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), rows.schema, options=options) as file:
        file.write_table(rows, max_chunksize=4)
    return path


def write_csv(folder):
    write_folder(folder)
    lines = [f"{name},{name[:3]},{n}" for n, name in enumerate(PICTURES)]
    (folder / "pictures.csv").write_text("\n".join(["image,label,n", *lines, ""]))
    return folder / "pictures.csv"


def write_jsonl(path):
    lines = [
        json.dumps(
            {"image": {"bytes": base64.b64encode(c).decode()}, "label": n[:3], "deep": {"a": 1}}
        )
        for n, c in PICTURES.items()
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_npz(path):
    pixels = np.random.default_rng(1).integers(0, 255, (5, 8, 9), np.uint8)
    np.savez_compressed(
        path,
        train_images=pixels,
        train_labels=np.arange(5).reshape(5, 1),
        test_images=np.stack([pixels[:2]] * 3, -1) + np.uint8(1),
        test_labels=np.array([7, 8]),
    )
    return path


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def write_idx(folder):
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(2).integers(0, 255, (5, 8, 9), np.uint8)
    for part, count in (("train", 5), ("t10k", 2)):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels[:count]))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count)))
    return folder


def write_sqlite(path):
    with sqlite3.connect(path) as base:
        base.execute("create table pictures (id text, picture blob, label text)")
        rows = [(name, content, name[:3]) for name, content in PICTURES.items()]
        base.executemany("insert into pictures values (?, ?, ?)", rows)
    base.close()
    return path


def write_parquet(path, rows=None, group=4):
    pq.write_table(rows or table(), path, row_group_size=group)
    return Path(path)
