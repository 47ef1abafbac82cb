"""Data Elements as bytes, for objects that tests make (PS3.5 section 7)."""

from __future__ import annotations

import struct

from .model import Encoding

UN_CONTENT = Encoding(implicit=True, little=True)
ITEM, ITEM_END, SEQUENCE_END, UNDEFINED = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFFFFFF
FUTURE_VR = "ZZ"
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV", FUTURE_VR}


def header(encoding: Encoding, tag: int, vr: str | None, length: int) -> bytes:
    """Tag, VR if there is one, and Value Length: PS3.5 section 7.1."""
    order = "<" if encoding.little else ">"
    start = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if vr is None:
        return start + struct.pack(f"{order}L", length)
    return (
        start + vr.encode() + (struct.pack(f"{order}HL", 0, length) if vr in LONG else struct.pack(f"{order}H", length))
    )


def element(encoding: Encoding, tag: int, vr: str | None, value: bytes) -> bytes:
    """A Data Element of defined length; an Item too, with None as its VR."""
    return header(encoding, tag, vr, len(value)) + value


def undefined(encoding: Encoding, tag: int, vr: str | None, items: bytes, inner: Encoding) -> bytes:
    """A Data Element of undefined length; `inner` is the encoding of its Items, and of its end."""
    return header(encoding, tag, vr, UNDEFINED) + items + header(inner, SEQUENCE_END, None, 0)


def padded(value: bytes) -> bytes:
    """At even length, with NUL."""
    return value + b"\0" * (len(value) % 2)
