"""Retain safe private in the reference: Table E.3.10-1, and what an object says of its own blocks (S9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .model import Element, Settings
from .trees import SETTINGS, Tree, at, inside, processed
from .uids import mapped_value

SAFE = replace(SETTINGS, retain_safe_private=True)
ELSCINT, DOSE = Element(0x00E10010, "LO", b"ELSCINT1"), Element(0x00E11021, "DS", b"1.5 ")
PHILIPS = Element(0x20010010, "LO", b"Philips Imaging DD 001")
STACKS = 0x2001105F
OWN, OWN_VALUE = Element(0x00090011, "LO", b"OWN "), Element(0x00091102, "LO", b"ours")


def left(*elements: Element, settings: Settings = SAFE, implicit: bool = False) -> Tree:
    """The private elements of the outcome."""
    found = processed(list(elements), settings=settings, implicit=implicit).data_set
    return [element for element in found if element.tag >> 16 & 1]


def test_safe_elements_stay_with_their_creator() -> None:
    """R59, R61, R64: in any block, and only with the Option; a creator without safe elements goes."""
    assert left(ELSCINT, DOSE) == [ELSCINT, DOSE]
    assert left(ELSCINT, DOSE, settings=SETTINGS) == []
    other = [Element(0x00E100A0, "LO", b" ELSCINT1 "), Element(0x00E1A021, "DS", b"1.5 ")]
    assert left(*other) == other
    assert left(ELSCINT, Element(0x00E11022, "DS", b"1.5 ")) == []
    assert left(ELSCINT) == []


@pytest.mark.parametrize(
    "elements",
    [
        [DOSE],
        [Element(0x00E10010, "LO", b"elscint1"), DOSE],
        [Element(0x00E10010, "LO", b"ELSCINT"), DOSE],
        [Element(0x00E10010, "ST", b"ELSCINT1"), DOSE],
        [Element(0x00E10011, "LO", b"ELSCINT1"), DOSE],
        [ELSCINT, ELSCINT, DOSE],
        [ELSCINT, Element(0x00E10021, "DS", b"1.5 ")],
        [ELSCINT, DOSE._replace(vr="LO")],
        [ELSCINT, at(0x00E11021, "SQ", [])],
    ],
)
def test_all_else_goes(elements: Tree) -> None:
    """R61, R65: orphans, creators that are not quite those of the table or two for one block, and other VRs."""
    assert left(*elements) == []


def test_in_items_there_are_blocks_of_their_own() -> None:
    """R59, R2."""
    assert inside(DOSE, settings=SAFE) == []
    assert [element.tag for element in processed([at(0x00081115, "SQ", [DOSE]), ELSCINT], settings=SAFE).data_set] == [
        0x00080016, 0x00081115, 0x00120062, 0x00120063, 0x00120064, 0x00280303,
    ]  # fmt: skip
    assert left(at(0x00081115, "SQ", [ELSCINT, DOSE])) == []
    kept = processed([at(0x00081115, "SQ", [ELSCINT, DOSE])], settings=SAFE).data_set[1]
    assert kept.items == [[ELSCINT, DOSE]]


def test_unknown_vrs_are_those_of_the_table() -> None:
    """R65."""
    for elements in ([ELSCINT, DOSE._replace(vr="UN")], [ELSCINT._replace(vr="UN"), DOSE]):
        assert left(*elements) == elements
    implicit = [ELSCINT._replace(vr=None), DOSE._replace(vr=None)]
    assert left(*implicit, implicit=True) == implicit


NAME, ROWS = Element(0x00100010, "PN", b"A^B "), Element(0x00280010, "US", b"\1\0")
NAME_AND_ROWS = b"\x10\0\x10\0PN\4\0A^B \x28\0\x10\0US\2\0\1\0"
ROWS_IMPLICIT = b"\x28\0\x10\0\2\0\0\0\1\0"


def encoded_item(content: bytes) -> bytes:
    return b"\xfe\xff\0\xe0" + len(content).to_bytes(4, "little") + content


def test_private_sequences_are_looked_into() -> None:
    """R62: listed or not, of defined length or not, also as UN; each element in them on its merits."""
    settings = replace(SAFE, patient_name="empty")
    kept = at(STACKS, "SQ", [NAME._replace(value=b""), ROWS])
    for sequence in (at(STACKS, "SQ", [NAME, ROWS]), Element(STACKS, "SQ", encoded_item(NAME_AND_ROWS))):
        for low in (0x5F, 0xEE):
            tag = STACKS & 0xFFFFFF00 | low
            assert left(PHILIPS, sequence._replace(tag=tag), settings=settings) == [PHILIPS, kept._replace(tag=tag)]
    as_un = Element(STACKS, "UN", encoded_item(ROWS_IMPLICIT))
    assert left(PHILIPS, as_un) == [PHILIPS, at(STACKS, "UN", [ROWS._replace(vr=None)])]
    assert left(PHILIPS, Element(0x200110EE, "UN", encoded_item(ROWS_IMPLICIT))) == []
    assert left(Element(0x20010010, "LO", b"OTHER "), at(STACKS, "SQ", [ROWS])) == []


def test_uids_in_safe_elements_are_mapped() -> None:
    """R59, R13: unless UIDs are retained."""
    uid = Element(0x200110A0, "UI", b"1.2.3\0")
    said = characteristics(0x2001, b"Philips Imaging DD 001", nonidentifying=b"\xa0\0")
    mapped = uid._replace(value=mapped_value(b"1.2.3\0", SETTINGS))
    assert left(said, PHILIPS, uid) == [PHILIPS, mapped]
    assert left(said, PHILIPS, uid, settings=replace(SAFE, retain_uids=True)) == [PHILIPS, uid]


def characteristics(
    group: int,
    creator: bytes,
    status: bytes = b"",
    *,
    nonidentifying: bytes = b"",
    identifying: bytes = b"",
    action: bytes = b"",
) -> Element:
    """Private Data Element Characteristics Sequence (0008,0300) with one Item."""
    actions = at(0x00080305, "SQ", [Element(0x00080306, "US", identifying), Element(0x00080307, "CS", action)])
    item = [Element(0x00080301, "US", group.to_bytes(2, "little")), Element(0x00080302, "LO", creator)]
    item += [Element(0x00080303, "CS", status), Element(0x00080304, "US", nonidentifying), actions]
    return at(0x00080300, "SQ", item)


def test_an_object_may_say_that_a_block_is_safe() -> None:
    """R60: Block Identifying Information Status (0008,0303), by creator and group."""
    assert left(OWN, OWN_VALUE) == []
    assert left(characteristics(0x0009, b"OWN ", b"SAFE"), OWN, OWN_VALUE) == [OWN, OWN_VALUE]
    for said in (
        characteristics(0x0009, b"OWN ", b"MIXED "),
        characteristics(0x0009, b"OTHER ", b"SAFE"),
        characteristics(0x000B, b"OWN ", b"SAFE"),
    ):
        assert left(said, OWN, OWN_VALUE) == []


def test_an_object_may_say_that_elements_do_not_identify() -> None:
    """R60: Nonidentifying Private Elements (0008,0304), also in a block that is not safe as a whole."""
    said = characteristics(0x0009, b"OWN ", b"UNSAFE", nonidentifying=b"\2\0")
    assert left(said, OWN, OWN_VALUE, OWN_VALUE._replace(tag=0x00091103)) == [OWN, OWN_VALUE]


def test_an_object_may_say_that_a_block_is_not_safe() -> None:
    """R59, R60: that goes before the table."""
    assert left(characteristics(0x00E1, b"ELSCINT1", b"UNSAFE"), ELSCINT, DOSE) == []


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (b"D ", [ELSCINT, DOSE._replace(value=b"0 ")]),
        (b"Z ", [ELSCINT, DOSE._replace(value=b"")]),
        (b"X ", []),
        (b"", []),
        (b"K ", []),
    ],
)
def test_an_object_may_say_what_to_do_with_elements(action: bytes, expected: Tree) -> None:
    """R59: Deidentification Action (0008,0307) for Identifying Private Elements; unknown means removed."""
    said = characteristics(0x00E1, b"ELSCINT1", b"SAFE", identifying=b"\x21\0", action=action)
    assert left(said, ELSCINT, DOSE) == expected
