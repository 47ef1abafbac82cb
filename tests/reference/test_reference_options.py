"""The Options in the reference: columns of the table, claims, pseudonyms and the gaps (S1-S3, S5-S8)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest

from . import tables
from .dates import days_of
from .model import Cleaned, Element, Settings
from .options import COLUMNS, METHOD_TEXT, decided
from .trees import CT, PRIVATE_CLASS, SECRET, SETTINGS, at, inside, outcome, processed
from .uids import mapped_value

DAYS = days_of(SETTINGS, b"", b"")


def on(**options: Any) -> Settings:
    """The settings with some Options chosen."""
    return replace(SETTINGS, **options)


def test_an_option_overrides_the_profile_and_cleaning_wins() -> None:
    """R11: the column of the Option where it says something; C before K where two meet."""
    calibrated = tables.profile()["0018,1200"]
    assert decided(calibrated, SETTINGS) == ("X", "basic")
    assert decided(calibrated, on(retain_device_identity=True)) == ("K", "rtn_dev_id")
    assert decided(calibrated, on(retain_device_identity=True, modify_dates=True)) == ("C", "rtn_modif_dates")
    assert decided(calibrated, on(retain_uids=True)) == ("X", "basic")


def test_every_option_is_a_column_of_the_table() -> None:
    assert set(COLUMNS.values()) <= set(tables.profile()["0010,0010"])
    assert {column for _, _, column in tables.codes()} >= set(COLUMNS.values())


@pytest.mark.parametrize(
    ("element", "option"),
    [
        (Element(0x00080080, "LO", b"Clinic"), "retain_institution_identity"),
        (Element(0x00101010, "AS", b"033Y"), "retain_patient_characteristics"),
        (Element(0x00181000, "LO", b"4711"), "retain_device_identity"),
        (Element(0x00080020, "DA", b"20200101"), "retain_full_dates"),
        (Element(0x00080201, "SH", b"+0100 "), "retain_full_dates"),
        (Element(0x00080201, "SH", b"+0100 "), "modify_dates"),
        (Element(0x00080030, "TM", b"235959.1"), "modify_dates"),
        (Element(0x0020000D, "UI", b"1.2.3\0"), "retain_uids"),
        (Element(0x006A0003, "UI", b"1.2.3\0"), "retain_uids"),
        (Element(0x04000565, "CS", b"COERCE"), "clean_descriptors"),
        (at(0x00102161, "SQ", [Element(0x00080100, "SH", b"X ")]), "retain_patient_characteristics"),
        (at(0x00081140, "SQ", [Element(0x00081155, "UI", b"1.2.3\0")]), "retain_uids"),
        (at(0x00081084, "SQ", []), "clean_descriptors"),
        (at(0x00700001, "SQ", []), "clean_graphics"),
    ],
    ids=lambda value: f"{value.tag:08X}" if isinstance(value, Element) else value,
)
def test_kept_by_an_option(element: Element, option: str) -> None:
    """R51, R55-R58: as it is with the Option, otherwise not; never in a VR that is not the dictionary's."""
    settings = on(**{option: True})
    assert outcome(element, settings=settings) == element
    assert inside(element, settings=settings) == [element]
    assert outcome(element) != element
    assert outcome(Element(element.tag, "OF", bytes(4)), settings=settings) != Element(element.tag, "OF", bytes(4))


def test_rules_apply_in_the_items_of_a_retained_sequence() -> None:
    """R10: K on a Sequence is the profile for each element in its Items."""
    patient = at(0x00081120, "SQ", [Element(0x00081155, "UI", b"1.2.3\0"), Element(0x00104000, "LT", b"text")])
    assert outcome(patient, settings=on(retain_uids=True)) == at(0x00081120, "SQ", [patient.items[0][0]])


def test_what_no_rule_can_judge_goes_with_all_options_on() -> None:
    """R19, R22, R24, R29, R47: foreign groups, curves, overlays, MAC parameters, group lengths."""
    everything = on(**dict.fromkeys(set(COLUMNS) - {"modify_dates"}, True))
    for tag, vr in ((0x00041511, "UI"), (0x50000030, "SH"), (0x60004000, "LT"), (0x4FFE0001, "SQ"), (0x00280000, "UL")):
        assert outcome(Element(tag, vr, b""), settings=everything) is None


@pytest.mark.parametrize("value", [b"19991301", b"name", b"20200101\\x ", b"00010101"])
@pytest.mark.parametrize(("sop_class", "otherwise"), [(CT, None), (PRIVATE_CLASS, b"19000101")])
def test_what_is_no_date_is_treated_as_by_the_profile(value: bytes, sop_class: str, otherwise: bytes | None) -> None:
    """R52: impossible, no date at all, or moved out of the calendar: the whole element, by its Type."""
    found = outcome(Element(0x00080012, "DA", value), sop_class, on(modify_dates=True))
    assert found == (None if otherwise is None else Element(0x00080012, "DA", otherwise))


def test_timestamps_of_frames_move_and_signed_ones_go() -> None:
    """R54: (0034,0007) is 80 bits; a Certified Timestamp (0400,0310) cannot be moved."""
    stamp = (1 << 36).to_bytes(6, "big") + b"\1\2\3\4"
    moved = ((1 << 36) + DAYS * 86400).to_bytes(6, "big") + b"\1\2\3\4"
    settings = on(modify_dates=True)
    assert outcome(Element(0x00340007, "OB", stamp), settings=settings) == Element(0x00340007, "OB", moved)
    assert outcome(Element(0x00340007, "OB", stamp[:8]), settings=settings) == Element(0x00340007, "OB", b"\0\0")
    assert outcome(Element(0x00340007, "OB", bytes(10)), settings=settings) == Element(0x00340007, "OB", b"\0\0")
    assert outcome(Element(0x04000310, "OB", stamp), settings=settings) is None


def test_ae_titles_are_replaced() -> None:
    """R56: each title by its own pseudonym; no Value stays no Value."""
    digest = hmac.digest(SECRET, b"dcmveil/ae-title\0STORE", hashlib.sha256)
    expected = base64.b32encode(digest)[:12] + b"\\"
    settings = on(retain_device_identity=True)
    assert outcome(Element(0x00080054, "AE", b" STORE\\ "), settings=settings) == Element(
        0x00080054, "AE", expected + b" " * (len(expected) % 2)
    )
    assert outcome(Element(0x00080054, "AE", b""), settings=settings) == Element(0x00080054, "AE", b"")
    assert outcome(Element(0x00080054, "LO", b"STORE "), settings=settings) is None


@pytest.mark.parametrize(
    ("tag", "vr", "option"),
    [
        (0x00081030, "LO", "clean_descriptors"),
        (0x00104000, "LT", "clean_descriptors"),
        (0x00102110, "LO", "retain_patient_characteristics"),
        (0x00080104, "LO", "clean_descriptors"),
    ],
)
def test_descriptors_are_cleaned(tag: int, vr: str, option: str) -> None:
    """R50, R55: by rule, in the character set of the Item; else as by the profile."""
    settings, item = on(**{option: True}), [Element(0x00080005, "CS", b"ISO_IR 100"), Element(tag, vr, b"Knee")]
    instead = [Element(tag, vr, b"REMOVED ")] if tag == 0x00080104 else []
    cleaned = outcome(Element(tag, vr, b"Knee"), settings=settings)
    assert cleaned is not None
    assert cleaned.value == Cleaned(b"Knee", b"", True, instead)
    nested = outcome(at(0x00081115, "SQ", item), settings=settings)
    assert nested is not None
    cleaned = nested.items[0][1]
    assert cleaned.value == Cleaned(b"Knee", b"ISO_IR 100", True, instead)


def test_what_no_cleaning_is_for_is_treated_as_by_the_profile() -> None:
    """R50: bytes, wrong VRs, and reasons that are not of the Standard."""
    settings = on(clean_descriptors=True)
    assert outcome(Element(0x0016002B, "OB", b"\1\2"), settings=settings) is None
    assert outcome(Element(0x00081030, "UN", b"Knee"), settings=settings) is None
    assert outcome(Element(0x04000565, "CS", b"MR DOE"), settings=settings) == Element(0x04000565, "CS", b"REMOVED ")


def test_other_texts_lose_names_only() -> None:
    """R50: texts that are kept and not in Table E.1-1, with clean descriptors only."""
    body = Element(0x00180015, "CS", b"KNEE")
    scheme, maker = Element(0x00080102, "SH", b"DCM "), Element(0x00080070, "LO", b"Maker ")
    settings = on(clean_descriptors=True)
    for sop_class, instead in ((CT, []), (PRIVATE_CLASS, [Element(0x00080070, "LO", b"REMOVED ")])):
        found = outcome(maker, sop_class, settings)
        assert found is not None
        assert found.value == Cleaned(b"Maker ", b"", False, instead)
    assert outcome(maker) == maker
    assert outcome(body, settings=settings) == body
    assert outcome(scheme, settings=settings) == scheme
    retained = outcome(Element(0x00080080, "LO", b"Clinic"), settings=on(retain_institution_identity=True))
    assert retained == Element(0x00080080, "LO", b"Clinic")


@pytest.mark.parametrize(
    ("tag", "value", "kept_with"),
    [
        (0x00081167, b"1.2.3\0", {"retain_uids"}),
        (0x0072007F, b"1.2.3\0", {"retain_uids"}),
        (0x0008010D, b"1.2.3\0", {"retain_device_identity", "retain_institution_identity"}),
        (0x0008010C, b"1.2.3\0", set(COLUMNS)),
        (0x00140102, b"20200101", {"retain_full_dates"}),
        (0x00142006, b"A^B ", set()),
    ],
)
def test_gaps_of_the_table_follow_the_options_by_their_role(tag: int, value: bytes, kept_with: set[str]) -> None:
    """R13, R26: UIDs, dates and names that Table E.1-1 does not have."""
    element = Element(tag, tables.dictionary_vrs(tag)[0], value)
    kept = {option for option in COLUMNS if outcome(element, settings=on(**{option: True})) == element}
    assert kept == kept_with


def test_dates_in_the_gaps_are_moved() -> None:
    """R52: all dates, listed or not; what is none is removed."""
    found = outcome(Element(0x00140102, "DA", b"20200102"), settings=on(modify_dates=True))
    assert found is not None
    assert found.value not in (b"20200102", b"")
    assert outcome(Element(0x00140102, "DA", b"20200199"), settings=on(modify_dates=True)) is None


def test_methods_follow_the_options() -> None:
    """R17, R42, R51, R52: text, codes in the order of CID 7050, and what became of dates."""
    assert claims(SETTINGS) == ([METHOD_TEXT], [b"113100"], b"REMOVED ")
    texts = [METHOD_TEXT, b"Clean Graphics Option", b"Retain UIDs Option"]
    assert claims(on(retain_uids=True, clean_graphics=True)) == (texts, [b"113100", b"113103", b"113110"], b"REMOVED ")
    assert claims(on(retain_full_dates=True))[2] == b"UNMODIFIED"
    assert claims(on(modify_dates=True))[2] == b"MODIFIED"


def claims(settings: Settings) -> tuple[list[bytes], list[Any], Any]:
    """Texts, codes and (0028,0303) of an empty object."""
    _, _, text, codes, temporal = processed([], settings=settings).data_set
    assert isinstance(text.value, bytes)
    return text.value.rstrip().split(b"\\"), [item[0].value for item in codes.items], temporal.value


def test_no_method_is_claimed_twice() -> None:
    """R17."""
    settings = on(retain_uids=True)
    former = [Element(0x00080100, "SH", b"113110"), Element(0x00080102, "SH", b"DCM ")]
    codes = outcome(at(0x00120064, "SQ", former), settings=settings)
    assert codes is not None
    assert [item[0].value for item in codes.items] == [b"113110", b"113100"]
    text = outcome(Element(0x00120063, "LO", b"Retain UIDs Option"), settings=settings)
    assert text is not None
    assert text.value == b"Retain UIDs Option\\" + METHOD_TEXT


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("wrong", [0x00080100, 0x00080102])
def test_a_code_that_goes_claims_nothing(wrong: int, clean: bool) -> None:
    """R17: what has another VR than SH is removed, and the method has to be in the output."""
    former = [Element(0x00080100, "SH", b"113100"), Element(0x00080102, "SH", b"DCM ")]
    former = [element._replace(vr="UR") if element.tag == wrong else element for element in former]
    codes = outcome(at(0x00120064, "SQ", former), settings=on(clean_descriptors=clean))
    assert codes is not None
    assert [element.tag for element in codes.items[0]] == [tag for tag in (0x00080100, 0x00080102) if tag != wrong]
    assert codes.items[1][0].value == b"113100"


def test_a_code_that_is_there_once_more_claims_what_stays() -> None:
    """R17: of two elements the one of the right VR."""
    twice = [Element(0x00080100, vr, b"113100") for vr in ("UR", "SH")]
    codes = outcome(at(0x00120064, "SQ", [*twice, Element(0x00080102, "SH", b"DCM ")]))
    assert codes is not None
    assert len(codes.items) == 1


@pytest.mark.parametrize("tag", [0x00280301, 0x00280302])
def test_pixel_options_are_never_claimed(tag: int) -> None:
    """R44-R46: what the object says of burned-in information and visual features is not ours to change."""
    settings = on(**dict.fromkeys(set(COLUMNS) - {"modify_dates"}, True))
    assert outcome(Element(tag, "CS", b"YES "), settings=settings) == Element(tag, "CS", b"YES ")
    assert all(element.tag != tag for element in processed([], settings=settings).data_set)


def keyed(kind: bytes, value: bytes) -> bytes:
    return base64.b32encode(hmac.digest(SECRET, b"dcmveil/" + kind + b"\0" + value, hashlib.sha256))[:12]


def test_ids_and_names_are_keyed() -> None:
    """R14: the same patient has the same name everywhere; the ID is what says so, if there is one."""
    name, id_ = Element(0x00100010, "PN", b"A^B "), Element(0x00100020, "LO", b"123 ")
    found = processed([name, id_]).data_set
    assert [element.value for element in found if element.tag >> 16 == 0x10] == [keyed(b"patient-id", b"123")] * 2
    alone = outcome(name)
    assert alone is not None
    assert alone.value == keyed(b"patient-name", b"A^B")
    assert inside(id_) == [Element(0x00100020, "LO", keyed(b"patient-id", b"123"))]
    for tag, kind in ((0x00080050, b"accession-number"), (0x00200010, b"study-id")):
        assert outcome(Element(tag, "SH", b"4711")) == Element(tag, "SH", keyed(kind, b"4711"))
        assert outcome(Element(tag, "SH", b"")) == Element(tag, "SH", b"")


def test_each_of_the_four_can_be_empty() -> None:
    fields = {0x00100010: "patient_name", 0x00100020: "patient_id", 0x00080050: "accession_number"}
    for tag, field in (fields | {0x00200010: "study_id"}).items():
        element = Element(tag, tables.dictionary_vrs(tag)[0], b"text")
        found = outcome(element, settings=on(**{field: "empty"}))
        assert found is not None
        assert found.value == b""


def test_pseudonyms_are_of_texts_and_not_of_bytes() -> None:
    """R14: one patient, two character sets."""
    latin = [Element(0x00080005, "CS", b"ISO_IR 100"), Element(0x00100010, "PN", "Müller".encode("latin-1"))]
    unicode = [Element(0x00080005, "CS", b"ISO_IR 192"), Element(0x00100010, "PN", "Müller ".encode())]
    one, other = (processed(tree).data_set for tree in (latin, unicode))
    assert one[2] == other[2] == Element(0x00100010, "PN", keyed(b"patient-name", "Müller".encode()))


def test_retained_uids_are_in_the_file_meta_too() -> None:
    """R58."""
    instance = Element(0x00080018, "UI", b"1.2.3\0")
    assert processed([instance], settings=on(retain_uids=True)).meta[3].value == b"1.2.3\0"
    assert processed([instance]).meta[3].value == mapped_value(b"1.2.3\0", SETTINGS)
