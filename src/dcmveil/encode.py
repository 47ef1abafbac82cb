"""Data Elements as bytes (PS3.5 section 7): the one encoder for everything this package writes itself.

What is kept of an input is copied and never comes here. Sequences and Items get defined lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum

from dcmveil.errors import LimitExceeded
from dcmveil.tags import format_tag

__all__ = ["ENCODINGS", "Encoding", "encode_element", "encode_item", "encode_sequence", "pad"]

ITEM = 0xFFFEE000
_LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_NUL_PADDED_VRS = frozenset({"OB", "UI", "UN"})
_MAX_SHORT = 0xFFFE  # the greatest even number in 16 bits
_MAX_LONG = 0xFFFFFFFE  # the greatest even number in 32 bits; one more is the undefined length


class Encoding(IntEnum):
    """How Data Elements are written; numbered as in the extension modules."""

    EXPLICIT_LE = 0
    IMPLICIT_LE = 1
    EXPLICIT_BE = 2

    @property
    def order(self) -> str:
        """Byte order, as the module struct writes it."""
        return ">" if self is Encoding.EXPLICIT_BE else "<"


ENCODINGS = tuple(Encoding)  # by number, which is many times faster than Encoding(number)


def pad(vr: str, value: bytes) -> bytes:
    """The Value made even in length: with NUL for UI, OB and UN, with a space for text (PS3.5 6.2)."""
    if len(value) % 2 == 0:
        return value
    return value + (b"\0" if vr in _NUL_PADDED_VRS else b" ")


def encode_element(encoding: Encoding, tag: int, vr: str, value: bytes) -> bytes:
    """One Data Element with its Value, padded if need be.

    `value` is in the byte order of the encoding. LimitExceeded if the Value Length field cannot hold its
    length.
    """
    value = pad(vr, value)
    return _header(encoding, tag, vr, len(value)) + value


def encode_sequence(encoding: Encoding, tag: int, items: Iterable[bytes]) -> bytes:
    """A Sequence of Items (VR SQ) with defined lengths; each of `items` is the content of one Item."""
    return encode_element(encoding, tag, "SQ", b"".join(encode_item(encoding, item) for item in items))


def encode_item(encoding: Encoding, content: bytes) -> bytes:
    """One Item with its header. LimitExceeded if the Item Length cannot hold the length of the content."""
    if len(content) > _MAX_LONG:
        raise LimitExceeded("an Item is too long for the Item Length field")
    return struct.pack(f"{encoding.order}HHI", ITEM >> 16, ITEM & 0xFFFF, len(content)) + content


# By the number of the encoding: headers with a 16-bit and with a 32-bit Value Length.
_SHORT = [struct.Struct("<HH2sH").pack, None, struct.Struct(">HH2sH").pack]
_LONG = [struct.Struct("<HH2sxxI").pack, None, struct.Struct(">HH2sxxI").pack]
_IMPLICIT = struct.Struct("<HHI").pack


def _header(encoding: Encoding, tag: int, vr: str, length: int) -> bytes:
    pack_short, pack_long = _SHORT[encoding], _LONG[encoding]
    is_long = pack_short is None or vr in _LONG_VRS
    if length > (_MAX_LONG if is_long else _MAX_SHORT):
        raise LimitExceeded("replacement is too long for the Value Length field", path=format_tag(tag))
    group, element = tag >> 16, tag & 0xFFFF
    if pack_short is None or pack_long is None:
        return _IMPLICIT(group, element, length)
    return (pack_long if is_long else pack_short)(group, element, vr.encode("ascii"), length)
