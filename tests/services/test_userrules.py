"""Rules of the user's own: what they select, and which of several counts."""

from __future__ import annotations

import pickle
import time
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil import _tables
from dcmveil.places import Step
from dcmveil.selection import EXACT, Selector
from dcmveil.userrules import RulesError, RuleSet, UserRule, parse_rules

PATIENT_ID, PATIENT_NAME, STUDY_DATE, SOP_CLASS = 0x00100020, 0x00100010, 0x00080020, 0x00080016
PN, DA, UI = (1 << _tables.vr_index(vr) for vr in ("PN", "DA", "UI"))
ENTRIES = _tables.attributes()

Rule = dict[str, Any]


def rule(action: str = "remove", **keys: object) -> Rule:
    return {"action": action, **keys}


def parse(*rules: Rule) -> tuple[UserRule, ...]:
    return parse_rules(rules)


def selector(**keys: object) -> Selector:
    (found,) = parse(rule(**keys))
    return found.selector


def problem(*rules: Rule) -> str:
    with pytest.raises(RulesError) as caught:
        RuleSet(parse(*rules))
    message = str(caught.value)
    assert message.isprintable()
    return message


def selected(*rules: Rule) -> dict[int, list[str]]:
    """The actions for each Attribute that has rules, the first that counts first."""
    return {tag: [one.action for one in found] for tag, _mask, found in RuleSet(parse(*rules)).attributes()}


# ---- what is selected --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"tag": "PatientID"}, Selector((), PATIENT_ID, EXACT)),
        ({"tag": "0010,0020"}, Selector((), PATIENT_ID, EXACT)),
        ({"tag": "(0010,0020)"}, Selector((), PATIENT_ID, EXACT)),
        ({"tag": "00100020"}, Selector((), PATIENT_ID, EXACT)),
        ({"tag": "0018,10xx"}, Selector((), 0x00181000, 0xFFFFFF00)),
        ({"tag": "0018,10XX"}, Selector((), 0x00181000, 0xFFFFFF00)),
        ({"tag": "60xx,xxxx"}, Selector((), 0x60000000, 0xFF000000)),
        ({"tag": "OverlayRows"}, Selector((), 0x60000010, 0xFF00FFFF)),
        ({"tag": "TransformLabel"}, Selector((), 0x00280400, EXACT)),
        ({"tag": "RowsForNthOrderCoefficients"}, Selector((), 0x00280400, 0xFFFFFF0F)),
        ({"group": "0018"}, Selector((), 0x00180000, 0xFFFF0000)),
        ({"group": "60xx"}, Selector((), 0x60000000, 0xFF000000)),
        ({"group": "0018", "vr": "UI"}, Selector((), 0x00180000, 0xFFFF0000, UI)),
        ({"vr": ["PN", "DA"]}, Selector((), 0, 0, PN | DA)),
        ({"path": "RequestAttributesSequence[2] > 0040,0009"}, Selector((Step(0x00400275, 2),), 0x00400009, EXACT)),
        ({"path": "00081140>SOPClassesInStudy"}, Selector((Step(0x00081140, None),), 0x00080062, EXACT)),
        ({"private": {"creator": " A B ", "group": "0029"}}, Selector((), 0x00290000, 0xFFFF0000, 0, "A B")),
        ({"private": {"creator": "A", "group": "0029", "element": "0a"}}, Selector((), 0x0029000A, 0xFFFF00FF, 0, "A")),
    ],
)  # fmt: skip
def test_reads_what_a_rule_is_for(keys: dict[str, object], expected: Selector) -> None:
    assert selector(**keys) == expected


def test_tags_make_a_rule_each() -> None:
    found = parse(rule(tags=["PatientID", "PatientName"]), rule("keep", tag="StudyDate"))
    assert [(one.selector.tag, one.action, one.where) for one in found] == [
        (PATIENT_ID, "remove", "rule 1"),
        (PATIENT_NAME, "remove", "rule 1"),
        (STUDY_DATE, "keep", "rule 2"),
    ]


def test_a_repeating_group_is_selected_whole_or_not() -> None:
    assert 0x60000010 in selected(rule(tag="60xx,0010"))
    assert 0x60000010 in selected(rule(tag="xxxx,0010"))
    assert 0x60000010 not in selected(rule(tag="xx02,0010"))
    assert set(selected(rule(group="7FE0"))) == {tag for tag, mask, _vrs in ENTRIES if tag >> 16 == 0x7FE0}


def test_only_attributes_that_can_take_the_action_are_selected() -> None:
    mapped = selected(rule("map-uid", group="0008"))
    assert all(_tables.dictionary_vr(tag) == "UI" for tag in mapped)
    assert {0x00080018, 0x00080014} < set(mapped)
    replaced = selected(rule("replace", group="0010", value="20240230"))  # not a date
    assert PATIENT_ID in replaced
    assert 0x00100030 not in replaced
    assert 0x00101010 not in replaced  # Patient's Age
    dummies = selected(rule("dummy", group="0040"))
    assert 0x00401101 in dummies  # has a dummy Item
    assert 0x00400275 not in dummies


def test_a_value_must_fit_the_vr_that_is_asked_for() -> None:
    smallest = 0x00280106  # Smallest Image Pixel Value, US or SS
    assert smallest in selected(rule("replace", group="0028", vr="SS", value="-5"))
    assert "not possible for any Attribute" in problem(rule("replace", group="0028", vr="US", value="-5"))


def test_a_tag_is_not_the_repeating_group_that_is_written_like_it() -> None:
    found = RuleSet(parse(rule("keep", tag="TransformLabel"), rule(tag="0028,04x0")))
    label, rows = (row for row in ENTRIES if row[0] == 0x00280400)
    assert [one.action for one in found.for_attribute(*label)] == ["keep"]
    assert [one.action for one in found.for_attribute(*rows)] == ["remove"]


def test_wildcards_leave_alone_what_no_rule_may_touch() -> None:
    everything = selected(*(rule(group=group) for group in ("0008", "0012", "0028", "0400")))
    assert not {SOP_CLASS, 0x00080005, 0x00080018, 0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x04000500} & set(
        everything
    )
    assert not {tag >> 16 for tag in selected(rule(vr="UI"))} & {0x0000, 0x0002, 0x0004, 0x0006}
    assert SOP_CLASS in selected(rule("keep", group="0008"))


def test_places_and_private_elements_are_apart() -> None:
    found = RuleSet(
        parse(
            rule("keep", private={"creator": "A", "group": "0029"}),
            rule(private={"creator": "A", "group": "0029", "element": "10"}),
            rule(path="RequestAttributesSequence > StudyInstanceUID"),
            rule("keep", path="RequestAttributesSequence[1] > StudyInstanceUID"),
            rule(tag="PatientID", when={"Modality": "CT", "StudyDate": {"exists": True}}),
        )
    )
    assert [one.action for one in found.private] == ["remove", "keep"]
    assert [one.action for one in found.placed] == ["keep", "remove"]
    assert [tag for tag, _mask, _rules in found.attributes()] == [PATIENT_ID]
    assert found.condition_tags == {0x00080060, STUDY_DATE}
    assert len(found.rules) == 5


# ---- which counts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
def test_the_most_specific_counts_wherever_it_stands(reverse: bool) -> None:
    ladder = [
        {"tag": "PatientName"},
        {"tag": "0010,001x"},
        {"tag": "0010,00xx", "vr": "PN"},
        {"tag": "0010,00xx"},
        {"tag": "xxxx,001x"},
        {"group": "0010", "vr": "PN"},
        {"group": "0010"},
        {"group": "001x"},
        {"vr": ["PN", "DA"]},
    ]
    when = {"Modality": "CT"}
    rules = [rule("keep", when=when, **keys) for keys in ladder] + [rule("empty", **keys) for keys in ladder]
    found = RuleSet(parse(*(reversed(rules) if reverse else rules)))
    chosen = found.for_attribute(PATIENT_NAME, EXACT, PN)
    assert [(one.action, bool(one.conditions)) for one in chosen] == [("keep", True), ("empty", False)]
    for step in range(len(ladder)):
        conditional = [rule("keep", when=when, **keys) for keys in ladder[step:]]
        found = RuleSet(parse(*(reversed(conditional) if reverse else conditional)))
        first, *_others = found.for_attribute(PATIENT_NAME, EXACT, PN)
        assert first.selector == selector(**ladder[step])


def test_of_rules_with_conditions_the_first_in_the_file_counts() -> None:
    rules = [rule("keep", when={"Modality": "CT"}), rule("empty"), rule("hash", when={"Modality": "MR"})]
    (chosen,) = selected(*(one | {"tag": "PatientID"} for one in rules)).values()
    assert chosen == ["keep", "hash", "empty"]


def test_a_rule_applies_if_all_conditions_hold() -> None:
    (one,) = parse(rule(tag="PatientID", when={"Modality": "CT", "Manufacturer": {"exists": False}}))
    assert one.applies({0x00080060: "CT"})
    assert not one.applies({0x00080060: "MR"})
    assert not one.applies({0x00080060: "CT", 0x00080070: "Siemens"})
    assert not one.applies({})


patterns = "0010,0010 0010,001x 0008,001x 0010,00xx 0010,xxxx 001x,0010 xxxx,0010 60xx,3000 60xx,xxxx 602x,3000".split()
one_of_many = st.builds(
    lambda tag, when, vr, what: {"tag": tag, **when, **vr, **what},
    st.sampled_from(patterns),
    st.sampled_from([{}, {"when": {"Modality": "CT"}}, {"when": {"Modality": "MR"}}]),
    st.sampled_from([{}, {"vr": ["PN"]}, {"vr": ["PN", "UI"]}]),
    st.sampled_from([{"action": "remove"}, {"action": "map-uid"}, {"action": "replace", "value": "1.2"}]),
)
FITTING = set("AE DS FD FL LO LT PN SH ST UC UI UN UR UT".split())  # what 1.2 is a Value of
RESERVED = {"remove": {SOP_CLASS, 0x00080018}, "map-uid": {SOP_CLASS}, "replace": {SOP_CLASS}}

Row = tuple[int, int, int]


def meant(one: Rule) -> frozenset[Row]:
    """The entries of the dictionary that a rule is for, by the digits of their tags."""
    return _meant(one["tag"].replace(",", ""), " ".join(one.get("vr", [])), one["action"])


@cache
def _meant(wanted: str, vrs: str, action: str) -> frozenset[Row]:
    return frozenset(
        row
        for row in ENTRIES
        if all(map(fits, wanted, f"{row[0]:08X}", f"{row[1]:08X}"))
        and names_of(row[2], vrs) & {"remove": names_of(row[2], ""), "map-uid": {"UI"}, "replace": FITTING}[action]
        and row[0] >> 16 not in (0, 2, 4, 6)
        and row[0] not in RESERVED[action]
    )


def fits(wanted: str, digit: str, fixed: str) -> bool:
    return wanted == "x" or (wanted == digit and fixed == "F")


def names_of(bits: int, vrs: str) -> set[str]:
    names = {_tables.vr_name(index) for index in range(bits.bit_length()) if bits >> index & 1}
    return {name for name in names if not vrs or name in vrs.split()}


def order(one: Rule) -> tuple[int, int, bool, bool]:
    digits = len(one["tag"].replace("x", "")) - 1
    kind = 0 if digits == 8 else 2 if one["tag"].endswith("xxxx") else 1
    return kind, -digits, "vr" not in one, "when" not in one


def at_odds(one: Rule, other: Rule) -> bool:
    if order(one) != order(other) or one.get("when") != other.get("when"):
        return False
    if one["action"] == other["action"]:
        return one == other
    return bool(meant(one) & meant(other))


@settings(max_examples=200, deadline=None)
@given(st.lists(one_of_many, max_size=6))
def test_agrees_with_the_rules_read_digit_by_digit(rules: list[Rule]) -> None:
    """Parsing, conflicts, order and cut against a model that knows no masks, ranks or indices."""
    if any(("vr" in one and one["tag"] == "0010,0010") or not meant(one) for one in rules):
        assert " at odds " not in problem(*rules)
    elif any(at_odds(one, other) for at, one in enumerate(rules) for other in rules[:at]):
        assert " rule " in problem(*rules)
    else:
        expected: dict[Row, list[int]] = {}
        for _order, at in sorted((order(one), at) for at, one in enumerate(rules)):
            for row in meant(rules[at]):
                chosen = expected.setdefault(row, [])
                if all("when" in rules[before] for before in chosen):
                    chosen.append(at)
        rule_set = RuleSet(parse(*rules))
        found = {row: [int(one.where[5:]) - 1 for one in rule_set.for_attribute(*row)] for row in ENTRIES}
        assert {row: chosen for row, chosen in found.items() if chosen} == expected


def test_a_hundred_rules_cost_little() -> None:
    tags = [tag for tag, mask, vrs in ENTRIES if mask == EXACT and tag >> 16 == 0x0018][:80]
    rules = [rule(tag=f"{tag >> 16:04X},{tag & 0xFFFF:04X}") for tag in tags]
    rules += [rule(group=group) for group in "0008 0010 0018 0020 0028 0032 0040 0054 0070 0072 3006 300A".split()]
    rules += [rule(vr=vr) for vr in ("PN", "UI", "DA")] + [rule(tag="60xx,xxxx"), rule(tag="0018,10xx")]
    found = RuleSet(parse(*rules))
    start = time.process_time()
    assert sum(1 for _ in found.attributes()) > 500
    assert time.process_time() - start < 0.1  # a few ms; the machine may be busy


# ---- the rest ----------------------------------------------------------------------------------------------------


def test_rule_sets_do_not_change() -> None:
    found = RuleSet(parse(rule(tag="PatientID")))
    with pytest.raises(AttributeError, match="cannot be changed"):
        found.rules = ()
    assert not RuleSet().rules


def test_rules_go_to_other_processes() -> None:
    rules = parse(rule("hash", tag="PatientID", when={"Modality": {"matches": "CT|MR"}}), rule("keep", vr="PN"))
    assert pickle.loads(pickle.dumps(rules)) == rules


def test_shows_neither_values_nor_creators() -> None:
    rules = parse(
        rule("replace", tag="PatientName", value="Smith"),
        rule(private={"creator": "Smith", "group": "0029", "element": "10"}),
        rule(tag="PatientID", when={"PatientName": "Smith"}),
    )
    assert repr(rules) == (
        "(UserRule(rule 1: replace (0010,0010)), UserRule(rule 2: remove (0029,xx10)), "
        "UserRule(rule 3: remove (0010,0020)))"
    )
    assert repr(RuleSet(rules)) == "RuleSet(3 rules)"
