"""The encoder and the dummy Values, read back by pydicom in all three encodings."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from dcmveil import _tables
from dcmveil.dummies import dummy_element, dummy_value
from dcmveil.encode import Encoding, encode_element, encode_sequence, pad
from dcmveil.errors import LimitExceeded

VRS = [_tables.vr_name(index) for index in range(34)]
LONG_VRS = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
# One Attribute of each VR, but for SQ and UN.
EXAMPLES = {
    "AE": 0x00080054, "AS": 0x00101010, "AT": 0x00280009, "CS": 0x00080060, "DA": 0x00080020, "DS": 0x00180050,
    "DT": 0x0008002A, "FD": 0x00189073, "FL": 0x00089459, "IS": 0x00200013, "LO": 0x00080070, "LT": 0x00184000,
    "OB": 0x00420011, "OD": 0x7FE00009, "OF": 0x7FE00008, "OL": 0x00660040, "OV": 0x7FE00001, "OW": 0x00281201,
    "PN": 0x00100010, "SH": 0x00080050, "SL": 0x00186020, "SS": 0x00189219, "ST": 0x00080081, "SV": 0x00720082,
    "TM": 0x00080030, "UC": 0x00080119, "UI": 0x00080018, "UL": 0x00186016, "UR": 0x00080120, "US": 0x00280010,
    "UT": 0x0040A160, "UV": 0x0008040C,
}  # fmt: skip


def read(encoding: Encoding, data: bytes) -> Dataset:
    return read_dataset(BytesIO(data), encoding is Encoding.IMPLICIT_LE, encoding is not Encoding.EXPLICIT_BE)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("vr", VRS)
def test_headers_are_those_of_ps3_5_section_7(encoding: Encoding, vr: str) -> None:
    order = ">" if encoding is Encoding.EXPLICIT_BE else "<"
    header = struct.pack(f"{order}HH", 0x0009, 0x1001)
    if encoding is Encoding.IMPLICIT_LE:
        header += struct.pack("<I", 4)
    elif vr in LONG_VRS:
        header += vr.encode() + b"\0\0" + struct.pack(f"{order}I", 4)
    else:
        header += vr.encode() + struct.pack(f"{order}H", 4)
    assert encode_element(encoding, 0x00091001, vr, b"abcd") == header + b"abcd"


@pytest.mark.parametrize("encoding", Encoding)
@given(st.lists(st.binary(max_size=40).map(lambda text: pad("LO", text)), max_size=4))
def test_sequences_hold_their_items(encoding: Encoding, items: list[bytes]) -> None:
    contents = [encode_element(encoding, 0x00091001, "OB", item) for item in items]
    data = encode_sequence(encoding, 0x00081140, contents)
    parsed = read(encoding, data)[0x00081140]
    assert parsed.VR == "SQ"
    assert [item[0x00091001].value or b"" for item in parsed.value] == items
    order = ">" if encoding is Encoding.EXPLICIT_BE else "<"
    start = 8 if encoding is Encoding.IMPLICIT_LE else 12
    assert struct.unpack_from(f"{order}I", data, start - 4) == (len(data) - start,)


def test_pads_with_nul_or_space() -> None:
    """R29"""
    assert [pad(vr, b"a") for vr in ("UI", "OB", "UN")] == [b"a\0"] * 3
    assert [pad(vr, b"a") for vr in ("LO", "UT", "CS", "UR")] == [b"a "] * 4
    assert pad("UI", b"ab") == b"ab"


def test_a_value_too_long_for_its_length_field_is_an_error() -> None:
    text = b"s" * 0xFFFE
    assert len(encode_element(Encoding.EXPLICIT_LE, 0x00100010, "LO", text)) == 8 + 0xFFFE
    assert len(encode_element(Encoding.EXPLICIT_LE, 0x00100010, "UT", text + b"s")) == 12 + 0x10000
    assert len(encode_element(Encoding.IMPLICIT_LE, 0x00100010, "LO", text + b"s")) == 8 + 0x10000
    with pytest.raises(LimitExceeded, match=r"^\(0010,0010\): replacement is too long") as caught:
        encode_element(Encoding.EXPLICIT_BE, 0x00100010, "LO", text + b"s")
    assert "ss" not in str(caught.value)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize(("vr", "tag"), EXAMPLES.items())
def test_dummy_values_are_valid_in_their_vr(encoding: Encoding, vr: str, tag: int) -> None:
    """R3 R27"""
    assert _tables.dictionary_vr(tag) == vr
    value = dummy_value(tag, vr, encoding)
    assert value
    assert len(value) % 2 == 0
    element = read(encoding, dummy_element(encoding, tag, vr))[tag]
    assert vr == element.VR
    assert element.value not in ("", None, b"")


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("PN", b"REMOVED "), ("AS", b"000Y"), ("DA", b"19000101"), ("DT", b"19000101000000"), ("TM", b"000000"),
        ("DS", b"0 "), ("IS", b"0 "), ("UR", b"http://removed.invalid"), ("OB", bytes(2)), ("UN", bytes(2)),
        ("OF", bytes(4)), ("OV", bytes(8)), ("FD", bytes(8)), ("AT", bytes(4)), ("US", bytes(2)),
        ("UI", b"2.25.2677542441955234605162594322160111148"),
    ],
)  # fmt: skip
def test_dummy_values_are_these(vr: str, value: bytes) -> None:
    """R3 R27"""
    assert dummy_value(0x00100010, vr, Encoding.EXPLICIT_LE) == value


def test_every_vr_but_sq_has_a_dummy() -> None:
    for vr in set(VRS) - {"SQ"}:
        assert dummy_value(0x00100010, vr, Encoding.EXPLICIT_BE)
    for vr in ("SQ", "XX"):
        with pytest.raises(KeyError):
            dummy_value(0x00100010, vr, Encoding.EXPLICIT_LE)


def test_timezone_offset_has_its_own_dummy() -> None:
    assert dummy_value(0x00080201, "SH", Encoding.IMPLICIT_LE) == b"+0000 "


def test_dummy_of_a_sequence_is_one_item() -> None:
    parsed = read(Encoding.EXPLICIT_BE, dummy_element(Encoding.EXPLICIT_BE, 0x0040A730, "SQ"))
    (content,) = parsed.ContentSequence
    assert (content.RelationshipType, content.ValueType, content.TextValue) == ("CONTAINS", "TEXT", "REMOVED")
    assert content.ConceptNameCodeSequence[0].CodeMeaning == "Comment"
