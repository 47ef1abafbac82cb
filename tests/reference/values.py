"""Whether bytes can be Values of a VR (PS3.5 6.2), as a pattern for each VR: which characters, and how many of them.

Generous, as real files are not strict: eight bytes for each character that Table 6.2-1 allows, lower case, dots and
colons in dates, line ends in all texts. Padding of NULs, of a UID also of spaces, may follow. What is binary can be
anything, but numbers come whole, and not more of them than the dictionary says.
"""

from __future__ import annotations

import re

from . import tables
from .model import Element

SIZES = {"SS": 2, "US": 2, "AT": 4, "FL": 4, "SL": 4, "UL": 4, "FD": 8, "SV": 8, "UV": 8}
CODE, TEXT, DATE, NUMBER = r"[ -[\]-~]", r"[\t\n\f\r\x1b -[\]-~\x80-\xff]", r"[0-9.:+/ -]", r"[0-9.,+eE -]"
ANY_TEXT = r"[\t\n\f\r\x1b -~\x80-\xff]"
# Values with backslash between them: of what, and how many characters each.
SEVERAL = {
    "AE": (CODE, 16), "AS": ("[0-9DWMYdwmy ]", 4), "CS": (CODE, 16), "DA": (DATE, 8), "DS": (NUMBER, 16),
    "DT": (DATE, 26), "IS": (NUMBER, 12), "LO": (TEXT, 64), "PN": (TEXT, 192), "SH": (TEXT, 16), "TM": (DATE, 14),
    "UI": ("[0-9.]", 64),
}  # fmt: skip
PATTERNS = {vr: rf"{of}{{0,{8 * most}}}(\\{of}{{0,{8 * most}}})*" for vr, (of, most) in SEVERAL.items()}
PATTERNS |= {"LT": rf"{ANY_TEXT}{{0,81920}}", "ST": rf"{ANY_TEXT}{{0,8192}}"}
PATTERNS |= {"UC": rf"{ANY_TEXT}*", "UT": rf"{ANY_TEXT}*", "UR": "[ -~]*"}
PADDED = {
    vr: re.compile((pattern + (r"[ \0]*" if vr == "UI" else r"(\0[ \0]*)?")).encode("latin-1"))
    for vr, pattern in PATTERNS.items()
}


def is_text_of(value: bytes, vrs: tuple[str, ...]) -> bool:
    """Whether it is one of one of these VRs, or they are not of text."""
    return any(vr not in PADDED or PADDED[vr].fullmatch(value) for vr in vrs)


def are_numbers_of(element: Element, value: bytes, vrs: tuple[str, ...]) -> bool:
    """Whether the length is one that numbers of these VRs can have, or something else can have them."""
    if not vrs or not set(vrs) <= set(SIZES):
        return True
    sizes = [SIZES[vr] for vr in vrs]
    return len(value) % min(sizes) == 0 and len(value) <= max(sizes) * tables.most_values(element.tag)
