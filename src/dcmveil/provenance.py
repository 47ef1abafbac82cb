"""What the De-identifier says about itself: File Meta Information and the markers in the Data Set.

PS3.15 E.1.1 has preamble and File Meta Information replaced by those of the de-identifying application, Patient
Identity Removed (0012,0062) set, and the method named in text and in codes of PS3.16 CID 7050.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from dcmveil import _tables
from dcmveil.encode import Encoding, encode_element

__all__ = [
    "IMPLEMENTATION_CLASS_UID",
    "code_content",
    "codes",
    "file_meta",
    "method",
    "method_text",
    "methods",
    "our_code",
]

IMPLEMENTATION_CLASS_UID = b"2.25.93788369709748088662773663422743228673"
IMPLEMENTATION_VERSION_NAME = b"DCMVEIL 0.1.0"
SCHEME = b"DCM"
PADDING = b" \0"
MAX_SHORT_LENGTH = 0xFFFE
_UP_TO_LENGTH = bytes(128) + b"DICM" + encode_element(Encoding.EXPLICIT_LE, 0x00020000, "UL", bytes(4))[:-4]


def file_meta(
    sop_class: bytes | None, sop_instance: bytes | None, transfer_syntax: str, padding: int | None = None
) -> bytes:
    """Preamble, prefix and File Meta Information (PS3.10 section 7.1), encoded.

    The Media Storage UIDs are left out where the Data Set and the old File Meta Information had none. With `padding`
    there is a Private Information (0002,0102) of so many zeros.
    """
    before, behind = _around_instance(sop_class, transfer_syntax, padding)
    instance = b"" if sop_instance is None else encode_element(Encoding.EXPLICIT_LE, 0x00020003, "UI", sop_instance)
    size = len(before) + len(instance) + len(behind)
    return b"".join((_UP_TO_LENGTH, size.to_bytes(4, "little"), before, instance, behind))


@lru_cache(64)
def _around_instance(sop_class: bytes | None, transfer_syntax: str, padding: int | None) -> tuple[bytes, bytes]:
    """What stands before and behind Media Storage SOP Instance UID, which alone is another in every file."""
    rows = [
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class),
        (0x00020010, "UI", transfer_syntax.encode("ascii")),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME),
    ]
    if padding is not None:
        rows += [(0x00020100, "UI", IMPLEMENTATION_CLASS_UID), (0x00020102, "OB", bytes(padding))]
    encoded = [
        (tag, encode_element(Encoding.EXPLICIT_LE, tag, vr, value)) for tag, vr, value in rows if value is not None
    ]
    before = b"".join(element for tag, element in encoded if tag < 0x00020003)
    return before, b"".join(element for tag, element in encoded if tag > 0x00020003)


def method() -> bytes:
    """What De-identification Method (0012,0063) says: by which edition of the Standard this was done, and by what."""
    return b"dcmveil: PS3.15 %s Basic Application Confidentiality Profile" % _tables.edition().encode("ascii")


def codes(columns: Collection[str]) -> list[tuple[bytes, bytes]]:
    """(Code Value, Code Meaning) of CID 7050 for the Basic Profile and the Options, by columns of Table E.1-1."""
    chosen = {"basic", *columns}
    return [(value.encode("ascii"), meaning.encode("ascii")) for value, meaning, of in _tables.codes() if of in chosen]


def methods(columns: Collection[str]) -> list[bytes]:
    """The Values of De-identification Method (0012,0063): what was done and by what, and the Options."""
    return [method(), *(meaning for _value, meaning in codes(columns)[1:])]


def method_text(old: bytes, columns: Collection[str]) -> bytes | None:
    """Value of De-identification Method (0012,0063) with ours added to the `old` ones; None if they are there."""
    old = old.rstrip(PADDING)
    known = [value.strip(PADDING) for value in old.split(b"\\")]
    ours = methods(columns)
    missing = [value for value in ours if value not in known]
    if not missing:
        return None
    both = b"\\".join([old, *missing])
    return both if old and len(both) <= MAX_SHORT_LENGTH else b"\\".join(ours)


def code_content(encoding: Encoding, value: bytes, meaning: bytes) -> bytes:
    """Content of an Item of De-identification Method Code Sequence (0012,0064)."""
    rows = ((0x00080100, "SH", value), (0x00080102, "SH", SCHEME), (0x00080104, "LO", meaning))
    return b"".join(encode_element(encoding, tag, vr, text) for tag, vr, text in rows)


def our_code(item: Mapping[int, bytes]) -> bytes | None:
    """The Code Value of such an Item (tag: Value) if its scheme is the one of CID 7050."""
    return item.get(0x00080100, b"").strip(PADDING) if item.get(0x00080102, b"").strip(PADDING) == SCHEME else None
