"""Refuse to learn from, or to measure on, a split whose test pictures are in its training part."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import UsageError
from pixelmine.store import Collection, split_pictures

from .leaks import find_leaks
from .near import read_hashes, tie

__all__ = ["refuse_leaks"]


def refuse_leaks(collection: Collection, split: str) -> None:
    """Raise UsageError where a picture of part `test` has a copy or near-duplicate to learn from.

    `split`: `ID` or `ID:FOLD`. Both parts `train` and `val` are learnt from. Near-duplicates
    are looked for where the collection has PDQ hashes. What the split was made from decides, not
    what is labelled now. 100,000 pictures take seconds.
    """
    rows = split_pictures(collection, split)
    test = pc.equal(rows["part"], "test")
    sides = rows.set_column(
        rows.column_names.index("part"), "part", pc.if_else(test, "test", "train or val")
    )
    pictures, same, example = _leaked(collection, sides)
    if pictures:
        tested = pc.count_distinct(rows.filter(test)["picture_id"]).as_py()
        raise UsageError(
            f"{pictures:,} of the {tested:,} test pictures of split {split} are also there to "
            f"learn from, {same:,} as identical files and {pictures - same:,} as near-duplicates "
            f"({example}), so that a measurement on them says nothing: make another split with "
            "pixelmine split, or go on with --allow-leaks."
        )


def _leaked(collection: Collection, sides: pa.Table) -> tuple[int, int, str]:
    """Test pictures that lie on the other side too, how many of them as they are, and an example.

    `sides`: `uri`, `member`, `picture_id`, `group` and `part`, which is `test` or another one.
    """
    test = pc.equal(sides["part"], "test")
    tested, learnt = (
        pc.drop_null(pc.unique(sides.filter(side)["picture_id"]))
        for side in (test, pc.invert(test))
    )
    same = set(tested.filter(pc.is_in(tested, value_set=learnt)).to_pylist())
    found = read_hashes(collection, [*tested.to_pylist(), *learnt.to_pylist()])
    ties = None if found is None else tie(found)
    pictures = set(same)
    if ties is not None:
        names = pa.array(ties.pictures, pa.string())
        known, asked = (
            pc.is_in(names, value_set=some).to_numpy(zero_copy_only=False)
            for some in (learnt, tested)
        )
        tied = asked & np.isin(ties.label, ties.label[known])
        pictures.update(names.filter(pa.array(tied)).to_pylist())
    if not pictures:
        return 0, 0, ""
    leaks = [leak for leak in find_leaks(sides, ties) if leak.what != "group"]
    return len(pictures), len(same), str(leaks[0])
