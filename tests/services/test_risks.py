"""Risks that headers cannot settle: which objects are suspected, of what, and which are not."""

from __future__ import annotations

import pytest

from dcmveil.risks import PRESENCE, WATCHED, risks_of, segment_risks

EXPLICIT_LE = "1.2.840.10008.1.2.1"
STORAGE = b"1.2.840.10008.5.1.4.1.1"
CT, MR, US, SC, GSPS = (STORAGE + end for end in (b".2", b".4", b".6.1", b".7", b".11.1"))
IMAGE_TYPE, SOP_CLASS, MODALITY, CONVERSION_TYPE = 0x00080008, 0x00080016, 0x00080060, 0x00080064
BODY_PART, BURNED_IN, RECOGNIZABLE = 0x00180015, 0x00280301, 0x00280302
BIT_POSITION, OVERLAY_DATA = 0x60020102, 0x60023000
PIXEL_DATA, DOCUMENT, GRAPHICS = 0x7FE00010, 0x00420011, 0x00700001
WINDOW_EXPLANATION, LUT_EXPLANATION, VOI_LUT_SEQUENCE = 0x00281055, 0x00283003, 0x00283010
A_CHEST = {SOP_CLASS: CT + b"\0", MODALITY: b"CT", BODY_PART: b"CHEST ", IMAGE_TYPE: b"ORIGINAL\\PRIMARY\\AXIAL"}


def words(
    values: dict[int, bytes | None], *kept: int, pixels: bool = True, transfer_syntax: str = EXPLICIT_LE
) -> list[str]:
    risks = risks_of(values, kept={*kept, *([PIXEL_DATA] if pixels else [])}, transfer_syntax=transfer_syntax)
    assert all("\n" not in risk.text for risk in risks)
    return [risk.word for risk in risks]


def test_a_plain_ct_image_is_not_suspected() -> None:
    assert words({**A_CHEST}) == []


def test_what_is_used_is_what_is_asked_for() -> None:
    assert len(set(WATCHED)) == len(WATCHED)
    assert len(set(PRESENCE)) == len(PRESENCE)
    assert {BURNED_IN, RECOGNIZABLE, MODALITY, SOP_CLASS, BIT_POSITION, OVERLAY_DATA, WINDOW_EXPLANATION} <= set(
        WATCHED
    )
    assert {PIXEL_DATA, 0x7FE00008, 0x7FE00009, DOCUMENT, GRAPHICS, LUT_EXPLANATION} <= set(PRESENCE)


@pytest.mark.parametrize(
    "values",
    [
        {BURNED_IN: b"YES "},
        {BURNED_IN: None},
        {SOP_CLASS: US, MODALITY: b"US"},
        {SOP_CLASS: SC},
        {SOP_CLASS: SC + b".4\0"},
        {MODALITY: b"XA"},
        {MODALITY: b"US", BURNED_IN: b"UNKNOWN"},
        {MODALITY: b"us"},
        {CONVERSION_TYPE: b"WSD "},
        {IMAGE_TYPE: b"DERIVED\\SECONDARY\\SCREEN SAVE"},
        {IMAGE_TYPE: b"ORIGINAL\\PRIMARY\\LABEL\\NONE"},
        {IMAGE_TYPE: None},
    ],
)
def test_text_may_be_burned_in(values: dict[int, bytes | None]) -> None:
    """R44: burned-in text is not addressed, so it is told."""
    assert words({**A_CHEST, **values}) == ["burned-in-annotation"]


@pytest.mark.parametrize("values", [{SOP_CLASS: SC}, {MODALITY: b"US"}, {IMAGE_TYPE: None}])
def test_an_object_that_says_no_is_believed(values: dict[int, bytes | None]) -> None:
    assert words({**A_CHEST, **values, BURNED_IN: b"NO"}) == []


@pytest.mark.parametrize("uid", [STORAGE + b".30", STORAGE + b".70", STORAGE + b".77.1.6"])
def test_a_class_is_not_mistaken_for_one_whose_uid_begins_alike(uid: bytes) -> None:
    assert words({**A_CHEST, SOP_CLASS: uid}) == []


def test_without_pixels_nothing_can_be_burned_in() -> None:
    values: dict[int, bytes | None] = {SOP_CLASS: GSPS, MODALITY: b"US", BURNED_IN: b"YES", RECOGNIZABLE: b"YES"}
    assert words(values, pixels=False) == []


@pytest.mark.parametrize(
    "values",
    [
        {RECOGNIZABLE: b"YES "},
        {RECOGNIZABLE: None},
        {BODY_PART: b"HEAD"},
        {BODY_PART: b"brain "},
        {BODY_PART: None},
        {SOP_CLASS: MR, MODALITY: b"MR", BODY_PART: b"NECK"},
    ],
)
def test_a_face_may_be_recognizable(values: dict[int, bytes | None]) -> None:
    assert words({**A_CHEST, **values}) == ["recognizable-visual-features"]


@pytest.mark.parametrize(
    "values", [{BODY_PART: b"HEAD", RECOGNIZABLE: b"NO"}, {BODY_PART: b"HEAD", MODALITY: b"CR"}, {BODY_PART: b""}]
)
def test_a_face_is_not_suspected_elsewhere(values: dict[int, bytes | None]) -> None:
    assert words({**A_CHEST, **values}) == []


def test_a_photograph_has_both_risks() -> None:
    assert words({MODALITY: b"XC"}) == ["burned-in-annotation", "recognizable-visual-features"]


def test_overlay_bits_may_be_in_pixel_data() -> None:
    assert words({BIT_POSITION: b"\x0c\0"}) == ["embedded-overlay"]
    assert words({BIT_POSITION: None}) == ["embedded-overlay"]


@pytest.mark.parametrize("data", [b"\1\0", None])
def test_an_overlay_with_data_of_its_own_is_not_embedded(data: bytes | None) -> None:
    assert words({BIT_POSITION: b"\x0c\0", OVERLAY_DATA: data}) == []
    assert words({BIT_POSITION: b"\0\0"}) == []
    assert words({BIT_POSITION: b"\x0c\0", OVERLAY_DATA ^ 0x20000: data}) == ["embedded-overlay"]


def test_what_is_kept_and_not_looked_into_is_told() -> None:
    assert words({}, DOCUMENT, pixels=False) == ["encapsulated-document"]
    assert words({}, GRAPHICS, pixels=False) == ["graphics"]


@pytest.mark.parametrize("tag", [LUT_EXPLANATION, VOI_LUT_SEQUENCE, 0x00409096, 0x00409210])
def test_explanations_of_lookup_tables_may_hold_text(tag: int) -> None:
    assert words({**A_CHEST}, tag) == ["lut-explanation"]


@pytest.mark.parametrize(("value", "expected"), [(b"LUNG\\BONE ", 1), (None, 1), (b"", 0), (b" \\ ", 0)])
def test_an_explanation_without_text_is_no_risk(value: bytes | None, expected: int) -> None:
    assert words({WINDOW_EXPLANATION: value}, WINDOW_EXPLANATION).count("lut-explanation") == expected
    assert words({WINDOW_EXPLANATION: value}) == []


@pytest.mark.parametrize("end", ["100", "102.1", "108"])
def test_video_may_carry_sound(end: str) -> None:
    assert words({}, transfer_syntax=f"1.2.840.10008.1.2.4.{end}") == ["video-sound"]
    assert words({}, transfer_syntax="1.2.840.10008.1.2.4.110") == []


def test_segments_are_named() -> None:
    (risk,) = segment_risks({"COM", "APP1"})
    assert risk.word == "jpeg-segments"
    assert risk.text.endswith(": APP1, COM")
    assert segment_risks(frozenset()) == ()


def test_no_value_is_told() -> None:
    values: dict[int, bytes | None] = {**dict.fromkeys(WATCHED, b"SECRET"), BURNED_IN: b"YES", MODALITY: b"XC"}
    risks = risks_of(values, kept=set(PRESENCE), transfer_syntax=EXPLICIT_LE)
    assert len(risks) == 5
    assert not [risk for risk in risks if "SECRET" in risk.text]
