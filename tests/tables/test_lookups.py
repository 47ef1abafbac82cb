"""dcmveil._tables against the TSV files it was made from, read again here without the generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.sr._snomed_dict import mapping as snomed

from dcmveil import _tables

Rows = Callable[..., list[dict[str, str]]]
CT = "1.2.840.10008.5.1.4.1.1.2"
COMPOUND = {"X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}
STRICTNESS = {"1": 1, "1C": 1, "2": 2, "2C": 2, "3": 3}


def number(text: str) -> int:
    return int(text.replace(",", "").replace("x", "0"), 16)


def vr_set(names: list[str]) -> int:
    return sum(1 << _tables.vr_index(name) for name in names)


def test_dictionary_is_the_table(rows: Rows) -> None:
    """Every tag with a VR is known with keyword and VR alternatives; those without are not (R26)."""
    for row in rows("dictionary"):
        # Any even digit will do for x but 0: (0028,0400) is no (0028,04x0).
        tag, known = number(row["tag"].replace("x", "2")), row["vr"] not in ("", "NONE")
        vrs = row["vr"].split(" or ") if known else []
        assert _tables.keyword(tag) == (row["keyword"] or None if known else None)
        assert _tables.dictionary_vrs(tag) == vr_set(vrs)
        assert _tables.dictionary_vr(tag) == (vrs[0] if known else None)


@pytest.mark.parametrize(
    ("tag", "keyword"),
    [
        (0x60003000, "OverlayData"),
        (0x60023000, "OverlayData"),
        (0x60FE3000, "OverlayData"),
        (0x60013000, None),
        (0x501E0005, "CurveDimensions"),
        (0x002031FE, "SourceImageIDs"),
        (0x002804F1, "ColumnsForNthOrderCoefficients"),
        (0x00280422, "CoefficientCoding"),
        (0x00280402, "NumberOfTransformSteps"),
        (0x10000124, "ShiftTableSize"),
        (0x10101234, "ZonalMap"),
        (0x7F020010, "VariablePixelData"),
        (0x7FE00010, "PixelData"),
        (0x00090010, None),
        (0x00100022, "TypeOfPatientID"),
        (0x00100023, None),
        (0xFFFEE000, None),
    ],
)
def test_finds_repeating_groups_and_no_private_ones(tag: int, keyword: str | None) -> None:
    """R22 R43"""
    assert _tables.keyword(tag) == keyword


def test_finds_tags_by_keyword() -> None:
    assert _tables.find_tag("PatientID") == 0x00100020
    assert _tables.find_tag("OverlayData") == 0x60003000
    assert _tables.find_tag("") is None
    assert _tables.find_tag("NoSuchKeyword\udcff") is None


def test_vrs_are_numbered_alphabetically() -> None:
    names = [_tables.vr_name(index) for index in range(34)]
    assert names == sorted(names)
    assert (names[0], names[21], names[33]) == ("AE", "SQ", "UV")
    assert [_tables.vr_index(name) for name in names] == list(range(34))
    for index in (-1, 34):
        with pytest.raises(IndexError):
            _tables.vr_name(index)
    with pytest.raises(ValueError, match="not a VR"):
        _tables.vr_index("XX")


def test_well_known_uids(rows: Rows) -> None:
    """R15"""
    assert all(_tables.is_well_known_uid(row["uid"].encode()) for row in rows("uids"))
    assert _tables.is_well_known_uid(b"1.2.840.10008")
    assert _tables.is_well_known_uid(b"1.2.840.10008.9.9.9.9")
    for uid in (b"", b"1.2.840.1000", b"1.2.840.100080.1", b"1.2.840.113619.2", b"1.2.840.10008.1.2\0", b"2.25.1"):
        assert not _tables.is_well_known_uid(uid)


def test_transfer_syntaxes() -> None:
    root = "1.2.840.10008.1.2"
    flags = {"": 1, ".1": 0, ".2": 2, ".4.50": 4, ".1.98": 4, ".5": 4, ".8.1": 4, ".1.99": 8, ".4.94": 16, ".4.95": 24}
    assert {suffix: _tables.transfer_syntax_flags(root + suffix) for suffix in flags} == flags
    for unusable in (root + ".7.1", root + ".6.1", "1.2.840.10008.1.20"):
        assert (_tables.transfer_syntax_flags(unusable) or 0) & 32
    for unknown in ("", CT, "1.2.840.113619.5.2", root + "\0", root + ".é"):
        assert _tables.transfer_syntax_flags(unknown) is None


def sop_classes(rows: Rows) -> dict[str, str]:
    """IOD -> one of its SOP Classes, of the IODs whose modules are known."""
    known = {row["iod"] for row in rows("iod_modules")}
    return {row["iod"]: row["sop_class_uid"] for row in rows("iod_sop") if row["iod"] in known}


def test_unknown_sop_classes_have_no_iod(rows: Rows) -> None:
    """R26a"""
    known = sop_classes(rows)
    for row in rows("iod_sop"):
        assert (_tables.iod_of(row["sop_class_uid"]) >= 0) == (row["iod"] in known)
    for unknown in ("", "1.2.840.113619.4.2", CT + "\0", CT + " ", "1.2.840.10008.1.1"):
        assert _tables.iod_of(unknown) == -1


def test_types_are_the_strictest_of_all_modules(rows: Rows) -> None:
    """R9: for every Attribute of Table E.1-1 in every IOD, by a join of its own."""
    modules = {row["iod"]: row["modules(usage:module)"].split() for row in rows("iod_modules")}
    tags = {row["tag"] for table in ("module_types", "confidentiality") for row in rows(table)} - {"gggg,eeee"}
    types = {(row["module"], row["tag"]): STRICTNESS[row["type"]] for row in rows("module_types")}
    for iod, sop_class in sop_classes(rows).items():
        index = _tables.iod_of(sop_class)
        for tag in tags:
            expected = min((types.get((entry[2:], tag), 3) for entry in modules[iod]), default=3)
            assert _tables.iod_type(index, number(tag)) == expected, (iod, tag)


# Two Types known by heart, for a clone without the collected facts.
KNOWN_BY_HEART = [
    {"iod": "ct-image", "tag": "0010,0020", "type": "2"},
    {"iod": "enhanced-ct-image", "tag": "0008,0023", "type": "1"},
]


def test_types_equal_the_collected_join(rows: Rows, standard: Path | None) -> None:
    """R9: every compound action in every IOD against the join made with the facts, where that is at hand."""
    collected = rows("iod_required", standard) if standard else KNOWN_BY_HEART
    required = {(row["iod"], row["tag"]): STRICTNESS[row["type"]] for row in collected}
    compound = [row["tag"] for row in rows("confidentiality") if row["basic"] in COMPOUND]
    for iod, sop_class in sop_classes(rows).items():
        for tag in compound:
            if standard or (iod, tag) in required:
                found = _tables.iod_type(_tables.iod_of(sop_class), number(tag))
                assert found == required.get((iod, tag), 3), (iod, tag)


def test_structured_content_is_what_was_collected(rows: Rows, standard: Path | None) -> None:
    """R48: that table has a column more here, for the retired codes."""
    if standard is None:
        pytest.skip("the facts as they were collected are not at hand")
    ours = [{name: row[name] for name in row if name != "srt_code"} for row in rows("structured_content")]
    assert ours == rows("structured_content_2020b", standard)


def test_tables_are_those_collected(folder: Path, standard: Path | None) -> None:
    """Nobody has edited the facts in one of the two places only."""
    for table in standard.glob("*.tsv") if standard else ():
        if (folder / table.name).exists():
            assert (folder / table.name).read_bytes() == table.read_bytes(), table.name


def test_nested_types(rows: Rows) -> None:
    """R9"""
    for row in rows("nested_types"):
        parent, tag = number(row["parent_sequence"]), number(row["tag"])
        assert _tables.nested_type(parent, tag) == STRICTNESS[row["type"]]
    assert _tables.nested_type(0x00081111, 0x00100010) == 3


def test_types_of_repeating_groups_hold_for_each_group() -> None:
    overlay_data = [_tables.iod_type(_tables.iod_of(CT), tag) for tag in (0x60003000, 0x60023000, 0x60FE3000)]
    assert overlay_data == [1, 1, 1]


def test_confidentiality_is_the_table(rows: Rows) -> None:
    """R2: all rows, with all Options, but for the one about private Attributes."""
    table = {(tag, mask): (basic, options) for tag, mask, basic, options in _tables.confidentiality()}
    expected = {}
    for row in rows("confidentiality"):
        if row["tag"] != "gggg,eeee":
            mask = int("".join("0" if digit == "x" else "F" for digit in row["tag"].replace(",", "")), 16)
            options = {name: row[name] for name in list(row)[7:17] if row[name]}
            expected[number(row["tag"]), mask] = (row["basic"], options)
    assert table == expected
    assert len(table) == 656
    assert table[0x00080018, 0xFFFFFFFF] == ("U", {"rtn_uids": "K"})
    assert table[0x50000000, 0xFF000000] == ("X", {"clean_graph": "C"})


def test_attributes_are_those_of_the_dictionary(rows: Rows) -> None:
    """R26: exact tags in their order, behind them the repeating groups."""
    expected = []
    for row in rows("dictionary"):
        if row["vr"] not in ("", "NONE"):
            mask = int("".join("0" if digit == "x" else "F" for digit in row["tag"].replace(",", "")), 16)
            expected.append((number(row["tag"]), mask, vr_set(row["vr"].split(" or "))))
    table = _tables.attributes()
    assert sorted(table) == sorted(expected)
    assert table == sorted(table, key=lambda row: (row[1] != 0xFFFFFFFF, row[0]))
    assert (0x60003000, 0xFF00FFFF, vr_set(["OB", "OW"])) in table


def test_safe_private_is_the_table(rows: Rows) -> None:
    """R59 R64"""
    expected = [
        (
            row["private_creator"].encode(),
            int(row["group"], 16),
            int(row["element_low_byte"], 16),
            vr_set(row["vr"].split("/") if row["vr"] else []),
        )
        for row in rows("safe_private")
    ]
    table = _tables.safe_private()
    assert table == sorted(expected)
    assert len(table) == 479
    assert (b"Philips Imaging DD 001", 0x2001, 0x7D, vr_set(["OB", "OW"])) in table
    assert sum(vrs == 0 for *_place, vrs in table) == 5


def test_structured_content_is_the_table(rows: Rows) -> None:
    """R48: all rows, with all Options; a scheme comes without its version."""
    expected = []
    for row in rows("structured_content"):
        concept = (row["scheme"].replace(" [2.0b]", "").encode(), row["code_value"].encode(), row["srt_code"].encode())
        options = {name: row[name] for name in list(row)[8:] if row[name]}
        expected.append((*concept, row["value_type"], row["basic"], options))
    table = _tables.structured_content()
    assert table == sorted(expected, key=lambda row: row[:4])
    assert len(table) == 206
    assert (b"DCM", b"121012", b"", "UIDREF", "X/D", {"rtn_uids": "K", "rtn_dev_id": "K"}) in table
    assert (b"NCDR", b"76", b"", "PNAME", "D", {}) in table
    assert (b"SCT", b"371524004", b"R-42B89", "TEXT", "X", {"clean_desc": "C"}) in table


def test_codes_of_snomed_ct_are_known_by_their_retired_form() -> None:
    """R48: each of them and no others."""
    retired = {scheme: bool(srt) for scheme, _code, srt, *_rest in _tables.structured_content()}
    assert retired == {b"DCM": False, b"LN": False, b"NCDR": False, b"NCIt": False, b"SCT": True, b"UMLS": False}
    ours = {code: srt for _scheme, code, srt, *_rest in _tables.structured_content() if srt}
    assert {srt.decode(): code.decode() for code, srt in ours.items()}.items() <= snomed["SRT"].items()


def test_gaps_are_the_table(rows: Rows) -> None:
    """R13"""
    assert _tables.gaps() == sorted((number(row["tag"]), row["role"]) for row in rows("vr_gaps"))


def test_codes_are_the_table(rows: Rows) -> None:
    """R17"""
    expected = [(row["code_value"], row["code_meaning"], row["option_column"]) for row in rows("codes")]
    assert _tables.codes() == expected
    assert expected[0] == ("113100", "Basic Application Confidentiality Profile", "basic")
