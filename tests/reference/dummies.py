"""Action D (PS3.15 E.1.1): constant values by VR, and for Sequences the one Item of dummy_items.tsv."""

from __future__ import annotations

import struct

from . import tables
from .model import Element, padded
from .uids import DUMMY_UID

TIMEZONE = 0x00080201
DUMMIES = dict.fromkeys(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"], b"REMOVED") | {
    "AS": b"000Y",
    "DA": b"19000101",
    "DT": b"19000101000000",
    "TM": b"000000",
    "DS": b"0",
    "IS": b"0",
    "UR": b"http://removed.invalid",
    "UI": DUMMY_UID,
}
ZERO_BYTES = {"AT": 4, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
ZERO_BYTES |= {"OB": 2, "OW": 2, "UN": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
NUMBERS = {"OB": "B", "FL": "f", "FD": "d", "SL": "l", "SS": "h", "SV": "q", "UL": "L", "US": "H", "UV": "Q"}


def dummy_value(tag: int, vr: str) -> bytes:
    """The constant value, whatever was there."""
    if tag == TIMEZONE:
        return padded(b"+0000", vr)
    return padded(DUMMIES[vr], vr) if vr in DUMMIES else bytes(ZERO_BYTES[vr])


def dummy_item(tag: int, implicit: bool, little: bool) -> list[Element]:
    """The one Item of a Sequence that has to have one."""
    item: list[Element] = []
    for path, vr, text in tables.dummy_items()[tables.printed(tag)]:
        place = item
        for step in path[:-1]:
            place = descended(place, step, None if implicit else "SQ")
        value: bytes | list[list[Element]] = [] if vr == "SQ" else encoded(vr, text, little)
        if not (vr == "SQ" and any(other.tag == path[-1] for other in place)):
            place.append(Element(path[-1], None if implicit else vr, value))
    return item


def descended(item: list[Element], tag: int, vr: str | None) -> list[Element]:
    """The only Item of the Sequence `tag` in `item`, made if it is not there."""
    for element in item:
        if element.tag == tag and isinstance(element.value, list):
            if not element.value:
                element.value.append([])
            return element.value[0]
    made: list[Element] = []
    item.append(Element(tag, vr, [made]))
    return made


def encoded(vr: str, text: str, little: bool) -> bytes:
    """The value of a dummy Item's row: numbers are decimal, values separated by a backslash."""
    if vr not in NUMBERS:
        return padded(text.encode("ascii"), vr)
    read = float if vr in ("FL", "FD") else int
    return b"".join(struct.pack("<>"[not little] + NUMBERS[vr], read(part)) for part in text.split("\\"))
