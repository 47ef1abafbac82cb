"""The Conformance Statement: all that E.1.3 asks for, true to the tables for any Options."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil import _tables
from dcmveil.conformance import statement
from dcmveil.dummies import DUMMY_UID
from dcmveil.options import COLUMNS, combined

ALL = [column for column in COLUMNS if column != "rtn_full_dates"]
_ROW = re.compile(r"\(([0-9A-Fx]{4},[0-9A-Fx]{4})\) \w+")
# What a heading says, and the actions that stand below it.
HEADINGS = {
    "Removed (X)": {"X"},
    "Removed, emptied": {"X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"},
    "Emptied (Z)": {"Z"},
    "Made a dummy (D)": {"D"},
    "UIDs replaced (U)": {"U"},
    "Retained (K)": {"K"},
    "Cleaned (C)": {"C"},
}


def told(columns: list[str]) -> dict[str, set[str]]:
    """The Attributes of section 2 with what their heading says."""
    text = statement(columns, settings={})
    section = text[text.index("## 2 ") : text.index("## 3 ")]
    found: dict[str, set[str]] = {}
    for part in section.split("### ")[1:]:
        head, *lines = part.splitlines()
        (actions,) = [actions for start, actions in HEADINGS.items() if head.startswith(start)]
        rows = [match[1] for line in lines if (match := _ROW.match(line))]
        assert head.endswith(f": {len(rows)}")
        found.update(dict.fromkeys(rows, actions))
    return found


def expected(columns: list[str]) -> dict[str, str]:
    found = {}
    for tag, mask, basic, row in _tables.confidentiality():
        nibbles = zip(f"{tag:08X}", f"{mask:08X}", strict=True)
        digits = "".join(digit if kept == "F" else "x" for digit, kept in nibbles)
        found[f"{digits[:4]},{digits[4:]}"] = combined(basic, row, columns)
    return found


@settings(max_examples=25)
@given(st.sets(st.sampled_from(list(COLUMNS))))
def test_every_attribute_is_told_with_its_action(columns: set[str]) -> None:
    """R41: which Attributes are removed, replaced, retained and cleaned, for any combination of Options."""
    chosen = sorted(columns - {"rtn_modif_dates"})
    rows = told(chosen)
    assert rows.keys() == expected(chosen).keys()
    for tag, action in expected(chosen).items():
        mapped = {"U"} if tag == "006A,0003" and action == "D" else {action}
        assert mapped <= rows[tag], tag


def test_codes_of_profile_and_options() -> None:
    """R41: Options; R17: CID 7050."""
    text = statement(["clean_desc", "rtn_uids"], settings={})
    assert re.findall(r"^- (\d{6}) DCM", text, re.MULTILINE) == ["113100", "113105", "113110"]
    assert "CID 7050: 113100, 113105, 113110" in text
    assert "Not applied: Clean Graphics Option, " in text


def test_pixel_options_are_never_claimed() -> None:
    """R44: nothing is done to pixels."""
    text = statement(ALL, settings={})
    assert "113101" not in text
    assert "113102" not in text
    assert "(0028,0302) are never set" in " ".join(text.split())


@pytest.mark.parametrize(
    "said",
    [
        "Explicit VR Little Endian",
        "1.2.840.10008.1.2.1",
        "CMS EnvelopedData",
        "AES-256-CBC",
        "Triple-DES (168 bits)",
        "RSA",
        "2048 bits",
        "scope",
        "in every object, run and machine",
        "(0012,0062)",
        "(0012,0064)",
        "(0028,0303)",
        "DICOMDIR",
    ],
)
def test_what_has_to_be_said_whatever_the_options(said: str) -> None:
    """R41, R14a: encryption and its key sizes, scope of consistency, Attributes inserted, restrictions."""
    assert said in " ".join(statement([], settings={}).split())


def test_dummies_are_told_with_their_values() -> None:
    """R41: which Attributes become dummies, and how."""
    text = statement([], settings={})
    assert re.search(r"^\(0018,9074\) FrameAcquisitionDateTime +DT  19000101000000$", text, re.MULTILINE)
    assert re.search(r"^\(0040,A730\) ContentSequence +SQ  one Item", text, re.MULTILINE)
    assert DUMMY_UID.decode() in text


@pytest.mark.parametrize(
    ("columns", "said", "value"),
    [
        ([], "Dates and times are removed", "REMOVED"),
        (["rtn_full_dates"], "Dates and times are retained as they are", "UNMODIFIED"),
        (["rtn_modif_dates"], "the same number of whole days", "MODIFIED"),
    ],
)
def test_the_manner_of_dates(columns: list[str], said: str, value: str) -> None:
    """R51, R52: which, and the manner in which dates are modified."""
    text = statement(columns, settings={})
    assert said in text
    assert re.search(rf"^\(0028,0303\) \w+ +{value}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("clean_desc", "every identifying Value of the same object"),
        ("rtn_pat_chars", "(0010,2110) Allergies"),
        ("rtn_dev_id", "Application Entity Titles and Network IDs are replaced"),
        ("clean_graph", "Graphic Annotation Sequence (0070,0001) is retained"),
        ("clean_struct", "[121033 DCM NUM]"),
    ],
)
def test_the_manner_of_an_option_is_told_if_it_is_chosen(column: str, said: str) -> None:
    """R50, R55, R56: method of cleaning, manner of retaining."""
    with_it, without = (" ".join(statement(columns, settings={}).split()) for columns in ([column], []))
    section = with_it[with_it.index("The manner of the Options") :]
    assert said in section
    assert said not in without[without.index("The manner of the Options") :]


def test_safe_private_attributes_are_listed() -> None:
    """R63: each of the table, under its Private Creator."""
    text = statement(["rtn_safe_priv"], settings={})
    for creator, group, low, _vrs in _tables.safe_private():
        block = text[text.index(f"\n{creator.decode()}\n") + 1 :].partition("\n\n")[0]
        assert f"({group:04X},xx{low:02X})" in block
    assert "(00E1,xx21)" not in statement([], settings={})


def test_content_items_stand_under_their_actions() -> None:
    """R48: every concept, with what becomes of its Items."""
    text = " ".join(statement(["clean_struct", "rtn_modif_dates"], settings={}).split())
    cleaned = text[text.index("Cleaned: dates modified") :]
    assert "[111018 DCM DATE]" in cleaned
    assert sum(text.count(f" {kind}]") for kind in {row[3] for row in _tables.structured_content()}) == len(
        _tables.structured_content()
    )


def test_settings_are_told_as_they_are() -> None:
    text = statement([], settings={"secret": "of the user", "date window": "90 days"})
    assert re.search(r"^date window +90 days$", text, re.MULTILINE)
    assert "Settings" not in statement([], settings={})


@pytest.mark.parametrize("columns", [["rtn_full_dates", "rtn_modif_dates"], ["clean_pixel_data"], ["basic"]])
def test_what_cannot_be_is_an_error(columns: list[str]) -> None:
    with pytest.raises(ValueError, match=r"dates|column"):
        statement(columns, settings={})


def test_it_is_text_of_moderate_width() -> None:
    text = statement(ALL, settings={})
    assert text.isascii()
    assert "\0" not in text
    assert max(map(len, text.splitlines())) <= 120
    assert text.endswith("\n")
