"""What the De-identifier says about itself: File Meta Information and the markers in the Data Set.

PS3.15 E.1.1 has preamble and File Meta Information replaced by those of the de-identifying application, Patient
Identity Removed (0012,0062) set, and the method named in text and in codes of PS3.16 CID 7050.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcmveil import _tables
from dcmveil.encode import Encoding, encode_element

__all__ = ["IMPLEMENTATION_CLASS_UID", "file_meta", "is_our_code", "method", "method_content", "method_text"]

IMPLEMENTATION_CLASS_UID = b"2.25.93788369709748088662773663422743228673"
IMPLEMENTATION_VERSION_NAME = b"DCMVEIL 0.1.0"
SCHEME = b"DCM"
PADDING = b" \0"
MAX_SHORT_LENGTH = 0xFFFE
_PREAMBLE = bytes(128) + b"DICM"


def file_meta(sop_class: bytes | None, sop_instance: bytes | None, transfer_syntax: str) -> bytes:
    """Preamble, prefix and File Meta Information (PS3.10 section 7.1), encoded.

    The Media Storage UIDs are left out where the Data Set and the old File Meta Information had none.
    """
    rows = [
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class),
        (0x00020003, "UI", sop_instance),
        (0x00020010, "UI", transfer_syntax.encode("ascii")),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME),
    ]
    group = b"".join(
        encode_element(Encoding.EXPLICIT_LE, tag, vr, value) for tag, vr, value in rows if value is not None
    )
    length = encode_element(Encoding.EXPLICIT_LE, 0x00020000, "UL", len(group).to_bytes(4, "little"))
    return _PREAMBLE + length + group


def method() -> bytes:
    """What De-identification Method (0012,0063) says: by which edition of the Standard this was done, and by what."""
    return b"dcmveil: PS3.15 %s Basic Application Confidentiality Profile" % _tables.edition().encode("ascii")


def method_text(old: bytes) -> bytes | None:
    """Value of De-identification Method (0012,0063) with ours added to the `old` ones; None if it is there."""
    old = old.rstrip(PADDING)
    ours = method()
    if ours in [value.strip(PADDING) for value in old.split(b"\\")]:
        return None
    both = old + b"\\" + ours
    return both if old and len(both) <= MAX_SHORT_LENGTH else ours


def _basic_code() -> tuple[bytes, bytes]:
    for value, meaning, column in _tables.codes():
        if column == "basic":
            return value.encode("ascii"), meaning.encode("ascii")
    raise LookupError("CID 7050 has no code for the Basic Profile")


def method_content(encoding: Encoding) -> bytes:
    """Content of the Item of De-identification Method Code Sequence (0012,0064) that names the Basic Profile."""
    value, meaning = _basic_code()
    rows = ((0x00080100, "SH", value), (0x00080102, "SH", SCHEME), (0x00080104, "LO", meaning))
    return b"".join(encode_element(encoding, tag, vr, text) for tag, vr, text in rows)


def is_our_code(item: Mapping[int, bytes]) -> bool:
    """Is the code of the Basic Profile in this Item of De-identification Method Code Sequence (tag: Value)?"""
    value, _meaning = _basic_code()
    return (item.get(0x00080100, b"").strip(PADDING), item.get(0x00080102, b"").strip(PADDING)) == (value, SCHEME)
