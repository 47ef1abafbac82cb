"""The judge itself: every rule of the reference on hand-made trees, so that agreement with it means something."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from . import tables
from .model import EXPLICIT_LITTLE, Element, Encoding, Parsed, Settings
from .options import METHOD_TEXT
from .reference import Reference, expected_of
from .trees import (
    CT,
    DESCRIBED,
    EMPTYING,
    ENHANCED_CT,
    GSPS,
    PRIVATE_CLASS,
    SECRET,
    SETTINGS,
    at,
    inside,
    outcome,
    processed,
)
from .uids import DUMMY_UID, mapped_uid, mapped_value


@pytest.mark.parametrize(
    "element",
    [
        Element(0x00100011, "LO", b"private"),
        at(0x00091001, "SQ", [Element(0x04000500, "SQ", [])]),
        Element(0x00080000, "UL", bytes(4)),
        Element(0x10100000, "US", bytes(2)),
        Element(0x00001000, "UI", b"1.2\0"),
        Element(0x00041130, "CS", b"SET "),
        Element(0x00060001, "SQ", []),
        Element(0x00100002, "LO", b"no such tag "),
        Element(0x00280020, "US", b"\1\0"),
        at(0x4FFE0001, "SQ", []),
        Element(0x50FE0030, "SH", b"mm"),
        Element(0x60020022, "LO", b"text"),
        Element(0x60023000, "OW", bytes(2)),
        Element(0xFFFCFFFC, "OB", bytes(8)),
        Element(0x00081030, "LO", b"study "),
        Element(0x00140102, "DA", b"20200101"),
        Element(0x00142006, "PN", b"A^B "),
        Element(0x00280010, "SS", b"\1\0"),
        Element(0x00280010, "UN", b"\1\0"),
        Element(0x00280010, "  ", b"\1\0"),
        Element(0x00081150, "LO", b"1.2.840.10008.1.1 "),
        Element(0x00082218, "OB", b"\xfe\xff\0\xe0\0\0\0\0"),
        at(0x00280010, None, [Element(0x00100010, None, b"A^B ")]),
    ],
    ids=lambda element: f"{element.tag:08X}-{element.vr}",
)
def test_removed(element: Element) -> None:
    """R1, R19, R22, R24, R29, R43: private, group lengths, foreign groups, unknown tags, X rows, wrong VRs."""
    assert outcome(element) is None
    assert inside(element) == []


@pytest.mark.parametrize(
    "element",
    [
        Element(0x00280010, "US", b"\1\0"),
        Element(0x00280010, None, b"\1\0"),
        Element(0x00280106, "SS", b"\1\0"),
        Element(0x7FE00010, "OW", b"\1\0\2\0"),
        Element(0x00180015, "CS", b"odd"),
        Element(0x00080062, "UI", b"1.2.3.4\0"),
        at(0x00082218, "SQ"),
        at(0x00082218, "SQ", [], []),
        at(0x00082218, None, [Element(0x00080104, None, b"Liver ")]),
        at(0x00082218, "UN", [Element(0x00080104, None, b"Liver ")]),
    ],
    ids=lambda element: f"{element.tag:08X}-{element.vr}",
)
def test_kept_as_it_is(element: Element) -> None:
    """R21, R26: attributes that are not listed stay, byte for byte; empty Items stay."""
    assert outcome(element) == element
    assert inside(element) == [element]


def test_rules_apply_in_items_at_every_depth() -> None:
    """R2: three levels of kept Sequences, the last one UN-encoded."""
    name, row = Element(0x00100010, None, b"A^B "), Element(0x00280010, None, b"\1\0")
    deep = at(0x00082218, "UN", [name, row, Element(0x00091001, None, b"x "), Element(0x00100030, None, b"1")])
    tree = at(0x52009230, "SQ", [], [at(0x00209116, "SQ", [deep]), Element(0x00080005, "CS", b"ISO_IR 6")])
    kept = outcome(tree, settings=EMPTYING)
    assert kept is not None
    assert kept.items[0] == []
    assert kept.items[1][1] == Element(0x00080005, "CS", b"ISO_IR 6")
    assert kept.items[1][0].items[0] == [
        at(0x00082218, "UN", [Element(0x00100010, None, b""), row, Element(0x00100030, None, b"")])
    ]


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (Element(0x00100010, "PN", b"A^B "), Element(0x00100010, "PN", b"")),
        (Element(0x00100010, "UN", b"A^B "), Element(0x00100010, "PN", b"")),
        (Element(0x00100010, "ZZ", b"A^B "), Element(0x00100010, "PN", b"")),
        (Element(0x00100010, None, b"A^B "), Element(0x00100010, None, b"")),
        (Element(0x04000562, "DT", b""), Element(0x04000562, "DT", b"19000101000000")),
        (Element(0x04000563, "LO", b"x "), Element(0x04000563, "LO", b"REMOVED ")),
        (Element(0x04000563, "SH", b"x "), Element(0x04000563, "LO", b"REMOVED ")),
    ],
)
def test_zero_length_and_dummies(element: Element, expected: Element) -> None:
    """R3, R4, R27: the tag decides, and the VR written is the file's only where the dictionary has it."""
    assert outcome(element, settings=EMPTYING) == expected


@pytest.mark.parametrize(
    ("tag", "vr", "sop_class", "action"),
    [
        (0x0008002A, "DT", CT, "X"),
        (0x0008002A, "DT", ENHANCED_CT, "D"),
        (0x0008002A, "DT", PRIVATE_CLASS, "D"),
        (0x0008002A, "DT", "", "D"),
        (0x00080023, "DA", CT, "Z"),
        (0x00080023, "DA", ENHANCED_CT, "D"),
        (0x00080023, "DA", PRIVATE_CLASS, "D"),
        (0x00080022, "DA", CT, "X"),
        (0x00080022, "DA", PRIVATE_CLASS, "Z"),
        (0x00080012, "DA", CT, "X"),
        (0x00080012, "DA", PRIVATE_CLASS, "D"),
        (0x00700082, "DA", GSPS, "D"),
        (0x00700082, "DA", CT, "X"),
        (0x00700082, "DA", PRIVATE_CLASS, "X"),
    ],
)
def test_compound_action_at_top_level(tag: int, vr: str, sop_class: str, action: str) -> None:
    """R9, R26a: the Type in the IOD decides; an unknown IOD is taken as if it required everything."""
    result = outcome(Element(tag, vr, b"20200101"), sop_class)
    found = "X" if result is None else "D" if result.value else "Z"
    assert found == action


@pytest.mark.parametrize(
    ("tag", "by_type"),
    [
        (0x00080022, "XZD"),  # X/Z
        (0x00080012, "XDD"),  # X/D
        (0x00080023, "ZZD"),  # Z/D
        (0x00080080, "XZD"),  # X/Z/D
    ],
)
def test_compound_action_by_type(tag: int, by_type: str) -> None:
    """R9: the table of the Standard's Table E.1-1a, Types 3, 2 and 1."""
    reference = Reference(Encoding(False, True), CT, SETTINGS)
    found = ""
    for type_ in (3, 2, 1):
        reference.iod_types = {tables.printed(tag): type_}
        found += reference.action(tag, 0)
    assert found == by_type


def test_compound_action_in_an_item_goes_by_the_parent_sequence() -> None:
    """R9: Institution Name, over every Sequence that can hold it, and in one that can not."""
    name = Element(0x00080080, "LO", b"Clinic")
    by_parent = {parent: type_ for (parent, tag), type_ in tables.nested_types().items() if tag == "0008,0080"}
    results = {}
    for parent in by_parent:
        reference = Reference(Encoding(False, True), CT, SETTINGS)
        results[parent] = reference.data_set([name], int(parent.replace(",", ""), 16))
    expected = {1: [Element(0x00080080, "LO", b"REMOVED ")], 2: [Element(0x00080080, "LO", b"")], 3: []}
    assert {1, 2} <= set(by_parent.values())
    assert results == {parent: expected[type_] for parent, type_ in by_parent.items()}
    assert inside(name, 0x00082218) == []
    assert inside(name, 0x00082218, PRIVATE_CLASS) == expected[1]


def test_references_to_images_are_removed_emptied_or_mapped() -> None:
    """R9, R13: X/Z/U* keeps its Items where they are Type 1 and maps the UIDs in them."""
    item = [Element(0x00081150, "UI", b"1.2.840.10008.5.1.4.1.1.2\0"), Element(0x00081155, "UI", b"1.2.3\0")]
    images = at(0x00081140, "SQ", item)
    mapped = at(0x00081140, "SQ", [item[0], Element(0x00081155, "UI", mapped_value(b"1.2.3\0", SETTINGS))])
    assert outcome(images) is None
    assert inside(images, 0x52009229) == [at(0x00081140, "SQ")]
    assert inside(images, 0x00081115) == [mapped]
    assert outcome(images, PRIVATE_CLASS) == mapped
    assert outcome(Element(0x00081140, "OB", b"\0\0"), PRIVATE_CLASS) is None


def test_dummy_sequence_is_written_as_sq_with_its_one_item() -> None:
    """R3: Person Identification Code Sequence is D; UN and Implicit VR forms included."""
    code = [(0x00080100, "SH", b"261665006 "), (0x00080102, "SH", b"SCT "), (0x00080104, "LO", b"Unknown ")]
    explicit = at(0x00401101, "SQ", [Element(*row) for row in code])
    assert outcome(at(0x00401101, "SQ", [], [])) == explicit
    assert outcome(at(0x00401101, "UN")) == explicit
    implicit = at(0x00401101, None, [Element(tag, None, value) for tag, _, value in code])
    assert outcome(at(0x00401101, None)) == implicit


def test_dummy_item_numbers_follow_the_byte_order() -> None:
    graphic = Element(0x00700001, "SQ", [])
    for little, expected in ((True, b"\0\0\x80?"), (False, b"?\x80\0\0")):
        result = Reference(Encoding(False, little), CT, SETTINGS).dummy(graphic)
        assert isinstance(result, list)
        text_object = next(element for element in result[0] if element.tag == 0x00700008).items[0]
        assert next(element.value for element in text_object if element.tag == 0x00700014) == expected * 2


def test_every_action_can_be_carried_out_for_every_tag_and_type() -> None:
    """No row of Table E.1-1 or of the gaps meets a Type for which there is no dummy."""
    tags = [int(name.replace(",", ""), 16) for name in (*tables.basic_actions(), *tables.gap_roles())]
    for sop_class in (PRIVATE_CLASS, *(row["sop_class_uid"] for row in tables.rows("iod_sop.tsv"))):
        reference = Reference(Encoding(False, True), sop_class, SETTINGS)
        for tag in tags:
            vr = (tables.dictionary_vrs(tag) or ("UN",))[0]
            for found in reference.element(Element(tag, vr, [] if vr == "SQ" else b"1.2\0"), 0):
                assert reference.action(tag, 0) != "D" or found.value
    for parent, child in tables.nested_types():
        place, inner = int(parent.replace(",", ""), 16), int(child.replace(",", ""), 16)
        vr = tables.dictionary_vrs(inner)[0]
        reference.element(Element(inner, vr, [] if vr == "SQ" else b"1.2\0"), place)


def test_timezone_is_kept_valid_where_it_is_required() -> None:
    required = next(
        row["sop_class_uid"] for row in tables.rows("iod_sop.tsv") if is_required(row["sop_class_uid"], "0008,0201")
    )
    assert outcome(Element(0x00080201, "SH", b"-0500 "), required) == Element(0x00080201, "SH", b"+0000 ")
    assert outcome(Element(0x00080201, "SH", b"-0500 "), CT) is None


def is_required(sop_class: str, tag: str) -> bool:
    return (tables.iod_types(sop_class) or {}).get(tag) == 1


def test_uids_are_mapped_by_hmac() -> None:
    """R8, R13, R14: against the digest computed by hand, without and with a root."""
    digest = hmac.digest(SECRET, b"dcmveil/uid\x001.2.3", hashlib.sha256)
    bits = int.from_bytes(digest[:16], "big")
    bits = bits & ~(0xF << 76) | 8 << 76
    bits = bits & ~(3 << 62) | 2 << 62
    assert mapped_uid(b"1.2.3", SETTINGS) == b"2.25.%d" % bits
    rooted = Settings(SECRET, root_uid="1.2.826.0.1.3680043.10.99999")
    assert len(rooted.root_uid or "") == 28
    expected = int.from_bytes(digest, "big") >> 256 - 116
    assert mapped_uid(b"1.2.3", rooted) == b"1.2.826.0.1.3680043.10.99999.%d" % expected
    assert len(mapped_uid(b"1.2.3", rooted)) <= 64


@pytest.mark.parametrize(
    "value",
    [b"", b"1.2.840.10008.1.1\0", b"1.2.840.10008.1.1 ", b"1.2.840.10008\0", b"\\", b"1.2.840.10008.999.0\\"],
)
def test_standard_uids_stay_byte_for_byte(value: bytes) -> None:
    """R15: also with a wrong padding."""
    assert mapped_value(value, SETTINGS) == value


def test_components_are_mapped_one_by_one() -> None:
    one, other = mapped_uid(b"1.2", SETTINGS), mapped_uid(b"1.2.840.10008.01", SETTINGS)
    joined = b"1.2.840.10008.1.1\\" + one + b"\\\\" + other
    value = mapped_value(b"1.2.840.10008.1.1 \\ 1.2\0\\\\1.2.840.10008.01", SETTINGS)
    assert value == joined + b"\0" * (len(joined) % 2)
    assert mapped_value(b"1.2.840.100080", SETTINGS).startswith(b"2.25.")
    assert mapped_value(b"name of a patient ", SETTINGS).startswith(b"2.25.")


def test_uid_attributes_outside_the_table() -> None:
    """R13, R15: references are mapped, (006A,0003) too although its row says D; structural ones are kept."""
    new = mapped_value(b"1.2.3\0", SETTINGS)
    for tag in (0x00081167, 0x0072007F, 0x0008010D, 0x006A0003, 0x00080018):
        assert outcome(Element(tag, "UI", b"1.2.3\0")) == Element(tag, "UI", new)
        assert outcome(Element(tag, "UN", b"1.2.3\0")) == Element(tag, "UI", new)
    assert outcome(at(0x00080018, "UN", [])) == Element(0x00080018, "UI", b"")
    assert outcome(Element(0x00080018, "SQ", b"\xfe\xff\0\xe0\0\0\0\0")) == Element(0x00080018, "UI", b"")
    assert outcome(Element(0x0008010C, "UI", b"1.2.3\0")) == Element(0x0008010C, "UI", b"1.2.3\0")


@pytest.mark.parametrize("vr", ["LO", "UN", "OB", "ZZ"])
@pytest.mark.parametrize("value", [b"", b"1.2.840.10008.1.1\0", b"1.2.840.10008.1.1 \\\\1.2.840.10008.1.2 "])
def test_uids_that_stay_are_written_as_ui(vr: str, value: bytes) -> None:
    """R15: the bytes stay, the VR becomes the dictionary's."""
    for tag in (0x00080018, 0x0008010D, 0x006A0003):
        assert outcome(Element(tag, vr, value)) == Element(tag, "UI", value)
        assert inside(Element(tag, vr, value)) == [Element(tag, "UI", value)]


@pytest.mark.parametrize("vr", ["SQ", "UN", None])
def test_a_sequence_in_place_of_a_uid_becomes_an_empty_value(vr: str | None) -> None:
    """R13: and there is no SOP Instance UID then for the File Meta Information."""
    item = [Element(0x00100010, vr and "PN", b"A^B "), Element(0x04000500, vr and "SQ", [])]
    for tag in (0x00080018, 0x0008010D, 0x006A0003):
        assert outcome(at(tag, vr, item)) == Element(tag, vr and "UI", b"")
        assert inside(at(tag, vr, item)) == [Element(tag, vr and "UI", b"")]
    instances = [at(0x00080018, vr, item)]
    instances += [Element(0x00080018, "SQ", b"\xfe\xff\0\xe0\0\0\0\0")] if vr == "SQ" else []
    for instance in instances:
        assert 0x00020003 not in [found.tag for found in processed([instance], implicit=vr is None).meta]


def test_four_attributes_are_inserted_in_tag_order() -> None:
    """R16, R17, R42."""
    result = processed([Element(0x00120010, "LO", b"x "), Element(0x00280002, "US", b"\1\0")], "").data_set
    code = [(0x00080100, "SH", b"113100"), (0x00080102, "SH", b"DCM ")]
    code.append((0x00080104, "LO", b"Basic Application Confidentiality Profile "))
    assert result[-5:] == [
        Element(0x00120062, "CS", b"YES "),
        Element(0x00120063, "LO", METHOD_TEXT + b" " * (len(METHOD_TEXT) % 2)),
        at(0x00120064, "SQ", [Element(*row) for row in code]),
        Element(0x00280002, "US", b"\1\0"),
        Element(0x00280303, "CS", b"REMOVED "),
    ]
    implicit = processed([], implicit=True).data_set
    assert all(element.vr is None for element in (*implicit, *implicit[3].items[0]))
    assert [element.tag for element in implicit[1:]] == sorted(DESCRIBED)


@pytest.mark.parametrize(
    ("vr", "former", "value"),
    [
        ("LO", b"other ", b"other\\" + METHOD_TEXT),
        (None, b"a\\b\0", b"a\\b\\" + METHOD_TEXT),
        ("LO", b"  ", METHOD_TEXT),
        ("UN", b"other ", METHOD_TEXT),
        ("LO", b"other\\" + METHOD_TEXT + b" ", b"other\\" + METHOD_TEXT + b" "),
        ("LO", METHOD_TEXT + b"\0", METHOD_TEXT + b"\0"),
    ],
)
def test_former_method_is_kept(vr: str | None, former: bytes, value: bytes) -> None:
    """R17: our text is added once."""
    result = outcome(Element(0x00120063, vr, former))
    assert result == Element(0x00120063, vr and "LO", value + b" " * (len(value) % 2))


def test_former_method_codes_are_kept_and_ours_is_not_doubled() -> None:
    """R17: rules apply inside; a second De-identification Method Code Sequence is removed."""
    other = [
        Element(0x00080100, "SH", b"113105"),
        Element(0x00080102, "SH", b"DCM "),
        Element(0x00091001, "LO", b""),
    ]
    ours = [Element(0x00080100, "SH", b"113100"), Element(0x00080102, "SH", b"DCM ")]
    halves = [ours[:1], ours[1:]]
    foreign = [Element(0x00080100, "SH", b"113100"), Element(0x00080102, "SH", b"99X ")]
    added = outcome(at(0x00120064, "SQ", other, foreign))
    assert added is not None
    assert added.items[:2] == [other[:2], foreign]
    assert len(added.items) == 3
    assert outcome(at(0x00120064, "SQ", ours, other)) == at(0x00120064, "SQ", ours, other[:2])
    split = outcome(at(0x00120064, "SQ", *halves))
    assert split is not None
    assert split.items[:2] == halves
    assert len(split.items) == 3
    twice = processed([at(0x00120064, "SQ", ours), at(0x00120064, "SQ", other)]).data_set
    assert [element for element in twice if element.tag == 0x00120064] == [at(0x00120064, "SQ", ours)]
    encoded_as_un = outcome(at(0x00120064, "UN"))
    assert encoded_as_un is not None
    assert encoded_as_un.items[0][0] == Element(0x00080100, None, b"113100")
    wrong = outcome(Element(0x00120064, "OB", b"\0\0"))
    assert wrong is not None
    assert wrong.vr == "SQ"


def test_nested_claims_follow_the_ordinary_rules() -> None:
    assert inside(Element(0x00120062, "CS", b"NO")) == [Element(0x00120062, "CS", b"NO")]


def test_directory_records_in_an_instance_are_removed() -> None:
    """R19."""
    assert outcome(at(0x00041220, "SQ", [])) is None


def test_file_meta_describes_the_output() -> None:
    """R18: nothing of the input's File Meta but SOP Class and Transfer Syntax."""
    former = [Element(0x00020002, "UI", b"1.2\0"), Element(0x00020003, "UI", b"1.2.3\0")]
    former.append(Element(0x00020016, "AE", b"AET "))
    source = Parsed(None, former, [], EXPLICIT_LITTLE, Encoding(False, True))
    meta = expected_of(source, SETTINGS).meta
    assert [element.tag & 0xFFFF for element in meta] == [0, 1, 2, 3, 0x10, 0x12, 0x13]
    assert meta[2].value == b"1.2\0"
    assert meta[3].value == mapped_value(b"1.2.3\0", SETTINGS)
    with_instance = processed([Element(0x00080018, "UI", b"1.2.9\0")])
    assert with_instance.meta[3].value == mapped_value(b"1.2.9\0", SETTINGS)
    assert len(processed([], "").meta) == 5
    length = sum(len(element.value) + (12 if element.vr == "OB" else 8) for element in meta[1:])
    assert meta[0].value == length.to_bytes(4, "little")


def test_dummy_uid_is_well_formed() -> None:
    assert len(DUMMY_UID) <= 64
    assert 0 < int(DUMMY_UID.removeprefix(b"2.25.")) < 1 << 128
