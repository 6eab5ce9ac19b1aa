"""Where pictures come from: every source yields rows to read, and `read` gives their bytes."""

from .folder import list_folder
from .idx import is_idx_folder, read_part
from .read import read, read_file

__all__ = ["is_idx_folder", "list_folder", "read", "read_file", "read_part"]
