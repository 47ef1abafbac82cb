"""The table of malformed objects: what is wrong, where, and what has to be said about it.

A case is a function from the Form to a `Broken`: well-formed bytes, then the first bad byte. Most cases are used at
top level and within Items of defined and of undefined length, in every encoding (PS3.5 7.1, 7.5 and A.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.hostile.forms import UNDEFINED, Form

__all__ = ["ANYWHERE", "AT_TOP", "IN_DEFINED", "WRAPPERS", "Broken", "Maker"]

SEQUENCE = 0x0040A043  # Concept Name Code Sequence: the Basic Profile keeps it, in itself too
INNER = 0x00082218  # Anatomic Region Sequence: so is this
CODE = 0x00080100
PIXELS = 0x7FE00010
MARK = b"VEILME0001"  # in every Value: none may be seen in a message

PAST = "Value Length goes past the end of what encloses it"
HEADER = "element header expected, but what encloses it ends first"
NO_UNDEFINED = "undefined length on a VR that cannot have it"
NO_ITEM = "Item or Sequence Delimitation Item expected"
STRAY = "delimiter or Item that closes or opens nothing"
DELIMITER = "delimiter with a length other than zero"
CUT_HEADER = "input ends inside an element header"
CUT_VALUE = "input ends inside a Value"
UNCLOSED = "input ends inside a Sequence or Item"


class Broken(NamedTuple):
    """`front` is well-formed; the fault is at the first byte of `rest`, or where the input ends."""

    front: bytes
    rest: bytes
    path: str
    says: str
    at_end: bool = False

    @property
    def data(self) -> bytes:
        return self.front + self.rest


Maker = Callable[[Form], Broken]


def as_it_is(form: Form, broken: Broken) -> Broken:
    return broken


def in_defined(form: Form, broken: Broken) -> Broken:
    """Within an Item of defined length, in a Sequence of defined length, both of which are right."""
    item = form.item(broken.data)
    front = form.sequence(SEQUENCE, item)[: -len(broken.data)] + broken.front
    return broken._replace(front=front, path=f"(0040,A043)[1]>{broken.path}")


def in_undefined(form: Form, broken: Broken) -> Broken:
    """Within the second Item, of undefined length, of a Sequence of undefined length."""
    first = form.open_item(form.element(CODE, "SH", MARK))
    front = form.header(SEQUENCE, "SQ", UNDEFINED) + first + form.item(length=UNDEFINED) + broken.front
    rest = broken.rest
    if not broken.at_end:
        rest += form.item(tag=0xFFFEE00D) + form.item(tag=0xFFFEE0DD)
    return broken._replace(front=front, rest=rest, path=f"(0040,A043)[2]>{broken.path}")


WRAPPERS = {"top": as_it_is, "defined": in_defined, "undefined": in_undefined}


def value(form: Form, tag: int = CODE) -> bytes:
    return form.element(tag, "SH", MARK)


def item_past_sequence(form: Form) -> Broken:
    bad = form.item(value(form), length=400)
    return Broken(form.header(INNER, "SQ", len(bad)), bad, "(0008,2218)", PAST)


def element_past_item(form: Form) -> Broken:
    good, bad = value(form), form.element(0x00080102, "SH", MARK, length=400)
    item = form.item(good + bad)
    front = form.sequence(INNER, item)[: -len(bad)]
    return Broken(front, bad, "(0008,2218)[1]>(0008,0102)", PAST)


def sequence_past_item(form: Form) -> Broken:
    bad = form.header(INNER, "SQ", 4000) + form.item(value(form))
    front = form.sequence(INNER, form.item(bad))[: -len(bad)]
    return Broken(front, bad, "(0008,2218)[1]>(0008,2218)", PAST)


def length_of_4_gb(form: Form) -> Broken:
    bad = form.header(INNER, "SQ", 0xFFFFFFFE) + form.item(value(form))
    front = form.sequence(INNER, form.item(bad))[: -len(bad)]
    return Broken(front, bad, "(0008,2218)[1]>(0008,2218)", PAST)


def header_past_item(form: Form) -> Broken:
    front = form.sequence(INNER, form.item(value(form) + bytes(6)))[:-6]
    return Broken(front, bytes(6), "(0008,2218)[1]>(0008,0100)", HEADER)


def header_past_sequence(form: Form) -> Broken:
    front = form.sequence(INNER, form.item(value(form)), bytes(6))[:-6]
    return Broken(front, bytes(6), "(0008,2218)[1]>(0008,0100)", HEADER)


def element_in_sequence(form: Form) -> Broken:
    bad = value(form)
    return Broken(form.header(INNER, "SQ", len(bad)), bad, "(0008,2218)", NO_ITEM)


def item_end_in_sequence(form: Form) -> Broken:
    front = form.header(INNER, "SQ", UNDEFINED) + form.open_item(value(form))
    return Broken(front, form.item(tag=0xFFFEE00D), "(0008,2218)", NO_ITEM)


def sequence_end_in_defined(form: Form) -> Broken:
    bad = form.item(tag=0xFFFEE0DD)
    return Broken(form.header(INNER, "SQ", len(bad)), bad, "(0008,2218)[0]>(FFFE,E0DD)", STRAY)


def item_end_in_defined(form: Form) -> Broken:
    bad = form.item(tag=0xFFFEE00D)
    return Broken(form.sequence(INNER, form.item(bad))[:-8], bad, "(0008,2218)[1]>(FFFE,E00D)", STRAY)


def sequence_end_in_item(form: Form) -> Broken:
    front = form.header(INNER, "SQ", UNDEFINED) + form.item(value(form), length=UNDEFINED)
    return Broken(front, form.item(tag=0xFFFEE0DD), "(0008,2218)[1]>(FFFE,E0DD)", STRAY)


def bare_item(form: Form) -> Broken:
    return Broken(value(form), form.item(value(form)), "(FFFE,E000)", STRAY)


def unknown_delimiter(form: Form) -> Broken:
    return Broken(value(form), form.item(tag=0xFFFEBEEF), "(FFFE,BEEF)", STRAY)


def item_end_with_length(form: Form) -> Broken:
    front = form.header(INNER, "SQ", UNDEFINED) + form.item(value(form), length=UNDEFINED)
    return Broken(front, form.item(MARK, tag=0xFFFEE00D), "(0008,2218)[1]>(FFFE,E00D)", DELIMITER)


def sequence_end_with_length(form: Form) -> Broken:
    front = form.header(INNER, "SQ", UNDEFINED) + form.open_item(value(form))
    return Broken(front, form.item(MARK, tag=0xFFFEE0DD), "(0008,2218)[1]>(FFFE,E0DD)", DELIMITER)


def fragments(form: Form) -> bytes:
    return form.header(PIXELS, "OB", UNDEFINED) + form.item() + form.item(MARK)


def fragment_of_undefined_length(form: Form) -> Broken:
    return Broken(fragments(form), form.item(length=UNDEFINED), "(7FE0,0010)", NO_UNDEFINED)


def element_between_fragments(form: Form) -> Broken:
    return Broken(fragments(form), value(form), "(7FE0,0010)", NO_ITEM)


def fragments_end_with_length(form: Form) -> Broken:
    return Broken(fragments(form), form.item(MARK, tag=0xFFFEE0DD), "(7FE0,0010)[2]>(FFFE,E0DD)", DELIMITER)


ANYWHERE: tuple[Maker, ...] = (
    item_past_sequence,
    element_past_item,
    sequence_past_item,
    length_of_4_gb,
    header_past_item,
    header_past_sequence,
    element_in_sequence,
    item_end_in_sequence,
    sequence_end_in_defined,
    item_end_in_defined,
    sequence_end_in_item,
    bare_item,
    unknown_delimiter,
    item_end_with_length,
    sequence_end_with_length,
    fragment_of_undefined_length,
    element_between_fragments,
    fragments_end_with_length,
)


def cut_header(form: Form) -> Broken:
    return Broken(value(form), value(form)[:7], "(0008,0100)", CUT_HEADER)


def cut_value(form: Form) -> Broken:
    return Broken(b"", value(form)[:-1], "(0008,0100)", CUT_VALUE, at_end=True)


def value_of_4_gb(form: Form) -> Broken:
    return Broken(b"", form.element(0x00420011, "OB", MARK, length=0xFFFFFFFE), "(0042,0011)", CUT_VALUE, at_end=True)


def open_sequence(form: Form) -> Broken:
    return Broken(form.header(INNER, "SQ", UNDEFINED), b"", "(0008,2218)", UNCLOSED, at_end=True)


def open_item(form: Form) -> Broken:
    front = form.header(INNER, "SQ", UNDEFINED) + form.item(value(form), length=UNDEFINED)
    return Broken(front, b"", "(0008,2218)[1]>(0008,0100)", UNCLOSED, at_end=True)


def open_fragments(form: Form) -> Broken:
    return Broken(fragments(form), b"", "(7FE0,0010)", UNCLOSED, at_end=True)


# The fault is the end of the input; within an Item of defined length the length of that would be wrong first.
AT_TOP: tuple[Maker, ...] = (cut_header, cut_value, value_of_4_gb, open_sequence, open_item, open_fragments)

# Needs an Item that ends: at top level there is only the end of the input.
IN_DEFINED: tuple[Maker, ...] = (
    lambda form: Broken(value(form), form.element(CODE, "SH", MARK, length=40), "(0008,0100)", PAST),
    lambda form: Broken(value(form), bytes(7), "(0008,0100)", HEADER),
)


def undefined_lengths() -> Iterator[tuple[str, int]]:
    """VRs of the long form that cannot have undefined length, with a tag each; PS3.5 7.1.2 and A.4."""
    yield from ((vr, 0x00420011) for vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SV", "UC", "UR", "UT", "UV"))
    yield from ((vr, PIXELS) for vr in ("OF", "UT", "ZZ"))
    yield from (("UT", tag) for tag in (0x00091001, 0x00100010, SEQUENCE))
