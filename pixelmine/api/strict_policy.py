"""A privacy policy at the release gate: what its file says, done to whatever leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core import FAILED, Limits, Reason, Withheld
from pixelmine.core.errors import UsageError
from pixelmine.engine import Isolated
from pixelmine.privacy.column_rule import ColumnRule
from pixelmine.privacy.columns import mask_table
from pixelmine.privacy.policy import PrivacyPolicy
from pixelmine.privacy.pseudonym import Pseudonyms
from pixelmine.protecting import Protection, check_detectors
from pixelmine.store.keys import MasterKeys

from .protect_stage import patient

__all__ = ["StrictPolicy", "open_policy"]

PURPOSE = "export"
_NAMES = ("row_id", "picture_id", "content_id", "uri", "member", "group")
"""Say where a picture lies, or are digests that somebody with the picture can compute."""
_PLAIN = (
    *("frame", "status", "reason", "format", "width", "height", "labels", "part"),
    *("top", "decision", "set", "ood", "model", "model_digest"),
)
_RULES = {
    **{name: ColumnRule(do="hash") for name in _NAMES},
    **{name: ColumnRule(do="keep") for name in _PLAIN},
}
"""Of columns that the policy says nothing of; others do not leave."""


class StrictPolicy:
    """What `core.clear` asks. Made by `open_policy`; one picture at a time."""

    def __init__(self, policy: PrivacyPolicy, pseudonyms: Pseudonyms, isolated: Isolated) -> None:
        self._rules = {**_RULES, **policy.columns}
        self._pseudonyms, self._isolated = pseudonyms, isolated
        self._thumbnails = Protection(rules=policy.pictures)

    def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Each column by its rule; one without a rule is gone. No member stays no member."""
        masked = mask_table(rows, self._rules, pseudonyms=self._pseudonyms)
        if "member" in masked.schema.names and self._rules["member"].do == "hash":
            none = pc.equal(rows["member"], "")
            column = pc.if_else(none, "", masked["member"])
            masked = masked.set_column(masked.schema.get_field_index("member"), "member", column)
        return masked

    def picture(self, data: bytes) -> bytes:
        """Masked, and without metadata. Raises Withheld with the reason where it may not leave."""
        found = self._isolated.submit({}, data).result()
        if isinstance(found, Reason):
            raise Withheld(found)
        values, made = found[0]
        if values["status"] == FAILED or made is None:
            raise Withheld(Reason(values["reason"]))
        if len(found) > 1:  # frames of one file, of which each would need a row of its own
            raise Withheld
        return made.tobytes()

    def thumbnail(self, pixels: np.ndarray) -> np.ndarray:
        """Masked; black where it may not leave."""
        return self._thumbnails.of_pixels(pixels)


@contextmanager
def open_policy(policy: PrivacyPolicy, limits: Limits | None = None) -> Iterator[StrictPolicy]:
    """The policy at work, with its key and the process that takes pictures apart.

    Raises UsageError where there is no key for pseudonyms, ModelError for a missing detector.
    """
    check_detectors(policy.pictures)
    keys = MasterKeys.from_environment()
    if keys is None:
        raise UsageError(
            "With a policy, names leave as pseudonyms, which need a key: make one with pixelmine "
            "privacy key FILE, and set PIXELMINE_KEY_FILE to FILE."
        )
    limits = patient(limits or Limits())
    options = {
        "rules": policy.pictures.model_dump(mode="json"),
        "limits": asdict(limits),
        "uid_key": keys.purpose_key("dicom-uid").hex(),
    }
    with Isolated("pixelmine.protecting:protector", options, 1, limits) as isolated:
        yield StrictPolicy(policy, Pseudonyms(keys.purpose_key(PURPOSE), PURPOSE), isolated)
