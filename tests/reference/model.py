"""The plain tree the reference works on, and the four ways in which it can say no.

A Data Set is a list of `Element`; a Sequence's value is a list of Items, and an Item is again such a list.
`vr` is None where the encoding carries no VR (Implicit VR, also inside UN-encoded Sequences, PS3.5 6.2.2).
Encapsulated Pixel Data is the raw bytes of its Fragments, Item headers included. In an expected tree a text that is
to be cleaned is `Cleaned`: what it may have become is judged by the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"


class Element(NamedTuple):
    """One Data Element: `value` is bytes as encoded, or the Items of a Sequence that was looked into."""

    tag: int
    vr: str | None
    value: bytes | list[list[Element]] | Cleaned

    @property
    def items(self) -> list[list[Element]]:
        """The Items; none if the value is a text or bytes."""
        return self.value if isinstance(self.value, list) else []


class Cleaned(NamedTuple):
    """A text that loses what identifies: by every rule, or only the names and IDs of its object."""

    original: bytes
    charset: bytes
    by_rule: bool
    instead: list[Element]  # the outcome, none or one, if the text can not be cleaned or nothing is left of it


class Encoding(NamedTuple):
    """How Data Elements are encoded: PS3.5 section 7 and annex A."""

    implicit: bool
    little: bool


@dataclass(frozen=True)
class Parsed:
    """A file as read: two trees, and the Transfer Syntax that was declared or detected."""

    preamble: bytes | None
    meta: list[Element]
    data_set: list[Element]
    transfer_syntax: str
    encoding: Encoding


class Identity(NamedTuple):
    """What identifies in an object: texts that must go from others, and words that may."""

    must_go: frozenset[str]
    may_go: frozenset[str]


NOBODY = Identity(frozenset(), frozenset())


@dataclass(frozen=True)
class Expected:
    """What the output file must contain; texts in it may not name what identified."""

    meta: list[Element]
    data_set: list[Element]
    identity: Identity = NOBODY


@dataclass(frozen=True)
class Settings:
    """The part of a policy the reference knows; names and defaults are those of `dcmveil.Policy`."""

    secret: bytes = field(repr=False)
    root_uid: str | None = None
    existing_encrypted: str = "refuse"
    allow_embedded_overlays: bool = False
    retain_uids: bool = False
    retain_device_identity: bool = False
    retain_institution_identity: bool = False
    retain_patient_characteristics: bool = False
    retain_full_dates: bool = False
    modify_dates: bool = False
    clean_descriptors: bool = False
    clean_structured_content: bool = False
    clean_graphics: bool = False
    retain_safe_private: bool = False
    patient_id: str | None = None
    patient_name: str | None = None
    accession_number: str | None = None
    study_id: str | None = None
    date_window: int = 365


class UnreadableError(Exception):
    """The file is not a well-formed encoding of a Data Set."""


class RefusalError(Exception):
    """The file must be refused; `reason` is the word `dcmveil.errors.Refused.reason` must carry."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tag_name(tag: int) -> str:
    """The tag as the Standard prints it, `(0010,0010)`."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def first_value(elements: list[Element], tag: int, vr: str) -> bytes:
    """The value of the first element of that tag, without its padding, or b"" if absent or of another VR."""
    for element in elements:
        if element.tag == tag:
            value = element.value if element.vr in (vr, None) else b""
            return value.strip(b"\0 ") if isinstance(value, bytes) else b""
    return b""


def padded(value: bytes, vr: str) -> bytes:
    """The value at even length (PS3.5 6.2): NUL for UI and bytes, space for text."""
    filler = b"\0" if vr in ("UI", "OB", "UN") else b" "
    return value + filler * (len(value) % 2)
