"""Hand-made bytes for the engine's tests: elements, Items and whole files in any encoding, right or wrong."""

from __future__ import annotations

import struct

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


def element(tag: int, vr: str | None, value: bytes = b"", *, order: str = "<", length: int | None = None) -> bytes:
    length = len(value) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if vr is None:
        return head + struct.pack("<I", length) + value
    if vr in LONG:
        return head + vr.encode() + struct.pack(order + "HI", 0, length) + value
    return head + vr.encode("latin-1") + struct.pack(order + "H", length) + value


def item(content: bytes = b"", *, order: str = "<", length: int | None = None) -> bytes:
    return struct.pack(order + "HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def delimiter(element_number: int, *, order: str = "<", length: int = 0) -> bytes:
    return struct.pack(order + "HHI", 0xFFFE, element_number, length)


END_ITEM, END_SEQUENCE = delimiter(0xE00D), delimiter(0xE0DD)


def file(dataset: bytes, syntax: str = EXPLICIT) -> bytes:
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return bytes(128) + b"DICM" + element(0x00020010, "UI", uid) + dataset
