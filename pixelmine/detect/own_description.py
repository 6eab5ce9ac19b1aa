"""What a user says about a detector of their own: a small TOML file beside its ONNX file.

kind = "plate"                # what its boxes hold

[input]
width = 640
height = 640
layout = "NCHW"               # or "NHWC"
dtype = "float32"             # or "uint8"
colours = "rgb"               # or "bgr"
mean = [0, 0, 0]              # (pixel - mean) / deviation, pixels 0 to 255, in RGB order
deviation = [255, 255, 255]
resize = "letterbox"          # keeps the shape, and fills up with `fill`; or "stretch"
fill = 114

[output]
name = "output0"              # left out: the only one
rows = "columns"              # (1, 5+, N), as YOLOv8 and later give it; or "rows": (1, N, 5+)
box = "cxcywh"                # or "xyxy", "xywh"
units = "pixels"              # of the input; or "fraction" of it
objectness = false            # true: a score stands before those of the classes, as in YOLOv5
classes = [0]                 # which of the scores count; left out: all
working = 0.5
low = 0.25
overlap = 0.45                # boxes that share more than this (IoU) are one
"""

import tomllib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pixelmine.core.errors import ModelError

__all__ = ["MAX_BYTES", "Description", "Input", "Output"]

MAX_BYTES = 64 * 2**10
"""Of the TOML file."""

Side = Annotated[int, Field(ge=32, le=4096)]
Share = Annotated[float, Field(gt=0, lt=1)]
Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Input(_Part):
    """How a picture becomes what the network takes, one at a time."""

    width: Side
    height: Side
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "uint8"] = "float32"
    colours: Literal["rgb", "bgr"] = "rgb"
    mean: Triple = (0.0, 0.0, 0.0)
    deviation: Triple = (255.0, 255.0, 255.0)
    resize: Literal["letterbox", "stretch"] = "letterbox"
    fill: Annotated[int, Field(ge=0, le=255)] = 114

    @model_validator(mode="after")
    def _divides(self) -> "Input":
        if min(self.deviation) <= 0:
            raise ValueError("deviation must be above 0")
        return self

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What the network takes, N = 1."""
        if self.layout == "NCHW":
            return 1, 3, self.height, self.width
        return 1, self.height, self.width, 3


class Output(_Part):
    """How what it gives becomes boxes."""

    name: str | None = None
    rows: Literal["rows", "columns"] = "rows"
    box: Literal["xyxy", "xywh", "cxcywh"] = "cxcywh"
    units: Literal["pixels", "fraction"] = "pixels"
    objectness: bool = False
    classes: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None
    working: Share = 0.5
    low: Share = 0.25
    overlap: Share = 0.45

    @model_validator(mode="after")
    def _in_order(self) -> "Output":
        if self.low > self.working:
            raise ValueError("low must be at most working")
        return self


class Description(_Part):
    """All of it. `sha256`: of the ONNX file, where it is to be that one and no other."""

    kind: Annotated[str, Field(min_length=1, max_length=40)] = "plate"
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    input: Input
    output: Output = Output()

    @classmethod
    def parse(cls, data: bytes, name: str) -> "Description":
        """Read and check a file of that name. Raises ModelError with the first thing wrong."""
        if len(data) > MAX_BYTES:
            raise ModelError(f"{name} is larger than {MAX_BYTES} bytes: it describes no detector.")
        try:
            return cls.model_validate(tomllib.loads(data.decode("utf-8")))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ModelError(
                f"{name} does not describe a detector: {where}: {first['msg']}."
            ) from error
        except ValueError as error:  # not UTF-8, or not TOML
            raise ModelError(f"{name} is not a TOML file: {error}.") from error
