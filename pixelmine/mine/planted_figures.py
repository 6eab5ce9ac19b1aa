"""How well planted copies are found: precision and recall, by edit and by threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa

__all__ = ["EditFigures", "ThresholdFigures", "by_edit", "by_threshold"]

BITS = (4, 10, 16, 24, 31)
CORRELATIONS = (0.7, 0.8, 0.9, 0.93, 0.95, 0.98)


@dataclass(frozen=True, kw_only=True)
class EditFigures:
    """`edit`: its name, or `all`. `found`: of `planted` copies, in one group with their original.

    `right`, `wrong`: pairs of one group with a copy of this edit, of one picture or of two.
    `apart`: pairs of two pictures that were in one group before planting, counted apart.
    """

    edit: str
    planted: int
    found: int
    right: int
    wrong: int
    apart: int

    @property
    def recall(self) -> float:
        """0 to 1."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """0 to 1; 1 where no pair was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        shares = {"recall": round(self.recall, 4), "precision": round(self.precision, 4)}
        return {**asdict(self), **shares}


@dataclass(frozen=True, kw_only=True)
class ThresholdFigures:
    """What a bare threshold would give. `by`: `bits` at most, or `correlation` at least.

    `recall`: of the pairs of a planted copy and its original; `precision`: of the pairs with a
    planted copy that pass.
    """

    by: str
    threshold: float
    recall: float
    precision: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def by_edit(
    groups: Sequence[Sequence[str]],
    origin: Mapping[str, tuple[str, str]],
    before: Mapping[str, int],
) -> list[EditFigures]:
    """Figures for all edits together, then for each. `groups`: picture_ids that are in one group.

    `origin`: of each planted picture_id, the picture_id that it was made of and the edit. `before`:
    of picture_ids that were in a group before anything was planted, its number.
    """
    edits = list(dict.fromkeys(edit for _, edit in origin.values()))
    count: dict[str, dict[str, int]] = {
        edit: dict.fromkeys(("planted", "found", "right", "wrong", "apart"), 0)
        for edit in ("all", *edits)
    }
    for _, edit in origin.values():
        for name in ("all", edit):
            count[name]["planted"] += 1
    for group in groups:
        here = set(group)
        for picture in here & origin.keys():
            made_of, edit = origin[picture]
            if made_of in here:
                for name in ("all", edit):
                    count[name]["found"] += 1
        for pair in combinations(sorted(here), 2):
            planted = {origin[one][1] for one in pair if one in origin}
            if planted:
                verdict = _verdict(pair, origin, before)
                for name in ("all", *planted):
                    count[name][verdict] += 1
    return [EditFigures(edit=edit, **counted) for edit, counted in count.items()]


def by_threshold(
    pairs: pa.Table, origin: Mapping[str, tuple[str, str]], before: Mapping[str, int]
) -> list[ThresholdFigures]:
    """Figures of each threshold alone over judged PAIRS, whatever their verdict was."""
    rows = []
    for row in pairs.select(["first", "second", "bits", "correlation", "turn"]).to_pylist():
        pair = row["first"], row["second"]
        if any(one in origin for one in pair):
            rows.append((row, _verdict(pair, origin, before), _is_own(pair, origin)))
    found = []
    for by, thresholds in (("bits", BITS), ("correlation", CORRELATIONS)):
        for limit in thresholds:
            passing = [
                (verdict, own)
                for row, verdict, own in rows
                if (value := row[by]) is not None
                and (value <= limit if by == "bits" else value >= limit)
            ]
            right = sum(verdict == "right" for verdict, _ in passing)
            wrong = sum(verdict == "wrong" for verdict, _ in passing)
            found.append(
                ThresholdFigures(
                    by=by,
                    threshold=limit,
                    recall=round(sum(own for _, own in passing) / max(1, len(origin)), 4),
                    precision=round(right / (right + wrong), 4) if right + wrong else 1.0,
                )
            )
    return found


def _is_own(pair: tuple[str, str], origin: Mapping[str, tuple[str, str]]) -> bool:
    """Whether the one is the original of the other."""
    first, second = pair
    return origin.get(first, ("", ""))[0] == second or origin.get(second, ("", ""))[0] == first


def _verdict(
    pair: Sequence[str], origin: Mapping[str, tuple[str, str]], before: Mapping[str, int]
) -> str:
    one, other = (origin[name][0] if name in origin else name for name in pair)
    if one == other:
        return "right"
    same_before = before.get(one, -1) == before.get(other, -2)
    return "apart" if same_before else "wrong"
