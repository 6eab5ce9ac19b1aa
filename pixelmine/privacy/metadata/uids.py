"""DICOM's names of studies, series and pictures, by a key: what belongs together stays together."""

import hashlib
import hmac
from collections.abc import Callable

__all__ = ["keyed_uids"]


def keyed_uids(key: bytes) -> Callable[[str], str]:
    """What maps a UID to another one, the same under the same key; without it nobody can tell.

    128 bits of HMAC-SHA-256 as a decimal number below the root 2.25, as ISO/IEC 9834-8 has UUIDs.
    Source: DICOM PS3.5, B.2.
    """

    def mapped(uid: str) -> str:
        found = hmac.digest(key, uid.encode("utf-8", "replace"), hashlib.sha256)
        return f"2.25.{int.from_bytes(found[:16], 'big')}"

    return mapped
