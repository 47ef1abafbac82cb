"""Hand-made trees for the tests of the reference, and what the reference makes of them."""

from __future__ import annotations

from .model import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Element, Encoding, Expected, Parsed, Settings
from .reference import expected_of

SECRET = b"0123456789abcdef"
SETTINGS = Settings(SECRET)
EMPTYING = Settings(SECRET, patient_id="empty", patient_name="empty")
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
PRIVATE_CLASS = "1.2.3.4.5"
DESCRIBED = {0x00120062, 0x00120063, 0x00120064, 0x00280303}

Tree = list[Element]


def at(tag: int, vr: str | None, *items: Tree) -> Element:
    """A Sequence."""
    return Element(tag, vr, list(items))


def processed(data_set: Tree, sop_class: str = CT, settings: Settings = SETTINGS, implicit: bool = False) -> Expected:
    """The reference's answer for a Data Set of that SOP Class."""
    uid = sop_class.encode() + b"\0" * (len(sop_class) % 2)
    tree = [Element(0x00080016, None if implicit else "UI", uid)] if sop_class else []
    tree = sorted([*tree, *data_set], key=lambda element: element.tag)
    syntax = IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE
    return expected_of(Parsed(bytes(128), [], tree, syntax, Encoding(implicit, True)), settings)


def outcome(element: Element, sop_class: str = CT, settings: Settings = SETTINGS) -> Element | None:
    """What becomes of one top-level element."""
    result = processed([element], sop_class, settings, implicit=element.vr is None).data_set
    return next((found for found in result if found.tag == element.tag), None)


def inside(element: Element, parent: int = 0x00081115, sop_class: str = CT, settings: Settings = SETTINGS) -> Tree:
    """What becomes of one element in the Item of a kept Sequence."""
    kept = outcome(at(parent, "SQ" if element.vr else None, [element]), sop_class, settings)
    assert kept is not None
    return kept.items[0]
