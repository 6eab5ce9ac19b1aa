import hashlib
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import SPLITS
from pixelmine.evaluate import SplitOptions, find_leaks, make_split
from pixelmine.evaluate.near import Hashes, tie

quick = settings(deadline=None, max_examples=60, database=None)


def table(rows):
    """From (picture_id, group) pairs, the row ids counted up."""
    columns = {
        "uri": pa.array([f"file:///{i}" for i in range(len(rows))], pa.string()),
        "row_id": pa.array([f"row {i:05d}" for i in range(len(rows))], pa.string()),
        "picture_id": pa.array([picture for picture, _ in rows], pa.string()),
        "group": pa.array([group for _, group in rows], pa.string()),
        "labels": pa.array([["x"]] * len(rows), pa.list_(pa.string())),
    }
    return pa.table(columns)


def singles(count):
    return [(f"picture {i}", None) for i in range(count)]


def parts(split):
    return dict(zip(split["row_id"].to_pylist(), split["part"].to_pylist(), strict=True))


def obvious_units(rows):
    """Rows that share a group or a picture, joined until nothing changes."""
    units = [{i} for i in range(len(rows))]
    for column in (0, 1):
        holders = defaultdict(list)
        for i, row in enumerate(rows):
            if row[column]:
                holders[row[column]].append(i)
        for together in holders.values():
            hit = [unit for unit in units if unit & set(together)]
            units = [unit for unit in units if unit not in hit] + [set().union(*hit)]
    return units


pictures = st.sampled_from([f"picture {i}" for i in range(30)])
groups = st.sampled_from([None, "", *(f"group {i}" for i in range(12))])
messy = st.lists(st.tuples(pictures, groups), max_size=60)
options = st.builds(
    SplitOptions,
    parts=st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (0.6, 0.2, 0.2)]),
    folds=st.sampled_from([None, 2, 5]),
    seed=st.integers(0, 3),
    stratify=st.sampled_from([None, True, False]),
)


@quick
@given(messy, options)
def test_a_unit_lies_on_one_side(rows, how):
    rows = rows + singles(300)
    split = make_split(table(rows), how)
    part = split["part"].to_pylist()
    assert all(len({part[i] for i in unit}) == 1 for unit in obvious_units(rows))
    assert find_leaks(table(rows).append_column("part", split["part"])) == []


@quick
@given(messy, options)
def test_every_row_is_in_one_known_part(rows, how):
    rows = rows + singles(300)
    split = make_split(table(rows), how)
    assert split.schema == SPLITS
    assert split["row_id"].to_pylist() == table(rows)["row_id"].to_pylist()
    assert set(split["part"].to_pylist()) == set(how.names)


@quick
@given(messy, options, st.randoms())
def test_the_order_of_the_rows_changes_nothing(rows, how, random):
    before = table(rows + singles(300))
    order = list(range(before.num_rows))
    random.shuffle(order)
    assert make_split(before.take(order), how).equals(make_split(before, how))


@quick
@given(messy, options, st.lists(groups, max_size=40))
def test_new_pictures_never_move_old_ones_where_the_hash_alone_decides(rows, how, more):
    """Whatever groups they come in, known ones too."""
    how = replace(how, stratify=False)
    rows = rows + singles(300)
    new = [(f"later {i}", group) for i, group in enumerate(more)]
    before, after = (parts(make_split(table(some), how)) for some in (rows, rows + new))
    assert all(after[row] == part for row, part in before.items())


@quick
@given(messy, options, st.lists(st.integers(0, 299), max_size=40))
def test_copies_of_old_pictures_follow_them(rows, how, copied):
    how = replace(how, stratify=False)
    rows = rows + singles(300)
    copies = [(f"picture {i}", None) for i in copied]
    before, after = (parts(make_split(table(some), how)) for some in (rows, rows + copies))
    assert all(after[row] == part for row, part in before.items())


def test_folds_are_by_the_remainder_of_the_groups_hash():
    """The published rule: fold = int(sha256(sender_id).hexdigest(), 16) % 5."""
    rows = [(f"picture {i}", f"sender {i % 40}") for i in range(200)]
    split = make_split(table(rows), SplitOptions(folds=5))
    for (_, sender), part in zip(rows, split["part"].to_pylist(), strict=True):
        fold = int(hashlib.sha256(sender.encode()).hexdigest(), 16) % 5
        assert part == f"fold-{fold}"


def test_shares_are_met_on_average_by_the_hash_and_exactly_by_label():
    how = SplitOptions(parts=(0.7, 0.3), stratify=False)
    names = make_split(table(singles(5000)), how)["part"].to_pylist()
    assert names.count("test") == pytest.approx(1500, abs=100)
    names = make_split(table(singles(5000)), replace(how, stratify=True))["part"].to_pylist()
    assert names.count("test") == 1500


def test_every_part_gets_its_share_of_every_label():
    rows = table([(f"picture {i}", f"group {i // 3}" if i % 2 else None) for i in range(1000)])
    labels = [["a"] if i % 50 else ["b"] for i in range(600)] + [["a", "c"]] * 400
    rows = rows.set_column(rows.column_names.index("labels"), "labels", pa.array(labels))
    part = make_split(rows)["part"].to_pylist()
    pairs = zip(part, labels, strict=True)
    counts = Counter((name, label) for name, held in pairs for label in held)
    for label, total in (("a", 988), ("b", 12), ("c", 400)):
        assert abs(counts["train", label] - 0.8 * total) <= 3
        for name in ("val", "test"):
            assert abs(counts[name, label] - 0.1 * total) <= 2


def test_pictures_that_are_added_move_few_old_ones():
    old = singles(2000)
    before = parts(make_split(table(old)))
    after = parts(make_split(table([*old, *((f"later {i}", None) for i in range(20))])))
    assert sum(after[row] != part for row, part in before.items()) <= 20


def test_a_part_that_the_shares_would_leave_empty_keeps_its_pictures():
    """Two copies and one picture: by label the one goes to train, whatever its hash says."""
    rows = [("copied", None), ("copied", None), ("other", None)]
    for seed in range(20):
        how = SplitOptions(parts=(0.5, 0.5), seed=seed)
        if how.part_of("copied") != how.part_of("other"):
            part = make_split(table(rows), how)["part"].to_pylist()
            assert set(part) == {"train", "test"}


def ties(count, pairs):
    """Pictures of which these look the same, and the others do not."""
    hashes = np.random.default_rng(0).integers(0, 256, (count, 32), dtype=np.uint8)
    for one, other in pairs:
        hashes[other] = hashes[one]
        hashes[other, :3] ^= 255
    names, small = [f"picture {i}" for i in range(count)], np.zeros(count, bool)
    return tie(Hashes(pictures=names, hashes=hashes, small=small, without=0))


def test_near_duplicates_stay_on_one_side_and_tie_their_groups():
    rows = table([(f"picture {i}", f"group {i // 10}" if i < 40 else None) for i in range(400)])
    pairs = [(i, i + 100) for i in range(100, 200)] + [(5, 15), (25, 310)]
    known = ties(400, pairs)
    for how in (SplitOptions(), SplitOptions(folds=5)):
        part = make_split(rows, how, known)["part"].to_pylist()
        assert all(part[one] == part[other] for one, other in pairs)
        assert len(set(part[:20])) == 1
        split = rows.append_column("part", pa.array(part))
        assert find_leaks(split, known) == []
    apart = make_split(rows, SplitOptions(folds=5))["part"].to_pylist()
    assert any(apart[one] != apart[other] for one, other in pairs)


def test_ties_of_pictures_that_are_not_there_change_nothing():
    rows = table(singles(100))
    assert make_split(rows, None, ties(300, [(200, 201)])).equals(make_split(rows))


def test_a_tie_of_many_rows_is_one_tie():
    rows = []
    for i in range(20):
        rows += [(f"copied {i}", f"group {i}")] * 256 + [(f"other {i}", f"group {i}")]
    part = make_split(table(rows), SplitOptions(folds=5))["part"].to_pylist()
    assert all(len(set(part[i : i + 257])) == 1 for i in range(0, len(rows), 257))


def test_an_empty_group_is_none():
    part = make_split(table([(f"picture {i}", "") for i in range(200)]))["part"]
    assert set(part.to_pylist()) == {"train", "val", "test"}


def test_a_seed_gives_another_division():
    first, second = (make_split(table(singles(200)), SplitOptions(seed=s)) for s in (0, 1))
    assert parts(first) != parts(second)


def test_a_missing_picture_id_stands_alone():
    rows = [(None, None)] * 50 + [(None, "g")] * 50 + singles(50)
    part = make_split(table(rows))["part"].to_pylist()
    assert len(set(part[:50])) > 1
    assert len(set(part[50:100])) == 1


def test_the_id_names_the_options_and_the_rows():
    def split_id(count=200, **how):
        return make_split(table(singles(count)), SplitOptions(**how))["split_id"][0].as_py()

    known = {
        split_id(),
        split_id(count=201),
        split_id(seed=1),
        split_id(folds=5),
        split_id(folds=5, stratify=True),
        split_id(parts=(0.8, 0.2)),
        split_id(near_duplicates=False),
    }
    assert len(known) == 7
    assert split_id() == split_id()


def test_a_part_that_stays_empty_is_refused():
    with pytest.raises(UsageError, match="1 units"):
        make_split(table([(f"picture {i}", "all one") for i in range(1000)]))
    with pytest.raises(UsageError, match="No picture falls into train, val, test"):
        make_split(table([]))


@pytest.mark.parametrize(
    "how",
    [
        {"parts": (0.5, 0.4)},
        {"parts": (1.0,)},
        {"parts": (0.5, 0.6, -0.1)},
        {"folds": 1},
        {"folds": 101},
    ],
)
def test_options_out_of_range_are_refused(how):
    with pytest.raises(UsageError):
        SplitOptions(**how)
