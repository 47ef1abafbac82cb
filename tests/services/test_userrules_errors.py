"""Rules of the user's own that are refused: what is wrong with one, and which are at odds."""

from __future__ import annotations

import pytest

from dcmveil import _tables
from dcmveil.userrules import RuleSet
from tests.services.test_userrules import Rule, parse, problem, rule

# ---- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({}, "one of tag, tags, group, path, private, vr"),
        ({"tag": "PatientID", "group": "0010"}, "tag and group cannot both be given"),
        ({"tag": "PatientID", "comment": "a"}, "unknown key 'comment'"),
        ({"tag": "PatientID", "com\nment": "a"}, "unknown key 'com\\nment'"),
        ({"tag": 0x00100020}, "tag must be a text"),
        ({"tags": []}, "tags is empty"),
        ({"tags": ["PatientID", 5]}, "tags must be a text"),
        ({"tag": "PatientNme"}, "no Attribute has the keyword 'PatientNme'"),
        ({"tag": "10,20"}, "a keyword such as PatientName or a tag such as 0010,0010"),
        ({"tag": "(0010,0020"}, "a keyword such as PatientName or a tag such as 0010,0010"),
        ({"tag": "0010,00\u0660\u0660"}, "a keyword such as PatientName or a tag such as 0010,0010"),
        ({"tag": ""}, "a keyword such as PatientName or a tag such as 0010,0010"),
        ({"tag": "0010,0099"}, "(0010,0099) is not in the dictionary"),
        ({"tag": "0008,0000"}, "(0008,0000) is not in the dictionary"),
        ({"tag": "0009,1010"}, "private = {"),
        ({"tag": "0009,xxxx"}, "private = {"),
        ({"group": "0029"}, "private = {"),
        ({"tag": "0002,0010"}, "group 0002"),
        ({"tag": "CommandField"}, "group 0000"),
        ({"tag": "DirectoryRecordSequence"}, "group 0004"),
        ({"tag": "FFFE,E000"}, "group FFFE"),
        ({"group": "0002"}, "group 0002"),
        ({"tag": "6002,0010"}, "(6002,0010) is one of (60xx,0010)"),
        ({"group": "6000"}, "a part of a repeating group only"),
        ({"group": "000x", "vr": "OV"}, "(000x,xxxx) OV is no Attribute"),
        ({"tag": "0010,FFxx"}, "(0010,FFxx) is no Attribute"),
        ({"tag": "xxxx,xxxx"}, "every Attribute there is"),
        ({"group": "xxxx"}, "every Attribute there is"),
        ({"group": "18"}, "four hexadecimal digits"),
        ({"vr": "ZZ"}, "'ZZ' is not a VR"),
        ({"vr": []}, "vr is empty"),
        ({"tag": "PatientName", "vr": "PN"}, "vr goes with a group or wildcards"),
        ({"path": "RequestAttributesSequence > PatientID", "vr": "LO"}, "vr cannot go with path"),
        ({"path": "PatientID"}, "a path leads into a Sequence"),
        ({"path": "PatientName > PatientID"}, "PatientName: is no Sequence"),
        ({"path": "RequestAttributesSequence[0] > PatientID"}, "counted from 1"),
        ({"path": "RequestAttributesSequence > "}, "a tag such as 10,10 or a keyword"),
        ({"path": "RequestAttributesSequence > 0009,1010"}, "private = {"),
        ({"path": "0009,1010 > PatientID"}, "private = {"),
        ({"path": "RequestAttributesSequence > 0010,0099"}, "not in the dictionary"),
        ({"private": "A"}, "private must be a table"),
        ({"private": {"group": "0029"}}, "private needs a creator"),
        ({"private": {"creator": "A"}}, "private needs a group"),
        ({"private": {"creator": "A", "group": "0028"}}, "odd"),
        ({"private": {"creator": "A", "group": "0007"}}, "odd"),
        ({"private": {"creator": "A", "group": "29"}}, "four hexadecimal digits"),
        ({"private": {"creator": "A", "group": "0029", "element": "1010"}}, "two hexadecimal digits"),
        ({"private": {"creator": "A", "group": "0029", "element": 10}}, "element must be a text"),
        ({"private": {"creator": " ", "group": "0029"}}, "1 to 64 characters"),
        ({"private": {"creator": "A" * 65, "group": "0029"}}, "1 to 64 characters"),
        ({"private": {"creator": "A", "group": "0029", "block": "10"}}, "unknown key 'block'"),
        ({"tag": "PatientID", "when": {}}, "when must be a table"),
    ],
)
def test_what_no_rule_can_be_for(keys: dict[str, object], what: str) -> None:
    message = problem(rule(**keys))
    assert message.startswith("rule 1: ")
    assert what in message


@pytest.mark.parametrize(
    ("one", "what"),
    [
        ({"tag": "PatientID"}, "a rule needs an action"),
        (rule("delete", tag="PatientID"), "the action must be one of remove, empty, replace, dummy, keep"),
        (rule(["keep"], tag="PatientID"), "the action must be one of"),  # type: ignore[arg-type]
        (rule("replace", tag="PatientID"), "replace needs a value"),
        (rule("replace", tag="PatientID", value=5), "value must be a text"),
        (rule("remove", tag="PatientID", value="a"), "remove has no value"),
        (rule("call", tag="PatientID", value="a"), "call needs a Python function"),
        (rule("call", tag="PatientID"), "call needs a Python function"),
        (rule("replace", tag="PatientID", value=print), "value must be a text"),
        (rule("map-uid", tag="PatientID"), "map-uid is not possible for (0010,0020) LO"),
        (rule("shift-date", tag="PatientID"), "shift-date is not possible"),
        (rule("clean", tag="PatientName"), "clean is not possible for (0010,0010) PN"),
        (rule("clean", tag="Modality"), "clean is not possible"),
        (rule("hash", tag="Modality"), "hash is not possible"),
        (rule("hash", tag="StudyDate"), "hash is not possible"),
        (rule("replace", tag="RequestAttributesSequence", value=""), "replace is not possible"),
        (rule("call", tag="RequestAttributesSequence", value=print), "call is not possible"),
        (rule("dummy", tag="RequestAttributesSequence"), "no dummy Item for (0040,0275)"),
        (rule("replace", tag="StudyDate", value="2024"), "(0008,0020) DA: a date YYYYMMDD expected"),
        (rule("replace", tag="StudyID", value="a" * 17), "(0020,0010) SH: up to 16 characters expected"),
        (rule("replace", tag="Rows", value="65536"), "(0028,0010) US: an integer from 0 to 65535"),
        (rule("replace", path="RequestAttributesSequence > StudyDate", value="2024"), "(0008,0020) DA"),
        (rule("map-uid", path="RequestAttributesSequence > PatientID"), "map-uid is not possible"),
        (rule("map-uid", group="0010", vr="PN"), "map-uid is not possible for any Attribute of (0010,xxxx) PN"),
        (rule("replace", vr="DA", value="2024"), "replace is not possible for any Attribute of (xxxx,xxxx) DA"),
        (rule("dummy", tag="0040,02xx", vr="SQ"), "dummy is not possible for any Attribute"),
        (rule("clean", private={"creator": "A", "group": "0029"}), "not for the whole of a block"),
        (rule("replace", private={"creator": "A", "group": "0029", "element": "10"}, value="a\0"), "(0029,0010) UN"),
    ],
)
def test_what_a_rule_cannot_do(one: Rule, what: str) -> None:
    message = problem(one)
    assert message.startswith("rule 1: ")
    assert what in message


@pytest.mark.parametrize("action", ["remove", "empty", "dummy", "keep", "call"])
@pytest.mark.parametrize("tag", [0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x04000500])
def test_what_the_deidentifier_sets_is_out_of_reach(action: str, tag: int) -> None:
    """R16, R17, R31, R42: the markers say what was done, whatever the rules."""
    value = {"value": print} if action == "call" else {}
    message = problem(rule(action, tag=f"{tag >> 16:04X},{tag & 0xFFFF:04X}", **value))
    assert f"{_tables.keyword(tag)}: the De-identifier sets it itself" in message


def test_what_all_else_depends_on_can_only_be_kept() -> None:
    assert "decides which Attributes" in problem(rule("map-uid", tag="SOPClassUID"))
    assert "texts of the object" in problem(rule("empty", tag="SpecificCharacterSet"))
    assert "a UID of its own" in problem(rule("dummy", tag="SOPInstanceUID"))
    assert parse(rule("keep", tags=["SOPClassUID", "SpecificCharacterSet", "SOPInstanceUID"]))
    assert parse(rule("map-uid", tag="SOPInstanceUID"))


@pytest.mark.parametrize(
    "one",
    [
        rule("remove", tag="RequestAttributesSequence"),
        rule("empty", tag="RequestAttributesSequence"),
        rule("clean", tag="RequestAttributesSequence"),
        rule("dummy", tag="InstitutionCodeSequence"),
        rule("shift-date", tags=["StudyDate", "AcquisitionDateTime", "StudyTime"]),
        rule("clean", tags=["StudyDescription", "ImageComments", "StudyID", "TextValue"]),
        rule("hash", tags=["PatientID", "PatientName", "StationAETitle", "AccessionNumber"]),
        rule("map-uid", tag="StudyInstanceUID"),
        rule("replace", tag="PatientName", value="Müller^Ωλ"),
        rule("replace", tag="SmallestImagePixelValue", value="-5"),
        rule("replace", tag="PixelData", value="00ff"),
        rule("call", tag="PatientName", value=str.upper),
        rule("hash", private={"creator": "A", "group": "0029", "element": "10"}),
    ],
)
def test_what_a_rule_can_do(one: Rule) -> None:
    assert RuleSet(parse(one)).rules


# ---- conflicts ---------------------------------------------------------------------------------------------------

CT = {"when": {"Modality": "CT"}}


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        (rule("keep", tag="PatientID"), rule("hash", tag="0010,0020"), "(0010,0020)"),
        (rule("keep", tag="PatientID", **CT), rule("hash", tag="0010,0020", **CT), "(0010,0020)"),
        (rule("replace", tag="PatientID", value="a"), rule("replace", tag="PatientID", value="b"), "(0010,0020)"),
        (rule("keep", tag="0010,00xx"), rule("remove", tag="xx10,0020"), "(0010,0020)"),
        (rule("keep", tag="0008,103x"), rule("remove", tag="0008,10x0"), "(0008,1030)"),
        (rule("keep", tag="60xx,0010"), rule("remove", tag="xx00,0010"), None),
        (rule("keep", vr="PN"), rule("remove", vr=["DA", "PN"]), "(0008,0090)"),
        (rule("keep", group="0028", vr="US"), rule("remove", group="0028", vr="SS"), "(0028,0071)"),
        (rule("keep", group="0010", vr="PN"), rule("remove", group="0010", vr="DA"), None),
        (rule("map-uid", group="0008"), rule("shift-date", group="0008"), None),
        (rule("keep", tag="PatientID", **CT), rule("hash", tag="PatientID"), None),
        (rule("keep", tag="PatientID", **CT), rule("hash", tag="PatientID", when={"Modality": "MR"}), None),
        (rule("remove", tag="0010,00xx"), rule("remove", tag="xx10,0020"), None),
        (
            rule("keep", path="RequestAttributesSequence[1] > 0008,1140 > PatientID"),
            rule("remove", path="RequestAttributesSequence > 0008,1140[1] > PatientID"),
            "(0040,0275)>(0008,1140)[1]>(0010,0020)",
        ),
        (
            rule("keep", path="RequestAttributesSequence[1] > PatientID"),
            rule("remove", path="RequestAttributesSequence[2] > PatientID"),
            None,
        ),
        (
            rule("keep", path="RequestAttributesSequence > PatientID"),
            rule("remove", path="ReferencedStudySequence > PatientID"),
            None,
        ),
        (
            rule("keep", private={"creator": "A", "group": "0029"}),
            rule("remove", private={"creator": "A", "group": "0029"}),
            "(0029,xxxx)",
        ),
        (
            rule("keep", private={"creator": "A", "group": "0029"}),
            rule("remove", private={"creator": "B", "group": "0029"}),
            None,
        ),
        (
            rule("keep", private={"creator": "A", "group": "0029", "element": "10"}),
            rule("remove", private={"creator": "A", "group": "0029", "element": "11"}),
            None,
        ),
    ],
)
def test_rules_that_nothing_tells_apart_are_a_conflict(one: Rule, other: Rule, place: str | None) -> None:
    unrelated = rule("keep", tag="Modality")
    if place is None:
        assert RuleSet(parse(one, unrelated, other)).rules
    else:
        message = problem(one, unrelated, other)
        assert message.startswith("rule 3: at odds with rule 1, which is as specific: both are for (")
        assert message.endswith(place)


@pytest.mark.parametrize(
    "keys",
    [
        {"tag": "PatientID"},
        {"group": "0010"},
        {"path": "RequestAttributesSequence > PatientID"},
        {"private": {"creator": "A", "group": "0029"}},
        {"tag": "PatientID", **CT},
    ],
)
def test_a_rule_that_is_there_twice_is_an_error(keys: dict[str, object]) -> None:
    assert problem(rule(**keys), rule(**keys)) == "rule 2: the same as rule 1"


def test_an_attribute_that_is_named_twice_is_an_error() -> None:
    assert problem(rule(tags=["PatientID", "0010,0020"])) == "rule 1: the same as rule 1"
