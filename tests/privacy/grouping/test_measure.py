"""k, l and t are what the papers say, as slow code and another's code measure them."""

from collections import Counter, defaultdict

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycanon.anonymity import k_anonymity, l_diversity, t_closeness

from pixelmine.core.errors import UsageError
from pixelmine.privacy.grouping import measure

VALUES = st.none() | st.sampled_from("abc")
NUMBERS = st.none() | st.integers(-3, 3)


def slow(rows, quasi, sensitive):
    """(k, l, t) by the definitions; `rows`: dicts."""
    classes = defaultdict(list)
    for row in rows:
        classes[tuple(row[name] for name in quasi)].append(row)
    k = min(map(len, classes.values()))
    diverse = min(len({row[n] for row in c}) for c in classes.values() for n in sensitive)
    return k, diverse, max(distance(c, rows, n) for c in classes.values() for n in sensitive)


def distance(some, rows, name):
    """Earth mover's distance of the values of `name`: equal for text, by rank for numbers."""
    values = sorted({row[name] for row in rows}, key=lambda one: (one is not None, one))
    here, whole = Counter(row[name] for row in some), Counter(row[name] for row in rows)
    differs = [here[one] / len(some) - whole[one] / len(rows) for one in values]
    if any(isinstance(one, str) for one in values) or values == [None]:
        return sum(map(abs, differs)) / 2
    return sum(abs(sum(differs[: one + 1])) for one in range(len(values))) / max(len(values) - 1, 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(VALUES, NUMBERS, VALUES, NUMBERS), min_size=1, max_size=40))
def test_it_measures_what_the_definitions_say(drawn):
    rows = [dict(zip("pqst", one, strict=True)) for one in drawn]
    kinds = {"p": pa.string(), "q": pa.int64(), "s": pa.string(), "t": pa.int64()}
    table = pa.table({name: pa.array([r[name] for r in rows], kinds[name]) for name in kinds})
    for sensitive in (["s"], ["t"], ["s", "t"]):
        found = measure(table, ["p", "q"], sensitive)
        k, diverse, close = slow(rows, "pq", sensitive)
        assert (found.k, found.l) == (k, diverse)
        assert found.t == pytest.approx(close)
    sizes = Counter((row["p"], row["q"]) for row in rows).values()
    assert found.classes == len(sizes)
    assert found.discernibility == sum(size**2 for size in sizes)


@settings(deadline=None, max_examples=8)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("stu"), NUMBERS),
        min_size=2,
        max_size=30,
    )
)
def test_it_measures_what_pycanon_does(drawn):
    frame = pd.DataFrame(drawn, columns=["p", "q", "s", "t"])
    frame["t"] = frame["t"].fillna(9).astype(int)
    frame.loc[0, "t"] = frame["t"].max() + 1  # it divides by the number of values less one
    for name in ("s", "t"):
        found = measure(pa.Table.from_pandas(frame), ["p", "q"], [name])
        assert found.k == k_anonymity(frame, ["p", "q"])
        assert found.l == l_diversity(frame, ["p", "q"], [name])
        assert found.t == pytest.approx(t_closeness(frame, ["p", "q"], [name]))


def test_without_sensitive_columns_or_rows():
    table = pa.table({"p": ["a", "a", "b"], "s": [1.5, float("nan"), None]})
    found = measure(table, ["p"])
    assert (found.k, found.l, found.t, found.classes) == (1, None, None, 2)
    assert not found.keeps(1, 1, None)
    assert found.keeps(1, None, None)
    assert measure(table, ["p"], ["s"]).l == 1
    assert measure(table.slice(2), ["p"], ["s"]).t == 0
    assert measure(table.slice(1), ["p"], ["s"]).t == 0, "NaN counts as null"
    assert measure(table.slice(3), ["p"], ["s"]).k == 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UsageError, match="cannot be grouped"):
        measure(pa.table({"p": [["a"]]}), ["p"])
