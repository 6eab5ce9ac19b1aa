"""Why a picture has no answer: a closed list, the same words in every file, table and page."""

from enum import StrEnum

__all__ = ["FAILED", "OK", "PASSING", "Reason"]

OK = "ok"
FAILED = "failed"


class Reason(StrEnum):
    """One reason for each failed row. The text after each says what it means to a user."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_LARGE_FILE = "too_large_file"
    DECODER_CRASH = "decoder_crash"
    DECODER_TIMEOUT = "decoder_timeout"
    UNREADABLE = "unreadable"
    NOT_FOUND = "not_found"
    DENIED = "denied"
    PRIVATE_ADDRESS = "private_address"
    UNREACHABLE = "unreachable"
    SOURCE_TIMEOUT = "source_timeout"
    SERVER_ERROR = "server_error"
    CHANGED = "changed"
    QUARANTINED = "quarantined"
    ERASED = "erased"
    WITHHELD = "withheld"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


PASSING = frozenset(
    {
        Reason.DENIED,
        Reason.NOT_FOUND,
        Reason.UNREADABLE,
        Reason.UNREACHABLE,
        Reason.SOURCE_TIMEOUT,
        Reason.SERVER_ERROR,
    }
)
"""Reasons that can pass without the file's size or time changing: such rows are tried again."""

_MEANINGS = {
    Reason.EMPTY: "The file holds no bytes.",
    Reason.NOT_AN_IMAGE: "The content is not a picture of any known format.",
    Reason.TRUNCATED: "The picture ends before its last pixel.",
    Reason.CORRUPT: "The content contradicts its own format.",
    Reason.UNSUPPORTED_FORMAT: "A known picture format, or a variant of one, without a decoder.",
    Reason.TOO_MANY_PIXELS: "Width times height is over the limit.",
    Reason.TOO_MANY_FRAMES: "The file has more frames than the limit; those before it are rows.",
    Reason.TOO_LARGE_FILE: "The file is larger than the limit.",
    Reason.DECODER_CRASH: "The decoder died on this picture.",
    Reason.DECODER_TIMEOUT: "Decoding takes longer than its limit allows.",
    Reason.UNREADABLE: "The file could not be read.",
    Reason.NOT_FOUND: "There is no such file.",
    Reason.DENIED: "Reading the file is not permitted.",
    Reason.PRIVATE_ADDRESS: "The address belongs to a private network and was not asked.",
    Reason.UNREACHABLE: "No connection to the server could be made.",
    Reason.SOURCE_TIMEOUT: "The server took longer than the limit allows.",
    Reason.SERVER_ERROR: "The server answered with an error.",
    Reason.CHANGED: "The file is not the one that was ingested; ingest again.",
    Reason.QUARANTINED: "A plan set the picture aside; `mine plan undo` brings it back.",
    Reason.ERASED: "The picture was erased and must not come back.",
    Reason.WITHHELD: "The privacy policy does not let it leave before somebody has looked at it.",
}
