"""The encoder of the test data: Explicit VR Little Endian, Implicit VR Little Endian where UN asks for it.

PS3.5 section 7 and 7.5, PS3.10 section 7.1. Kept apart from the encoder of dcmveil, which it helps to judge.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

__all__ = [
    "ENCAPSULATED",
    "EXPLICIT_LE",
    "ITEM_DELIMITATION",
    "ROOT",
    "SEQUENCE_DELIMITATION",
    "UNDEFINED",
    "Row",
    "Value",
    "code_item",
    "element",
    "file_head",
    "header",
    "implicit_element",
    "in_order",
    "item",
    "item_header",
    "plain",
    "sequence",
    "stream_items",
    "uid",
]

EXPLICIT_LE = "1.2.840.10008.1.2.1"
ENCAPSULATED = "1.2.840.10008.1.2.4.80"  # JPEG-LS Lossless: Fragments that no reader here decodes
UNDEFINED = 0xFFFFFFFF
ITEM_DELIMITATION = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_DELIMITATION = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
ROOT = "2.999"

# PS3.5 7.1.2: these VRs have a Value Length of 32 bits, all others one of 16 bits.
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_PADDED_WITH_NUL = frozenset({"OB", "UI", "UN"})
_NUMBERS = {"FL": "f", "FD": "d", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q", "OV": "Q"}

# What `element` takes: encoded bytes, text, or numbers of the VR.
Value = bytes | str | int | float | tuple[int | float, ...]
Row = tuple[int, str, Value] | tuple[int, str]


def uid(*components: int) -> str:
    """A UID under the example arc."""
    return ".".join([ROOT, *map(str, components)])


def header(tag: int, vr: str, length: int) -> bytes:
    """Tag, VR and Value Length of a Data Element, Explicit VR Little Endian."""
    front = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return front + struct.pack("<2xI" if vr in _LONG else "<H", length)


def element(tag: int, vr: str, value: Value = b"") -> bytes:
    """A Data Element; text is UTF-8, numbers are packed as `vr` says, the Value is padded to even length."""
    data = _value(vr, value)
    return header(tag, vr, len(data)) + data


def implicit_element(tag: int, vr: str, value: Value = b"") -> bytes:
    """A Data Element in Implicit VR Little Endian, as it stands inside a Sequence encoded as UN."""
    data = _value(vr, value)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)) + data


def in_order(elements: Iterable[bytes]) -> bytes:
    """Join encoded Data Elements in the order of their tags (PS3.5 7.1)."""
    return b"".join(sorted(elements, key=lambda data: struct.unpack_from("<HH", data)))


def plain(rows: Iterable[Row]) -> bytes:
    """Encode a table of elements; a row without Value has zero length."""
    return b"".join(element(*row) for row in rows)


def item_header(length: int = UNDEFINED) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, length)


def item(content: bytes, *, undefined: bool = False) -> bytes:
    """An Item of a Sequence, or with defined length a Fragment."""
    if undefined:
        return item_header() + content + ITEM_DELIMITATION
    return item_header(len(content)) + content


def sequence(tag: int, *items: bytes, undefined: bool = False, vr: str = "SQ") -> bytes:
    """A Sequence of whole Items; `vr` UN gives the form of PS3.5 6.2.2, its Items then being Implicit VR."""
    content = b"".join(items)
    if undefined:
        return header(tag, vr, UNDEFINED) + content + SEQUENCE_DELIMITATION
    return header(tag, vr, len(content)) + content


def stream_items(tag: int, items: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    """A Sequence given Item by Item: of defined length `size` in bytes, or of undefined length for None."""
    yield header(tag, "SQ", UNDEFINED if size is None else size)
    yield from items
    if size is None:
        yield SEQUENCE_DELIMITATION


def code_item(value: str, scheme: str, meaning: str, *, undefined: bool = False) -> bytes:
    """A Code Sequence Item, PS3.3 Table 8.8-1."""
    parts = (
        element(0x00080100, "SH", value),
        element(0x00080102, "SH", scheme),
        element(0x00080104, "LO", meaning),
    )
    return item(b"".join(parts), undefined=undefined)


def file_head(
    sop_class: str,
    instance: str,
    syntax: str = EXPLICIT_LE,
    *,
    preamble: bytes = b"",
    more: Iterable[bytes] = (),
) -> bytes:
    """Preamble, prefix and File Meta Information; `more` are further elements behind (0002,0013)."""
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class)
    meta += element(0x00020003, "UI", instance) + element(0x00020010, "UI", syntax)
    meta += element(0x00020012, "UI", uid(1)) + element(0x00020013, "SH", "SYNTHETIC") + b"".join(more)
    return preamble.ljust(128, b"\0") + b"DICM" + element(0x00020000, "UL", len(meta)) + meta


def _value(vr: str, value: Value) -> bytes:
    if isinstance(value, int | float):
        value = (value,)
    if isinstance(value, tuple):
        return struct.pack(f"<{len(value)}{_NUMBERS[vr]}", *value)
    data = value.encode() if isinstance(value, str) else value
    return data + (b"\0" if vr in _PADDED_WITH_NUL else b" ") * (len(data) % 2)
