import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.engine import DONE_KEY, Keys
from pixelmine.engine import keys as keys_module

SCHEMA = pa.schema([("row_id", pa.string()), ("size", pa.int64()), ("mtime_ns", pa.int64())])
ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "a|1"]), st.none() | st.integers(0, 3), st.integers(0, 3))
)


def batch(rows):
    return pa.RecordBatch.from_pylist([dict(zip(DONE_KEY, r, strict=True)) for r in rows], SCHEMA)


@given(ROWS, ROWS, ROWS)
def test_they_are_a_set(one, two, asked):
    keys = Keys([batch(one), batch(two)])
    assert keys.contains(batch(asked)).tolist() == [row in {*one, *two} for row in asked]


def test_digests_that_begin_alike_are_told_apart(monkeypatch):
    class Half:
        def __init__(self, data, digest_size):
            self.data = b"same " * 2 + data

        def digest(self):
            return self.data[:8] + self.data[-8:].rjust(8)

    monkeypatch.setattr(keys_module, "blake2b", Half)
    rows = [(f"row {n}", n, n) for n in range(50)]
    keys = Keys([batch(rows[:40])])
    assert keys.contains(batch(rows)).tolist() == [True] * 40 + [False] * 10
