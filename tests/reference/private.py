"""Retain Safe Private (PS3.15 E.3.10): which private Data Elements stay, by Table E.3.10-1 and by what the object says.

An object says it in its Private Data Element Characteristics Sequence (0008,0300): of a block as a whole that it is
SAFE or UNSAFE, and of elements in it that they identify, and then what to do with them, or that they do not.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from . import tables
from .model import Element, first_value

CHARACTERISTICS, GROUP, CREATOR, STATUS = 0x00080300, 0x00080301, 0x00080302, 0x00080303
NONIDENTIFYING, ACTIONS, IDENTIFYING, ACTION = 0x00080304, 0x00080305, 0x00080306, 0x00080307

Block = tuple[str, int]


class Characteristics(NamedTuple):
    """What the object says of its private blocks: (creator, group), and low bytes of elements."""

    safe: set[Block]
    unsafe: set[Block]
    nonidentifying: set[tuple[str, int, int]]
    identifying: dict[tuple[str, int, int], str]


def is_private(tag: int) -> bool:
    return tag >> 16 & 1 == 1


def is_creator(tag: int) -> bool:
    return is_private(tag) and 0x10 <= tag & 0xFFFF <= 0xFF


def creator_of(tag: int, elements: list[Element]) -> tuple[int, str]:
    """(tag, name) of the Private Creator that has reserved the block of a private element; no name if not one has."""
    reserving = tag & 0xFFFF0000 | tag >> 8 & 0xFF
    claims = [element for element in elements if element.tag == reserving]
    if not is_creator(reserving) or len(claims) != 1:
        return reserving, ""
    vr = "UN" if claims[0].vr == "UN" else "LO"
    return reserving, first_value(claims, reserving, vr).decode("latin-1")


def characteristics(data_set: list[Element], little: bool) -> Characteristics:
    """What (0008,0300) says at top level."""
    found = Characteristics(set(), set(), set(), {})
    for sequence in data_set:
        for item in sequence.items if sequence.tag == CHARACTERISTICS else []:
            add_block(found, item, little and sequence.vr != "UN")
    return found


def add_block(found: Characteristics, item: list[Element], little: bool) -> None:
    """One Item: one block."""
    creator = first_value(item, CREATOR, "LO").decode("latin-1")
    groups = numbers(item, GROUP, little)
    for group in groups if creator and len(groups) == 1 else []:
        status = first_value(item, STATUS, "CS")
        found.safe.update([(creator, group)] if status == b"SAFE" else [])
        found.unsafe.update([(creator, group)] if status == b"UNSAFE" else [])
        found.nonidentifying.update((creator, group, low & 0xFF) for low in numbers(item, NONIDENTIFYING, little))
        for inner in (inner for element in item if element.tag == ACTIONS for inner in element.items):
            action = first_value(inner, ACTION, "CS").decode("latin-1")
            for low in numbers(inner, IDENTIFYING, little):
                found.identifying[creator, group, low & 0xFF] = action if action in ("D", "Z", "U") else "X"


def numbers(item: list[Element], tag: int, little: bool) -> list[int]:
    """The Values of a US."""
    value = next((element.value for element in item if element.tag == tag and element.vr in ("US", None)), b"")
    if not isinstance(value, bytes) or len(value) % 2:
        return []
    return [number for (number,) in struct.iter_unpack("<H" if little else ">H", value)]


def action(element: Element, creator: str, said: Characteristics) -> str:
    """What becomes of a private element in a block of that creator: X, D, Z, U, UID, keep or items."""
    key = creator, element.tag >> 16, element.tag & 0xFF
    listed = tables.safe_private().get(key)
    if key in said.identifying:
        return said.identifying[key]
    if key in said.nonidentifying:
        is_other = listed == ("SQ",) and not is_one_of(element, listed)
        return "X" if is_other else safe(element, listed or ())
    if key[:2] in said.unsafe:
        return "X"
    if listed is not None:
        return safe(element, listed) if is_one_of(element, listed) else "X"
    if key[:2] in said.safe:
        return safe(element, ())
    return "items" if is_known(creator, said) and is_sequence(element) else "X"


def safe(element: Element, vrs: tuple[str, ...]) -> str:
    """What is done with a safe one: Items are looked into, UIDs are still UIDs."""
    if is_sequence(element) or (vrs == ("SQ",) and element.vr in ("UN", None)):
        return "items"
    return "UID" if "UI" in (element.vr, *vrs) else "keep"


def may_name(element: Element, creator: str, said: Characteristics) -> bool:
    """Whether what is safe by itself must not name the patient either: a text by the table, or what the object says."""
    key = creator, element.tag >> 16, element.tag & 0xFF
    vrs = tables.safe_private().get(key)
    if isinstance(element.value, list):
        return False
    if vrs is None or key in said.nonidentifying:
        return True
    return len(vrs) > 0 and set(vrs) <= {"LO", "LT", "SH", "ST", "UC", "UT"}


def is_known(creator: str, said: Characteristics) -> bool:
    """Whether anything is known of a creator, so that Sequences in its blocks are worth looking into."""
    told = (*said.safe, *said.unsafe, *said.nonidentifying, *said.identifying)
    return creator in tables.safe_creators() or any(creator == block[0] for block in told)


def is_one_of(element: Element, vrs: tuple[str, ...]) -> bool:
    """Whether it has a VR of the table, any but SQ if that names none, or one that can not be seen."""
    if is_sequence(element):
        return "SQ" in vrs
    return not vrs or element.vr in (*vrs, "UN", None)


def is_sequence(element: Element) -> bool:
    """Whether it says that it has Items: by its VR, or by the undefined length that only they can have."""
    return element.vr == "SQ" or isinstance(element.value, list)
