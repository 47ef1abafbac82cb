"""Clean structured content in the reference: Content Items by the name of their concept (S4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from .model import Cleaned, Element
from .trees import SETTINGS, at, outcome, processed
from .uids import mapped_value

CLEAN = replace(SETTINGS, clean_structured_content=True)
SEQUENCES = [0x0040A730, 0x00400555, 0x0040B020]
DUMMY = b"REMOVED "
# A TEXT that is X, cleaned with Clean Descriptors; one that is D; a UIDREF, a DATETIME and a PNAME; a CODE that is X.
STATE, INDICATION, STUDY_UID, STARTED, OBSERVER, AGE = (
    ("109054", "DCM", "TEXT"),
    ("18785-6", "LN", "TEXT"),
    ("110180", "DCM", "UIDREF"),
    ("398201009", "SCT", "DATETIME"),
    ("121008", "DCM", "PNAME"),
    ("C67447", "NCIt", "TEXT"),
)
VALUES = {
    "TEXT": Element(0x0040A160, "UT", b"Mild"),
    "PNAME": Element(0x0040A123, "PN", b"A^B "),
    "DATE": Element(0x0040A121, "DA", b"20200101"),
    "TIME": Element(0x0040A122, "TM", b"1200"),
    "DATETIME": Element(0x0040A120, "DT", b"2020010112"),
    "UIDREF": Element(0x0040A124, "UI", b"1.2.3\0"),
}
UNLISTED = ("1-2-3", "99X", "")
REFERENCE = Element(0x0040DB73, "UL", bytes(4))

Concept = tuple[str, str, str]


def item(concept: Concept, *more: Element, long: bool = False) -> list[Element]:
    """A Content Item of a concept with the value of its type."""
    code, scheme, type_ = concept
    code_element = Element(0x00080119, "UC", even(code)) if long else Element(0x00080100, "SH", even(code))
    name = at(0x0040A043, "SQ", sorted([code_element, Element(0x00080102, "SH", even(scheme))]))
    elements = [name, *more]
    if type_:
        elements += [Element(0x0040A040, "CS", even(type_)), *([VALUES[type_]] if type_ in VALUES else [])]
    return sorted(elements)


def even(text: str) -> bytes:
    return text.encode() + b" " * (len(text) % 2)


def value_of(concept: Concept, *more: Element, sequence: int = 0x0040A730, **options: Any) -> Any:
    """What becomes of the value; None if the Item goes."""
    tree = outcome(at(sequence, "SQ", item(concept, *more)), settings=replace(CLEAN, **options))
    assert tree is not None
    return next((e.value for content in tree.items for e in content if e.tag == VALUES[concept[2]].tag), None)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_items_that_hold_what_the_profile_removes_are_removed(sequence: int) -> None:
    """R48: whatever Sequence has them, and no more without the Option."""
    assert outcome(at(sequence, "SQ", item(STATE), item(UNLISTED)), settings=CLEAN) == at(
        sequence, "SQ", item(UNLISTED)
    )
    without = outcome(at(sequence, "SQ", item(STATE)))
    assert without is None or without.items != [item(STATE)]


def test_items_of_every_depth_are_content_items() -> None:
    """R48, R2: in Content Items, and in other Sequences."""
    tree = at(0x0040A730, "SQ", item(UNLISTED, at(0x0040A730, "SQ", item(STATE), item(UNLISTED))))
    assert outcome(tree, settings=CLEAN) == at(0x0040A730, "SQ", item(UNLISTED, at(0x0040A730, "SQ", item(UNLISTED))))
    deep = at(0x52009230, "SQ", [at(0x00400555, "SQ", item(STATE))])
    assert outcome(deep, settings=CLEAN) == at(0x52009230, "SQ", [at(0x00400555, "SQ")])


def test_specimen_preparation_has_content_items_in_its_steps() -> None:
    """R48."""
    step = at(0x00400612, "SQ", item(STATE))
    assert outcome(at(0x00400610, "SQ", [step]), settings=CLEAN) == at(0x00400610, "SQ", [at(0x00400612, "SQ")])


@pytest.mark.parametrize("scheme", ["SRT", "SNM3", "99SDM"])
def test_former_codes_of_snomed_name_the_same(scheme: str) -> None:
    """R48: 398201009 was G-D321."""
    assert value_of(("G-D321", scheme, "DATETIME"), retain_full_dates=True) == b"2020010112"
    assert outcome(at(0x0040A730, "SQ", item(("F-02455", scheme, "TEXT"))), settings=CLEAN) == at(0x0040A730, "SQ")


def test_names_are_read_as_they_are_written() -> None:
    """R48: long codes, padding, no Value Type; another scheme or type is another row."""
    gone = at(0x0040A730, "SQ")
    assert outcome(at(0x0040A730, "SQ", item(STATE, long=True)), settings=CLEAN) == gone
    untyped = [element for element in item(STATE) if element.tag != 0x0040A040]
    assert outcome(at(0x0040A730, "SQ", untyped), settings=CLEAN) == gone
    for other in (("109054", "99X", "TEXT"), ("109054", "DCM", "PNAME")):
        assert value_of(other) == DUMMY
    nameless = at(0x0040A730, "SQ", [VALUES["TEXT"]])
    assert outcome(nameless, settings=CLEAN) == at(0x0040A730, "SQ", [Element(0x0040A160, "UT", DUMMY)])


def test_items_stay_where_references_count_them() -> None:
    """R48: Referenced Content Item Identifier (0040,DB73) is the number of an Item."""
    tree = at(0x0040A730, "SQ", item(STATE), [REFERENCE])
    found = outcome(tree, settings=CLEAN)
    assert found is not None
    assert [element.value for element in found.items[0] if element.tag == 0x0040A160] == [DUMMY]
    assert len(found.items) == 2
    uid = outcome(at(0x0040A730, "SQ", item(("121126", "DCM", "UIDREF")), [REFERENCE]), settings=CLEAN)
    assert uid is not None
    assert [e.value for e in uid.items[0] if e.tag == 0x0040A124] == [mapped_value(b"1.2.3\0", SETTINGS)]


@pytest.mark.parametrize(
    "going",
    [
        [at(0x00101002, "SQ", [REFERENCE])],
        [at(0x00081140, "SQ", [REFERENCE])],
        [at(0x00181234, "SQ", [REFERENCE])],
        [at(0x00220001, "SQ", [REFERENCE])],
        [at(0x04000550, "SQ", [at(0x00081115, "SQ", [REFERENCE])])],
        [Element(0x00430010, "LO", b"GEMS_PARM_01"), at(0x00431039, "SQ", [REFERENCE])],
        [REFERENCE._replace(vr="SS")],
    ],
    ids=["Table E.1-1", "its IOD", "no dictionary", "another VR", "deep within", "private", "itself"],
)
def test_what_goes_refers_to_nothing(going: list[Element]) -> None:
    """R48: there is no such reference in the output."""
    content = at(0x0040A730, "SQ", item(STATE), item(UNLISTED))
    found = processed([content, *going], settings=CLEAN).data_set
    assert at(0x0040A730, "SQ", item(UNLISTED)) in found
    assert REFERENCE.tag not in tags_in(found)


@pytest.mark.parametrize("value", [0x0040A168, 0x0040A300], ids=["D", "Z"])
def test_a_value_that_is_replaced_refers_to_nothing(value: int) -> None:
    """R48: the Item of that value would have gone."""
    content = at(0x0040A730, "SQ", item(STATE, at(value, "SQ", [REFERENCE])), item(UNLISTED))
    assert outcome(content, settings=CLEAN) == at(0x0040A730, "SQ", item(UNLISTED))


def test_a_private_sequence_that_stays_has_references() -> None:
    """R48, R63."""
    block = [Element(0x20010010, "LO", b"Philips Imaging DD 001"), at(0x2001105F, "SQ", [REFERENCE])]
    tree = [at(0x0040A730, "SQ", item(STATE)), *block]
    found = processed(tree, settings=replace(CLEAN, retain_safe_private=True)).data_set
    assert block[1] in found
    assert [len(element.items) for element in found if element.tag == 0x0040A730] == [1]


def tags_in(elements: list[Element]) -> set[int]:
    """Of all depths."""
    below = (tags_in(item) for element in elements for item in element.items)
    return {element.tag for element in elements}.union(*below)


def test_listed_values() -> None:
    """R48: D and X/D are dummies, UIDs are mapped; an Option keeps, moves or cleans them."""
    assert value_of(INDICATION) == DUMMY
    assert value_of(INDICATION, clean_descriptors=True) == Cleaned(b"Mild", b"", True, [dummy_text()])
    assert value_of(STATE, clean_descriptors=True) == Cleaned(b"Mild", b"", True, [dummy_text()])
    assert value_of(STARTED) == b"19000101000000"
    assert value_of(STARTED, retain_full_dates=True) == b"2020010112"
    moved = value_of(STARTED, modify_dates=True)
    assert moved.endswith(b"12")
    assert moved != b"2020010112"
    assert value_of(OBSERVER) == DUMMY
    assert value_of(("74711-3", "LN", "TEXT"), retain_device_identity=True) == b"Mild"
    assert value_of(("74711-3", "LN", "TEXT")) is None


def dummy_text() -> Element:
    return Element(0x0040A160, "UT", DUMMY)


@pytest.mark.parametrize(
    ("type_", "option", "kept"),
    [
        ("TEXT", "retain_uids", False),
        ("PNAME", "clean_descriptors", False),
        ("DATE", "retain_full_dates", True),
        ("TIME", "retain_full_dates", True),
        ("TIME", "modify_dates", True),
        ("DATETIME", "retain_full_dates", True),
        ("DATE", "modify_dates", False),
        ("UIDREF", "retain_uids", True),
        ("UIDREF", "retain_full_dates", False),
    ],
)
def test_unlisted_values_go_by_their_type(type_: str, option: str, kept: bool) -> None:
    """R48: no name that is known, no value that is kept but by an Option for its type."""
    found = value_of(("1-2-3", "99X", type_), **{option: True})
    assert found is not None
    assert (found == VALUES[type_].value) == kept


def test_other_elements_of_an_item_follow_the_ordinary_rules() -> None:
    """R48: codes and references stay, dates of observation do not; a value of another type is not the listed one."""
    codes = at(0x0040A168, "SQ", [Element(0x00080100, "SH", b"T-1 ")])
    observed = Element(0x0040A032, "DT", b"2020")
    tree = outcome(at(0x0040A730, "SQ", item(UNLISTED, codes, observed)), settings=CLEAN)
    assert tree is not None
    assert codes in tree.items[0]
    assert Element(observed.tag, "DT", b"19000101000000") in tree.items[0]
    both = outcome(at(0x0040A730, "SQ", item(("74711-3", "LN", "TEXT"), VALUES["PNAME"])), settings=device_content())
    assert both is not None
    assert Element(0x0040A123, "PN", DUMMY) in both.items[0]


def device_content() -> Any:
    return replace(CLEAN, retain_device_identity=True)


def test_text_of_a_waveform_annotation() -> None:
    """R48: Unformatted Text Value (0070,0006) is the value of such an Item, and of no other."""
    text, name = Element(0x00700006, "ST", b"Mild"), item(STATE)[1]
    assert name.tag == 0x0040A043
    assert outcome(at(0x0040B020, "SQ", [name, text]), settings=CLEAN) == at(0x0040B020, "SQ")
    other = outcome(at(0x0040A730, "SQ", [name, text]), settings=CLEAN)
    assert other == at(0x0040A730, "SQ", [name, Element(0x00700006, "ST", DUMMY)])
