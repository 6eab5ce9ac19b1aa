"""What reads like a number plate.

Sources: Convention on Road Traffic, Vienna 1968, article 36 and annex 2: "composed either of
numerals or of numerals and letters", in capital Latin letters and Arabic numerals (a national
script beside them). GA 36-2018, China: one character for the province, a letter (no I, no O) for
the place, and five letters or digits, six on plates for new energy; the last may be a character for
the use. Sizes of plates: Europe 520 x 110 mm, China 440 x 140 mm (480 x 140 mm for new energy), the
Americas 12 x 6 inches, of which the number is some two thirds high.
"""

import re
import unicodedata
from itertools import pairwise

__all__ = ["is_like_a_plate", "normalised"]

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
"""GA 36-2018: the 31 provinces, regions and cities."""

USES = "学警港澳挂领使应急"
"""What the last character may be: learners, police, Hong Kong, Macau, trailers and others."""

_SERIAL = "[A-HJ-NP-Z0-9]"
_CHINESE = re.compile(f"[{PROVINCES}][A-HJ-NP-Z](?:{_SERIAL}{{5,6}}|{_SERIAL}{{4}}[{USES}])")
_BETWEEN = re.compile(r"[\W_]+")

FEWEST, MOST = 5, 8
"""Characters: four in a row are prices, sizes and years too; longer than eight no state issues."""

_LATIN = re.compile("[A-Z0-9]+")

NARROWEST, WIDEST = 1.8, 9.0
"""Along the line over across it: from 12 x 6 inches to eight letters in one row."""


def normalised(text: str) -> str:
    """Capital letters and digits of full or half width, without what stands between groups."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).upper())


def is_like_a_plate(text: str, along: float, across: float) -> bool:
    """Whether a line that reads `text`, so many pixels long and high, is like a number plate.

    Its shape is from 1.8 to 9 times as long as high, and it is a Chinese number; or it has five to
    eight Latin letters and digits, of which two are digits and one is a letter, and changes
    between letters and digits at most three times (AB12CDE: twice, 1ABC234: twice).
    """
    if not NARROWEST <= along / max(across, 1e-6) <= WIDEST:
        return False
    said = normalised(text)
    if _CHINESE.fullmatch(said):
        return True
    if not (FEWEST <= len(said) <= MOST and _LATIN.fullmatch(said)):
        return False
    digits = sum(character.isdigit() for character in said)
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(said))
    return digits >= 2 and digits < len(said) and changes <= 3
