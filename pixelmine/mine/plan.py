"""Which copy of a group stays: a stated policy, and the plan that comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelmine.core.errors import UsageError

from .group_rows import BYTES, MIDDLE, TIERS

__all__ = ["POLICIES", "PlanOptions", "plan_groups"]

POLICIES = ("resolution", "bytes", "metadata", "label", "oldest", "path")
"""What a copy may be kept for: most pixels, largest file, most metadata, a label, the file that was
changed longest ago, the shortest path."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """How the copy that stays is chosen.

    `keep`: of POLICIES, the first that tells two copies apart decides. `protect`: beginnings of
    URIs; what lies there always stays. `tiers`: of which copies some go; `edited` is left out
    unless asked for: a crop or a mirrored picture may be wanted.
    """

    keep: tuple[str, ...] = ("label", "resolution", "bytes", "metadata", "oldest", "path")
    protect: tuple[str, ...] = ()
    tiers: tuple[str, ...] = (BYTES, "pixels", "reencoded")

    def __post_init__(self) -> None:
        for name, given, known in (("keep", self.keep, POLICIES), ("tiers", self.tiers, TIERS)):
            if not given or set(given) - set(known):
                raise UsageError(f"{name} must be some of {', '.join(known)}. Got {given} instead.")


def plan_groups(
    groups: Sequence[Sequence[Mapping[str, Any]]], options: PlanOptions
) -> Iterator[dict[str, Any]]:
    """For each row of each group whether it stays or goes, and why: `action`, `why`, `kept_row_id`.

    `groups`: rows of DUPLICATES with `mtime_ns`, `meta_fields` (a number) and `labels` (a list).
    Rows whose tier is not asked for stay. Of each group at least one row stays.
    """
    for rows in groups:
        considered = [row for row in rows if row["tier"] in (MIDDLE, *options.tiers)]
        best = min(considered, key=lambda row: _order(row, options))
        for row in rows:
            action, why = "keep", ""
            if row["row_id"] == best["row_id"]:
                why = _why(row, considered, options)
            elif _protected(row, options):
                why = "protected"
            elif row not in considered:
                why = f"{row['tier']} copies stay"
            else:
                action, why = "remove", f"copy ({_tier(row, best)}) of the one that stays"
            yield {**row, "action": action, "why": why, "kept_row_id": best["row_id"]}


def _order(row: Mapping[str, Any], options: PlanOptions) -> tuple[Any, ...]:
    keys = [_value(row, policy) for policy in options.keep]
    return (not _protected(row, options), *keys, row["uri"], row["member"], row["row_id"])


def _value(row: Mapping[str, Any], policy: str) -> Any:
    """The smaller the better."""
    match policy:
        case "resolution":
            return -((row["width"] or 0) * (row["height"] or 0))
        case "bytes":
            return -(row["size"] or 0)
        case "metadata":
            return -row["meta_fields"]
        case "label":
            return not row["labels"]
        case "oldest":
            return row["mtime_ns"] if row["mtime_ns"] is not None else 2**63
        case _:
            return len(row["uri"]) + len(row["member"])


def _protected(row: Mapping[str, Any], options: PlanOptions) -> bool:
    return any(row["uri"].startswith(beginning) for beginning in options.protect)


def _why(row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], options: PlanOptions) -> str:
    """The first policy by which it is ahead of another."""
    if _protected(row, options):
        return "protected"
    for policy in options.keep:
        if any(_value(row, policy) < _value(other, policy) for other in others):
            return policy
    return "first by name"


def _tier(row: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    """How two rows of a group are copies: as surely as the less sure of both is of the middle."""
    rank = {name: number for number, name in enumerate((MIDDLE, *TIERS))}
    tier = max(row["tier"], best["tier"], key=lambda name: rank[name])
    return BYTES if row["picture_id"] == best["picture_id"] else str(tier)
