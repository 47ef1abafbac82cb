"""Conditions of the user's rules: what holds, and what cannot be asked."""

from __future__ import annotations

import pickle

import pytest

from dcmveil.conditions import Condition, read_conditions
from dcmveil.selection import Dictionary, RuleProblem

MODALITY, MANUFACTURER, IMAGE_TYPE, STUDY_UID = 0x00080060, 0x00080070, 0x00080008, 0x0020000D
DICTIONARY = Dictionary()


def condition(test: object, key: str = "Manufacturer") -> Condition:
    (found,) = read_conditions({key: test}, DICTIONARY)
    return found


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [
        ("CT", "CT", True),
        ("CT", "ct", False),
        ("CT", "CTX", False),
        ("CT", " CT ", True),
        ("CT", "CT\0", True),
        ("CT", "MR\\CT ", True),
        ("CT", "", False),
        ("CT", None, False),
        ("", "", True),
        ("", None, False),
        (["CT", "MR"], "MR", True),
        (["CT", "MR"], "US", False),
        ({"equals": "A\\B"}, "A\\B ", True),
        ({"equals": "A\\B"}, "A\\B\\C", False),
        ({"contains": "siemens"}, "SIEMENS Healthineers", True),
        ({"contains": "SIEMENS"}, "Siemens", True),
        ({"contains": "straße"}, "HAUPTSTRASSE", True),
        ({"contains": "siemens"}, "GE", False),
        ({"contains": "siemens"}, None, False),
        ({"contains": ["ge", "siemens"]}, "GE MEDICAL", True),
        ({"contains": "ab"}, "a\\b", False),
        ({"contains": "l\\s"}, "ORIGINAL\\SECONDARY", True),
        ({"matches": "^MR[0-9]+$"}, "MR12", True),
        ({"matches": "^MR[0-9]+$"}, "CT1\\MR12 ", True),
        ({"matches": "^MR[0-9]+$"}, "XMR12", False),
        ({"matches": "R1"}, "MR12", True),
        ({"matches": "r1"}, "MR12", False),
        ({"matches": "x*"}, None, False),
        ({"exists": True}, "", True),
        ({"exists": True}, None, False),
        ({"exists": False}, None, True),
        ({"exists": False}, "", False),
    ],
)
def test_what_holds(test: object, value: str | None, holds: bool) -> None:
    assert condition(test).holds(value) is holds


def test_all_tests_of_all_attributes_are_asked() -> None:
    found = read_conditions({"0008,0060": "CT", "Manufacturer": {"contains": "a", "exists": True}}, DICTIONARY)
    assert [(one.tag, one.test) for one in found] == [
        (MODALITY, "equals"),
        (MANUFACTURER, "contains"),
        (MANUFACTURER, "exists"),
    ]


def test_the_same_conditions_are_equal_however_they_are_written() -> None:
    one = read_conditions({"Modality": ["CT", "MR", "CT"], "Manufacturer": {"matches": "a"}}, DICTIONARY)
    other = read_conditions({"0008,0070": {"matches": "a"}, "(0008,0060)": {"equals": ["MR", "CT"]}}, DICTIONARY)
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("CT", "when must be a table"),
        ({}, "when must be a table"),
        ({"Modalety": "CT"}, "no Attribute has the keyword 'Modalety'"),
        ({"0009,1010": "CT"}, "private"),
        ({"0002,0010": "CT"}, "group 0002"),
        ({"0008,0099": "CT"}, "(0008,0099) is not in the dictionary"),
        ({"OverlayRows": "1"}, "one Attribute"),
        ({"0008,xxxx": "1"}, "one Attribute"),
        ({"Modality": {}}, "one of equals, contains, matches, exists"),
        ({"Modality": {"equal": "CT"}}, "unknown test 'equal'"),
        ({"Modality": 5}, "a text in quotes expected"),
        ({"Modality": []}, "a text in quotes expected"),
        ({"Modality": ["CT", 1]}, "a text in quotes expected"),
        ({"Modality": {"contains": ""}}, "always hold"),
        ({"Modality": {"matches": ""}}, "always hold"),
        (
            {"Modality": {"matches": "(CT"}},
            "not a regular expression: missing ), unterminated subpattern at position 0",
        ),
        ({"Modality": {"matches": "(" * 5000 + ")" * 5000}}, "too large"),
        ({"Modality": {"exists": "true"}}, "exists is true or false"),
        ({"PixelData": "a"}, "(7FE0,0010) has no text"),
        ({"ReferencedStudySequence": {"contains": "a"}}, "(0008,1110) has no text"),
    ],
)
def test_what_cannot_be_asked(when: object, what: str) -> None:
    with pytest.raises(RuleProblem) as caught:
        read_conditions(when, DICTIONARY)
    assert what in str(caught.value)
    assert caught.value.keys[0] == "when"


def test_a_sequence_can_exist() -> None:
    assert condition({"exists": True}, "ReferencedStudySequence").holds("")


def test_shows_no_texts() -> None:
    assert repr(condition("Smith")) == "Condition((0008,0070) equals ...)"
