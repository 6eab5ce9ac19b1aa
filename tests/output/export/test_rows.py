"""Labels in a cell can be read again, and a batch is whole."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core import PassPolicy, clear
from pixelmine.input.labels import LabelOptions
from pixelmine.output.export.rows import Batch, labels_text

LABEL = st.text(min_size=1, max_size=8).filter(lambda text: text == text.strip() != "")
NASTY = st.text(st.sampled_from('|["],a'), min_size=1, max_size=5)
POLICY = PassPolicy()


@given(st.lists(LABEL | NASTY, min_size=1, max_size=5, unique=True))
def test_several_labels_in_a_cell_are_read_as_they_were(labels: list[str]) -> None:
    assert LabelOptions(separator="|").several(labels_text(labels, several=True)) == labels


def test_one_label_is_itself() -> None:
    assert labels_text(["a|b"], several=False) == "a|b"
    assert labels_text([], several=False) == labels_text([], several=True) == ""
    assert labels_text(["a", "b"], several=True) == "a|b"


def test_a_batch_is_cleared_and_reconciles() -> None:
    rows = pa.RecordBatch.from_pydict({"row_id": ["a", "b"]})
    cleared = clear(rows, POLICY)
    one = clear(b"x", POLICY)
    with pytest.raises(TypeError, match="clear"):
        Batch(rows=rows, pictures=(), names=["", ""], endings=["", ""])
    with pytest.raises(TypeError, match="clear"):
        Batch(rows=cleared, pictures=[b"x", b"y"], names=["", ""], endings=["", ""])  # type: ignore[list-item] # the test
    with pytest.raises(ValueError, match="2 rows need as many"):
        Batch(rows=cleared, pictures=[one], names=["", ""], endings=["", ""])
