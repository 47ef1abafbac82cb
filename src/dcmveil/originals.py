"""Original Attributes: Data Elements of the top level, between the encoding of a file and Explicit VR Little Endian."""

from __future__ import annotations

import struct

from dcmveil._elements import is_ordered, list_elements, recode
from dcmveil.encode import Encoding, encode_element
from dcmveil.errors import LimitExceeded, ParseError

__all__ = ["FOREIGN_GROUPS", "explicit", "pairs", "recoded"]

FOREIGN_GROUPS = frozenset({0x0000, 0x0002, 0x0004, 0x0006, 0xFFFE})  # no Attributes of a Data Set in a file


def pairs(ranges: bytes) -> list[tuple[int, int]]:
    """Ranges of bytes as the extension modules give them, uint64 start and stop: `Plan.originals` and its like."""
    return list(struct.iter_unpack("=QQ", ranges))


def explicit(elements: bytes, encoding: Encoding) -> tuple[bytes, bool]:
    """Data Elements of the top level in Explicit VR Little Endian and tag order, and whether they are the same bytes.

    Of repeated ones the first counts. What is no Attribute of a Data Set in a file is left out.
    """
    if encoding is Encoding.EXPLICIT_LE and is_ordered(elements):
        return elements, True
    found: dict[int, bytes] = {}
    for _level, _item, tag, _vr, start, value, stop in list_elements(elements, encoding):
        if tag >> 16 not in FOREIGN_GROUPS and tag not in found:
            found[tag] = recoded(elements[start:stop], tag, value - start, encoding, Encoding.EXPLICIT_LE)
    return b"".join(found[tag] for tag in sorted(found)), False


def recoded(element: bytes, tag: int, header: int, source: Encoding, target: Encoding) -> bytes:
    """One Data Element, whose header has `header` bytes, in another encoding.

    One that is not well formed inside, where nothing had to be looked at so far, goes with its Value as it is: as UN.
    """
    try:
        return recode(element, source, target)
    except (ParseError, LimitExceeded):
        return encode_element(target, tag, "UN", element[header:])
