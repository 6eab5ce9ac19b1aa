"""The user's audit log: one for each user and machine, in the user's state folder."""

import getpass
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from pixelmine.privacy.audit import AuditLog, read_secret

__all__ = ["audit", "audit_log"]


def audit_log() -> AuditLog:
    """`audit.jsonl` in `$PIXELMINE_AUDIT`, else in the user's state folder, with its key beside."""
    folder = Path(os.environ.get("PIXELMINE_AUDIT") or user_state_path("pixelmine") / "audit")
    return AuditLog(folder / "audit.jsonl", read_secret(folder / "audit.key"))


def audit(
    did: str,
    *,
    policy: str | None = None,
    counts: Mapping[str, int] | None = None,
    about: Mapping[str, str] | None = None,
) -> str:
    """Note what was done, by whom (as a keyed hash); gives the new head of the log."""
    return audit_log().append(did, who=_user(), policy=policy, counts=counts, about=about)


def _user() -> str:
    with suppress(OSError, KeyError):  # no such user in the system's list
        return getpass.getuser()
    return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
