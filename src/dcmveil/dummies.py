"""Action D: dummy Values by VR, and dummy Items for Sequences (PS3.15 E.1.1, Table E.1-1a).

A dummy is a constant: it tells nothing of the original, not even whether that was empty, and a date in it can
never be taken for one of the patient. The Items are those of ext/tables/dummy_items.tsv, valid for their
macros in PS3.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import groupby

from dcmveil import _tables
from dcmveil.encode import Encoding, encode_element, encode_sequence, pad
from dcmveil.tags import format_tag

__all__ = ["DUMMY_UID", "dummy_element", "dummy_sequence", "dummy_value"]

DUMMY_UID = b"2.25.2677542441955234605162594322160111148"
TIMEZONE_OFFSET_FROM_UTC = 0x00080201

_TEXTS = {
    **dict.fromkeys(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"], b"REMOVED"),
    "AS": b"000Y",
    "DA": b"19000101",
    "DT": b"19000101000000",
    "TM": b"000000",
    "DS": b"0",
    "IS": b"0",
    "UR": b"http://removed.invalid",
    "UI": DUMMY_UID,
}
# Bytes of one Value, which is zero; for OB, OW and UN the shortest even length.
_SIZES = {
    "AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
    "OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2,
}  # fmt: skip
# How the numbers of dummy_items.tsv are written, as the module struct names them.
_NUMBERS = {"FD": "d", "FL": "f", "OB": "B", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}

_Rows = Sequence[tuple[tuple[int, ...], str, str]]


def dummy_value(tag: int, vr: str, encoding: Encoding) -> bytes:
    """The dummy Value of an Attribute in a VR other than SQ, padded to even length.

    KeyError if the VR is none of PS3.5, or SQ.
    """
    if tag == TIMEZONE_OFFSET_FROM_UTC and vr == "SH":
        return pad(vr, b"+0000")
    if vr in _SIZES:
        return bytes(_SIZES[vr])
    return pad(vr, _TEXTS[vr])


def dummy_sequence(encoding: Encoding, tag: int) -> bytes:
    """The Sequence with its one dummy Item, encoded. LookupError if the table has no Item for it."""
    rows = _tables.dummy_item(tag)
    if rows is None:
        raise LookupError(f"no dummy Item for {format_tag(tag)}")
    return encode_sequence(encoding, tag, [_content(encoding, rows)])


def dummy_element(encoding: Encoding, tag: int, vr: str) -> bytes:
    """The whole Data Element that replaces an Attribute with action D, encoded in the given VR."""
    if vr == "SQ":
        return dummy_sequence(encoding, tag)
    return encode_element(encoding, tag, vr, dummy_value(tag, vr, encoding))


def _content(encoding: Encoding, rows: _Rows) -> bytes:
    """The elements of one Item; rows with a longer path belong to the Item of a Sequence in it."""
    elements = groupby(rows, key=lambda row: row[0][0])
    return b"".join(_member(encoding, tag, list(members)) for tag, members in elements)


def _member(encoding: Encoding, tag: int, rows: _Rows) -> bytes:
    path, vr, text = rows[0]
    if len(path) > 1:
        inner = [(path[1:], vr, text) for path, vr, text in rows]
        return encode_sequence(encoding, tag, [_content(encoding, inner)])
    if vr == "SQ":
        return encode_sequence(encoding, tag, [])
    return encode_element(encoding, tag, vr, _value(encoding, vr, text))


def _value(encoding: Encoding, vr: str, text: str) -> bytes:
    """A Value of the table: text as it is, numbers from decimal."""
    if vr not in _NUMBERS:
        return text.encode("ascii")
    convert = float if vr in ("FD", "FL") else int
    numbers = [convert(number) for number in text.split("\\")]
    return struct.pack(f"{encoding.order}{len(numbers)}{_NUMBERS[vr]}", *numbers)
