import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.gate import PassPolicy, clear
from pixelmine.core.reasons import Reason
from pixelmine.evaluate import Gallery, History, Mistakes, Pile


@pytest.mark.parametrize("section", [Gallery, Mistakes])
def test_only_what_passed_the_gate_comes_in(section):
    rows = clear(pa.RecordBatch.from_pylist([{"uri": "a"}]), PassPolicy())
    picture = clear(np.zeros((80, 80, 3), np.uint8), PassPolicy())
    with pytest.raises(TypeError, match="clear"):
        section(rows=rows, thumbnails=(picture.item,))
    with pytest.raises(TypeError, match="clear"):
        section(rows=rows.item, thumbnails=(picture,))
    with pytest.raises(UsageError, match="1 rows and 2 thumbnails"):
        section(rows=rows, thumbnails=(picture, picture))


@pytest.mark.parametrize(
    ("series", "best"), [({"loss": [1.0]}, 2), ({"loss": [1.0], "val_loss": []}, 1), ({}, 1)]
)
def test_a_history_that_does_not_fit_is_refused(series, best):
    with pytest.raises(UsageError):
        History(series=series, best_epoch=best)


def test_counts_must_reconcile():
    with pytest.raises(UsageError, match="reconcile"):
        Pile(pictures=1, failed={Reason.EMPTY: 2})
