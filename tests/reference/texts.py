"""Texts that lose identity (PS3.15 E.3.5): how they are cleaned is not predicted here, but judged by what must hold.

The words left are words of the original in their order; no name or ID of the object is among them; and a text with
nothing in it that could be cut is unchanged. What is a name or an ID the reference collects as it goes.
"""

from __future__ import annotations

import re
import warnings

import pydicom.charset

from . import tables
from .model import Cleaned, Element, Identity

TEXT_VRS = ("LO", "SH", "ST", "LT", "UT", "UC")
CHARACTER_SET, PATIENT_ID, ACCESSION_NUMBER = 0x00080005, 0x00100020, 0x00080050
ENCRYPTED_ATTRIBUTES = 0x04000500
DELIMITERS = set(b"\\^=\t\n\f\r")
DIGIT = re.compile("[0-9]")
BLANK = "\\ \0\t\r\n\f"
WORD = re.compile(r"[^\W_]+")
TITLES = set("dr doctor prof professor mr mrs ms miss mx sir madam herr frau hr fr mme mlle m monsieur madame".split())
TITLES |= set("sr sra srta senor senora dott dott dottore sig signor signora dra doc mag ing med phd md nurse".split())
NOBODY = set("anonymous anonymized anonymised deidentified unknown none removed null unspecified".split())
CUT_BY_RULE = re.compile(r"[^ -~\r\n\t\f]|[0-9@/]|\bhttp|www|\.[a-z]", re.IGNORECASE | re.ASCII)


def decoded(value: bytes, charset: bytes) -> str:
    """The text in the character set of that Specific Character Set (0008,0005), as pydicom reads it."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    names = [name.strip(b" \0").decode("latin-1") for name in charset.split(b"\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encodings = pydicom.charset.convert_encodings(names)
        return pydicom.charset.decode_bytes(value, encodings, DELIMITERS)


def words(text: str) -> list[str]:
    """Runs of letters and digits, small."""
    return [word.casefold() for word in WORD.findall(text)]


def charset_of(elements: list[Element], inherited: bytes) -> bytes:
    """Specific Character Set of a Data Set or Item; an Item without has that of what it is in."""
    for tag, vr, value in elements:
        if tag == CHARACTER_SET and vr in ("CS", None) and isinstance(value, bytes):
            return value
    return inherited


def words_of(element: Element, charset: bytes) -> set[str]:
    """All words in the texts of an element and of what is in it."""
    found: set[str] = set()
    for item in element.items:
        inner = charset_of(item, charset)
        found = found.union(*(words_of(member, inner) for member in item))
    vrs = tables.dictionary_vrs(element.tag)
    if isinstance(element.value, bytes) and not set(vrs).isdisjoint((*TEXT_VRS, "AE", "PN", "DA", "DT", "TM")):
        found |= set(words(decoded(element.value, charset)))
    return found


def names_in(elements: list[Element], charset: bytes = b"") -> set[str]:
    """Names of 3 letters or more and IDs of 4 characters or more, at every depth, if not private or encrypted."""
    charset, found = charset_of(elements, charset), set[str]()
    for element in (one for one in elements if not one.tag >> 16 & 1 and one.tag != ENCRYPTED_ATTRIBUTES):
        found = found.union(*(names_in(item, charset) for item in element.items))
        if isinstance(element.value, bytes):
            found |= set(identifying(element, decoded(element.value, charset)))
    return {text.casefold() for text in found}


def identifying(element: Element, text: str) -> list[str]:
    """The parts of one value that must go from texts."""
    if element.tag in (PATIENT_ID, ACCESSION_NUMBER) and element.vr in ("LO", "SH", None):
        return [text.strip("\0 ")] if len(text.strip("\0 ")) >= 4 else []
    if tables.dictionary_vrs(element.tag) != ("PN",) or element.vr not in ("PN", None):
        return []
    groups = [[part.strip("\0 ") for part in group.split("^")[:3]] for group in re.split(r"[\\=]", text)]
    parts = [part for parts in groups if NOBODY.isdisjoint(map(str.casefold, parts)) for part in parts]
    return [part for part in parts if len(part) >= 3 and part.isalpha()]


def fault(cleaned: Cleaned, result: Element | None, identity: Identity) -> str | None:
    """What is wrong with the element that came of a text to be cleaned."""
    if has_nothing_to_cut(cleaned, identity):
        same = result is not None and result.value == cleaned.original
        return None if same else "changed, though nothing in it identifies"
    if ([result] if result else []) == cleaned.instead:
        return None
    if result is None or not isinstance(result.value, bytes):
        return "neither cleaned nor as by the Basic Profile"
    text, original = (decoded(value, cleaned.charset) for value in (result.value, cleaned.original))
    if original.strip(BLANK) and not text.strip(BLANK):
        return "nothing is left, and that not as by the Basic Profile"
    if not is_subsequence(words(text), words(original)):
        return "has words that were not there"
    return "still identifies" if any(is_in(name, text) for name in identity.must_go) else None


def has_nothing_to_cut(cleaned: Cleaned, identity: Identity) -> bool:
    """Whether the text is plain: ASCII, no word of what was removed; for one by rule, nothing a rule could mean."""
    text = cleaned.original.decode("latin-1")
    found = runs(words(text))
    if not text.isascii() or "\x1b" in text or not found.isdisjoint(identity.may_go):
        return False
    if DIGIT.search(text) and any(map(DIGIT.search, identity.may_go)):  # dates are written in many ways
        return False
    return not cleaned.by_rule or (CUT_BY_RULE.search(text) is None and found.isdisjoint(TITLES))


def runs(parts: list[str]) -> set[str]:
    """Words, and up to four that follow each other as one: a name may be written with points between its letters."""
    return {"".join(parts[start:stop]) for start in range(len(parts)) for stop in range(start + 1, start + 5)}


def is_in(name: str, text: str) -> bool:
    """Whether the name stands there as a word, or as words."""
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text.casefold()) is not None


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)
