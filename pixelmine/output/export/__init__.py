"""A cleaned collection to somewhere: class folders, tar shards, Parquet, or a table alone.

rows      what a writer takes: cleared rows, with their cleared pictures
names     names that every file system takes, from labels and names of files
forms     the writer that a form's name asks for
"""

from .forms import FORMS, FormOptions, Written, open_form
from .rows import EXPORTED, Batch, labels_text

__all__ = ["EXPORTED", "FORMS", "Batch", "FormOptions", "Written", "labels_text", "open_form"]
