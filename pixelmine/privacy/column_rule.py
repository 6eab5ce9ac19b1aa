"""What becomes of a column that leaves, as data: the table `[columns]` of a policy.

label = "keep"                                    # or "drop", or "hash": a pseudonym
time = { truncate = "month" }                     # or "year", "day": stays a time
title = { truncate = { characters = 3 } }
size = { truncate = { step = 1000 } }             # down to a multiple
latitude = { truncate = { decimals = 1 } }        # rounded
place = { generalise = { groups = { Bonn = "west" }, other = "elsewhere" } }
age = { generalise = { bins = [18, 65] } }        # "below 18", "18 to below 65", "65 and above"
taken = { generalise = { period = "month" } }     # "2026-03"
longitude = { generalise = { grid = 0.5 } }       # "7 to below 7.5"
"meta.Model" = "keep"                             # a key of a map
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pixelmine.core.errors import UsageError

__all__ = ["ColumnRule", "Generalise", "Period", "Truncate", "read_rules"]

Period = Literal["year", "month", "day"]
_Positive = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _given(part: BaseModel, names: tuple[str, ...]) -> str:
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        raise ValueError(f"it takes one of {', '.join(names)}, and has {len(given)}")
    return given[0]


class Truncate(_Part):
    """One of: the first `characters` of a text; a number down to a multiple of `step`; a number
    rounded to `decimals`.
    """  # noqa: D205  # the choice is one sentence

    characters: Annotated[int, Field(ge=0)] | None = None
    step: _Positive | None = None
    decimals: Annotated[int, Field(ge=-9, le=9)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _given(self, ("characters", "step", "decimals"))
        return self


class Generalise(_Part):
    """One of `groups`, `bins`, `period` and `grid`; what comes of each is text.

    `groups`: value -> its group; a value without one becomes `other`, or null. `bins`: ascending
    edges. `period`: of a time. `grid`: of a coordinate, the width of a cell in degrees.
    """

    groups: dict[str, str] | None = None
    other: str | None = None
    bins: Annotated[list[float], Field(min_length=1)] | None = None
    period: Period | None = None
    grid: _Positive | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        kind = _given(self, ("groups", "bins", "period", "grid"))
        if self.other is not None and kind != "groups":
            raise ValueError("only groups have an other")
        if self.bins and any(low >= high for low, high in pairwise(self.bins)):
            raise ValueError("the edges of bins must ascend")
        return self


class ColumnRule(_Part):
    """One of: `do` (`keep` as it is, `drop`, `hash`: a pseudonym), `truncate`, `generalise`."""

    do: Literal["keep", "drop", "hash"] | None = None
    truncate: Period | Truncate | None = None
    generalise: Generalise | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        _given(self, ("do", "truncate", "generalise"))
        return self

    @classmethod
    def read(cls, value: Any, name: str) -> Self:
        """From a policy: a word, or a table. Raises UsageError, which names the column."""
        try:
            return cls.model_validate({"do": value} if isinstance(value, str) else value)
        except ValidationError as error:
            # Where one of two kinds is allowed both complain: the one that got further is meant.
            said = max(
                error.errors(), key=lambda one: (len(one["loc"]), one["type"] == "value_error")
            )
            keys = [str(key) for key in said["loc"] if str(key).islower() and "[" not in str(key)]
            place = ".".join(("columns", name, *keys))
            raise UsageError(f"The policy's {place} is wrong: {said['msg']}.") from error


def read_rules(values: Any) -> dict[str, ColumnRule]:
    """A policy's table `[columns]`: column, or `map.KEY`, -> its rule. Raises UsageError."""
    if not isinstance(values, Mapping):
        raise UsageError("The policy's columns must be a table: a rule for each column.")
    return {name: ColumnRule.read(value, name) for name, value in values.items()}
