"""What of a picture may leave, as data: the table `[pictures]` of a policy."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pixelmine.core.errors import UsageError
from pixelmine.core.ids import digest_json

__all__ = ["KINDS", "STYLES", "PictureRules", "Region"]

Style = Literal["off", "fill", "mosaic", "blur"]
STYLES = ("fill", "mosaic", "blur")
KINDS = ("faces", "plates", "text")
"""What is looked for, as the policy and the command name it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Region(_Part):
    """A box that is filled in every picture, upright, in fractions of its width and height.

    `x0`, `y0`: the upper left corner, 0 to 1; `x1`, `y1`: the lower right.
    """

    x0: Annotated[float, Field(ge=0, le=1)]
    y0: Annotated[float, Field(ge=0, le=1)]
    x1: Annotated[float, Field(ge=0, le=1)]
    y1: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ValueError("x1 must be above x0 and y1 above y0")
        return self


class PictureRules(_Part):
    """`metadata`: `remove` all but what is needed to show the pixels, or `keep`.

    `orientation`: `keep` it as the one allowed value, so that a JPEG's pixels are left as they are,
    or `apply` it. `faces`, `plates`, `text`: how they are masked, or `off`. `mosaic` and `blur` can
    be undone in part, and are weaker (see docs/explanation/privacy.md). `grow`: of a box about its
    middle; 1.3 covers a face whose box is a little off. `unsure`: what becomes of a picture where a
    detector is unsure: it leaves as it is and is listed for `review`, what may be something is
    masked too (`mask`), or it is kept back (`withhold`). `regions`: filled in every picture.
    """

    metadata: Literal["remove", "keep"] = "remove"
    orientation: Literal["keep", "apply"] = "keep"
    faces: Style = "off"
    plates: Style = "off"
    text: Style = "off"
    grow: Annotated[float, Field(ge=1, le=3)] = 1.3
    unsure: Literal["review", "mask", "withhold"] = "review"
    regions: list[Region] = []

    @classmethod
    def read(cls, values: Any) -> Self:
        """From a policy's table. Raises UsageError, which names the key and what is allowed."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, ("pictures", *first["loc"])))
            raise UsageError(f"The policy's {place} is wrong: {first['msg']}.") from error

    @property
    def looks_for(self) -> tuple[str, ...]:
        """Those of KINDS that are to be masked."""
        return tuple(kind for kind in KINDS if getattr(self, kind) != "off")

    @property
    def masks(self) -> bool:
        """Whether any pixel may change."""
        return bool(self.looks_for or self.regions)

    @property
    def weaker(self) -> tuple[str, ...]:
        """Those of KINDS whose mask can be undone in part."""
        return tuple(kind for kind in self.looks_for if getattr(self, kind) != "fill")

    @property
    def digest(self) -> str:
        """The same for the same rules."""
        return digest_json(self.model_dump(mode="json"))
