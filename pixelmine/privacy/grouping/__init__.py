"""Groups of rows that look alike, so that none can be told from at least k - 1 others."""

from .group import Grouped, group
from .loss import ColumnLoss
from .measure import Measured, measure

__all__ = ["ColumnLoss", "Grouped", "Measured", "group", "measure"]
