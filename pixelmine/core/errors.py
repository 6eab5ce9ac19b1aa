"""Every error that Pixelmine raises on purpose.

    PixelmineError              exit code 1
    |-- UsageError              exit code 2: the command or an option is wrong
    |-- SourceError             a source cannot be listed or read at all
    |-- CollectionError         a collection is missing, damaged or of another kind
    |   |-- SchemaVersionError  written by a newer version
    |   `-- LockedError         another process is writing
    |-- ModelError              a bundle cannot be trusted, read or run
    |-- RunError                a run cannot go on where it stopped
    |-- OutputError             a destination cannot be written
    |-- TrainError              training or taking in a network failed
    |-- PrivacyError            what a policy promises cannot be kept, so nothing is released
    |-- SealedError             something sealed cannot be opened
    |   |-- WrongKeyError       the master key that it needs is not here
    |   `-- TamperedError       it was changed, cut off, or is another's
    `-- DatasetError            a data set cannot be found, copied or checked

A bad picture is never an error: it is a row with a reason (`pixelmine.core.reasons`).
"""

__all__ = [
    "CollectionError",
    "DatasetError",
    "LockedError",
    "ModelError",
    "OutputError",
    "PixelmineError",
    "PrivacyError",
    "RunError",
    "SchemaVersionError",
    "SealedError",
    "SourceError",
    "TamperedError",
    "TrainError",
    "UsageError",
    "WrongKeyError",
]


class PixelmineError(Exception):
    """What failed, what was received, why it matters and what to do, in a sentence or two."""

    exit_code = 1


class UsageError(PixelmineError, ValueError):
    """An option or argument is out of its range, or two do not go together."""

    exit_code = 2


class SourceError(PixelmineError):
    """A source cannot be listed or read at all."""


class CollectionError(PixelmineError):
    """A collection is missing, damaged, or not a collection."""


class SchemaVersionError(CollectionError):
    """A collection was written by a newer version of Pixelmine."""


class LockedError(CollectionError):
    """Another process holds the lock for longer than the time allowed."""


class ModelError(PixelmineError):
    """A model bundle cannot be trusted, read or run."""


class RunError(PixelmineError):
    """A run's state does not fit what is asked now."""


class OutputError(PixelmineError):
    """A destination cannot be written."""


class TrainError(PixelmineError):
    """Training, or taking in a trained network, failed."""


class PrivacyError(PixelmineError):
    """What a policy promises cannot be kept, so that nothing is released. Tells nobody's values."""


class SealedError(PixelmineError):
    """Something sealed cannot be opened. Tells nothing of any key but its id."""


class WrongKeyError(SealedError):
    """The master key that it needs is not here."""


class TamperedError(SealedError):
    """It was changed or cut off since it was sealed, or is the sealed form of something else."""


class DatasetError(PixelmineError):
    """A data set cannot be found, copied or checked."""
