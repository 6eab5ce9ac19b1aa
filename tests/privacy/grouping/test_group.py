"""What is released keeps what was asked, says the truth, and accounts for each row."""

import datetime
import math
import re
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycanon.anonymity import k_anonymity, l_diversity, t_closeness

from pixelmine.core.errors import PrivacyError, UsageError
from pixelmine.privacy.grouping import group

GROUPS = {f"{area}{place}": (area, area.lower()) for area in "AB" for place in range(3)} | {
    f"C{place}": ("C", "c") for place in range(3)
}
QUASI = ("text", "number", "day", "place")
DAY = datetime.date(2026, 1, 1)

rows_of = st.lists(
    st.tuples(
        st.none() | st.sampled_from("pqrstu"),
        st.none() | st.sampled_from([-2.5, 0.0, 0.125, 7.0, 1e9, math.nan]),
        st.none() | st.integers(0, 50).map(lambda days: DAY + datetime.timedelta(days)),
        st.none() | st.sampled_from(sorted(GROUPS)),
        st.none() | st.sampled_from("xyz"),
        st.none() | st.integers(0, 4),
    ),
    min_size=1,
    max_size=50,
)


def table_of(rows):
    kinds = (pa.string(), pa.float64(), pa.date32(), pa.string(), pa.string(), pa.int64())
    names = (*QUASI, "label", "score")
    columns = zip(*rows, strict=True)
    return pa.table(
        {n: pa.array(c, kind) for n, c, kind in zip(names, columns, kinds, strict=True)}
    )


def inside(value, text, kind):
    """Whether a value lies in what is released of it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return text is None or text == "*" or text.startswith("null | ")
    if text == "*":
        return True
    if text is None:
        return False
    low, _, high = text.removeprefix("null | ").partition(" .. ")
    if "*" in low:
        return True
    high = high or low
    if kind == "number":
        return float(low) <= value <= float(high)
    if kind == "day":
        return low <= value.isoformat() <= high
    if kind == "place":
        names = (value, *GROUPS[value])
        return any(low <= name <= high and len(name) == len(low) for name in names)
    return low <= value <= high


@settings(deadline=None, max_examples=50)
@given(
    rows_of,
    st.integers(1, 5),
    st.none() | st.integers(1, 3),
    st.none() | st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([("label",), ("score",), ("label", "score")]),
)
def test_a_release_keeps_what_was_asked_and_says_the_truth(rows, k, diverse, t, most, sensitive):
    table = table_of(rows)
    options = {"quasi": QUASI, "k": k, "max_suppressed": most, "hierarchies": {"place": GROUPS}}
    if diverse is not None or t is not None:
        options |= {"sensitive": sensitive, "l": diverse, "t": t}
    try:
        found = group(table, **options)
    except PrivacyError:
        different = [len(set(table[name].to_pylist())) for name in sensitive]
        assert len(rows) < k or (diverse is not None and min(different) < diverse)
        return
    released = found.table.to_pylist()
    assert len(released) + found.suppressed == len(rows)
    assert found.suppressed <= most * len(rows)
    classes = {}
    for row in released:
        classes.setdefault(tuple(row[name] for name in QUASI), []).append(row)
    assert min(map(len, classes.values())) >= k
    for name in options.get("sensitive", ()):
        assert min(len({row[name] for row in one}) for one in classes.values()) >= (diverse or 1)
        for one in classes.values():
            assert t is None or slow_distance(one, released, name) <= t + 1e-9
    for before, after in zip(table.filter(pa.array(found.kept)).to_pylist(), released, strict=True):
        for name in QUASI:
            assert inside(before[name], after[name], name), (before[name], after[name])
        for name in options.get("sensitive", ()):
            assert before[name] == after[name]
    for column in found.columns:
        assert 0 <= column.lost <= 1
        assert column.values == len({row[column.name] for row in released})
        assert 0 <= column.exact <= 1
    assert found.discernibility >= len(rows)
    again = group(table, **options)
    assert again.table.equals(found.table)
    assert np.array_equal(again.kept, found.kept)


def slow_distance(some, rows, name):
    """The earth mover's distance by moving each value's share to the next: see test_measure."""
    values = sorted({row[name] for row in rows}, key=lambda one: (one is not None, one))
    differs = [
        sum(row[name] == one for row in some) / len(some)
        - sum(row[name] == one for row in rows) / len(rows)
        for one in values
    ]
    if name == "label":
        return sum(map(abs, differs)) / 2
    moved = [sum(differs[: one + 1]) for one in range(len(values))]
    return sum(map(abs, moved)) / max(len(values) - 1, 1)


def drawn(rows, seed=1):
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 9, rows)
    label = (rng.random(rows) * 3 + place / 9).astype(int)
    return pa.table(
        {
            "place": [sorted(GROUPS)[one] for one in place],
            "age": rng.integers(0, 90, rows),
            "seen": pa.array(np.datetime64("2026-01-01T00:00:00", "us") + rng.integers(0, 9, rows)),
            "name": [f"name {one}" for one in range(rows)],
            "label": [f"label {one}" for one in label],
            "score": rng.normal(place / 2, 2).astype(int),
        }
    )


@pytest.mark.parametrize("sensitive", ["label", "score"])
@pytest.mark.parametrize("hierarchies", [None, {"place": GROUPS}])
def test_pycanon_measures_the_same(sensitive, hierarchies):
    quasi = ["place", "age", "seen"]
    found = group(
        drawn(600), quasi=quasi, sensitive=[sensitive], k=5, l=2, t=0.25, hierarchies=hierarchies
    )
    frame = found.table.to_pandas()
    assert frame.columns.tolist() == [*quasi, sensitive], "the rest is left out"
    assert k_anonymity(frame, quasi) == found.measured.k >= 5
    assert l_diversity(frame, quasi, [sensitive]) == found.measured.l >= 2
    assert t_closeness(frame, quasi, [sensitive]) == pytest.approx(found.measured.t)
    assert found.measured.t <= 0.25
    assert found.measured.classes >= 5
    assert found.lost < 0.7


def test_one_who_stands_out_is_suppressed_where_the_others_gain_by_it():
    ages = [*range(100), 100_000]
    table = pa.table({"age": ages})
    with_one = group(table, quasi=["age"], k=5, max_suppressed=0)
    without = group(table, quasi=["age"], k=5, max_suppressed=0.01)
    assert with_one.suppressed == 0
    assert np.flatnonzero(~without.kept).tolist() == [100]
    assert without.lost < with_one.lost
    assert without.suppressed_share == pytest.approx(1 / 101)


def test_groups_of_a_hierarchy_are_named():
    table = pa.table({"place": ["A0", "A1", "A2", "B0", "B1", "C0", None] * 2})
    found = group(table, quasi=["place"], k=4, hierarchies={"place": GROUPS}, max_suppressed=0)
    assert set(found.table["place"].to_pylist()) <= {
        "A",
        "B",
        "a",
        "b .. c",
        "a .. b",
        "c",
        "*",
    } | {f"A{one} .. A{two}" for one, two in combinations(range(3), 2)} | {
        "null | a",
        "b",
        "null | A0 .. A1",
        "null | A",
    }
    whole = group(table, quasi=["place"], k=14, hierarchies={"place": GROUPS})
    assert whole.table["place"].unique().to_pylist() == ["*"]
    assert whole.columns[0].one_value
    assert whole.columns[0].lost == 1
    alone = group(table, quasi=["place"], k=1)
    assert alone.table["place"].equals(table["place"])
    assert (alone.lost, alone.columns[0].exact) == (0, 1)


def test_many_values_are_put_into_bins():
    table = pa.table({"number": np.arange(5000)})
    found = group(table, quasi=["number"], k=1)
    pattern = re.compile(r"(\d+) \.\. (\d+)")
    for value, text in enumerate(found.table["number"].to_pylist()):
        low, high = map(int, pattern.fullmatch(text).groups())
        assert low <= value <= high < low + 6
    assert found.columns[0].exact == 0
    assert found.columns[0].before == 5000
    assert 0 < found.lost < 0.002


def test_what_cannot_be_reached_is_refused_with_the_reason():
    table = drawn(30)
    with pytest.raises(PrivacyError, match="30 rows: no row can look like 39"):
        group(table, quasi=["age"], k=40)
    with pytest.raises(PrivacyError, match=r"'label' has \d different values"):
        group(table, quasi=["age"], sensitive=["label"], l=9)
    with pytest.raises(PrivacyError, match="place, age say the same of every row"):
        group(table, quasi=["place", "age"], k=30, max_one_value=1)
    with pytest.raises(PrivacyError, match="0 rows"):
        group(table.slice(0, 0), quasi=["age"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quasi": []}, "at least one"),
        ({"quasi": ["age", "age"]}, "named once"),
        ({"quasi": ["age"], "others": ["age"]}, "named once"),
        ({"quasi": ["agee"]}, "no column agee"),
        ({"quasi": ["age"], "hierarchies": {"place": GROUPS}}, "have a hierarchy"),
        ({"quasi": ["place"], "hierarchies": {"place": {"A0": "a"}}}, "lacks 8 of its 9"),
        ({"quasi": ["place"], "hierarchies": {"place": GROUPS | {"A0": "A"}}}, "equally many"),
        ({"quasi": ["age"], "k": 0}, "1 or more"),
        ({"quasi": ["age"], "t": 0.2}, "name one"),
        ({"quasi": ["age"], "sensitive": ["label"], "t": 1.2}, "0 to 1"),
        ({"quasi": ["age"], "max_suppressed": 1}, "below 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        group(drawn(200), **options)


def test_others_go_along():
    found = group(drawn(50), quasi=["age"], others=["name"], max_suppressed=0)
    assert found.table.column_names == ["age", "name"]
    assert found.table["name"].to_pylist() == [f"name {one}" for one in range(50)]
