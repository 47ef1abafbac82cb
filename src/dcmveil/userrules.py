"""Rules of the user's own, which go before the Profile: what they say, what is wrong with them, which of them counts.

Each rule has an action for the elements that its Selector selects, if the object meets its conditions. The most
specific counts: a place before a private element, an Attribute, wildcards (those with more digits first), a private
block, a group, and a VR alone; among equals one with conditions before one without, and of those the one that comes
first. Two that nothing tells apart and that do not say the same are an error: it would be chance what is done.

What an action cannot be done to is an error as well, or not selected where a rule is for many Attributes. No rule may
touch what the De-identifier sets itself (PS3.15 E.1.1), or hide what it needs to know to do the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, NoReturn, get_args

from dcmveil import _tables
from dcmveil.conditions import Condition, read_conditions
from dcmveil.encode import Encoding
from dcmveil.errors import DcmveilError
from dcmveil.selection import EXACT, FOREIGN_GROUPS, Dictionary, RuleProblem, Selector, check_keys, read_selectors
from dcmveil.tags import format_tag
from dcmveil.values import ValueProblem, choose_vr, encode_value

__all__ = ["RuleSet", "RulesError", "UserAction", "UserRule", "parse_rules"]

UserAction = Literal[
    "remove", "empty", "replace", "dummy", "keep", "map-uid", "shift-date", "clean", "hash", "call"
]  # fmt: skip
_ACTIONS: tuple[UserAction, ...] = get_args(UserAction)
_KEYS = frozenset({"tag", "tags", "group", "vr", "path", "private", "action", "value", "when"})
_FOR_BLOCKS = frozenset({"remove", "empty", "keep"})

_VRS = [_tables.vr_name(index) for index in range(_tables.vr_index("UV") + 1)]
_SQ = 1 << _tables.vr_index("SQ")
_ANY_VR = (1 << len(_VRS)) - 1


def _bits(names: str) -> int:
    return sum(1 << _tables.vr_index(name) for name in names.split())


# A CS is a term of the Standard and a PN has no words, so neither can be cleaned; no keyed text is a term.
_POSSIBLE = {
    "map-uid": _bits("UI"),
    "shift-date": _bits("DA DT TM"),
    "clean": _bits("LO LT SH SQ ST UC UT"),
    "hash": _bits("AE LO LT PN SH ST UC UT"),
    "replace": _ANY_VR & ~_SQ,
    "call": _ANY_VR & ~_SQ,
}


class _Reserved(NamedTuple):
    """Actions that are not for an Attribute, and why."""

    actions: frozenset[str]
    why: str


_ALL_ACTIONS = frozenset(_ACTIONS)
_RESERVED = {
    0x00080005: _Reserved(_ALL_ACTIONS - {"keep"}, "the texts of the object are written in it"),
    0x00080016: _Reserved(_ALL_ACTIONS - {"keep"}, "it decides which Attributes the object must have"),
    0x00080018: _Reserved(frozenset({"remove", "empty", "dummy"}), "an object needs a UID of its own"),
    **dict.fromkeys(
        (0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x04000500),
        _Reserved(_ALL_ACTIONS, "the De-identifier sets it itself"),
    ),
}


class RulesError(DcmveilError):
    """Rules that cannot be used. The text, one line, names file and line, or the number of the rule."""


class UserRule(NamedTuple):
    """What to do with the elements of a Selector in objects that meet all of the conditions.

    `value` is the text of "replace", the function of "call", else None. `where` tells users which rule it is:
    "rules.toml:12", or "rule 3" of those that were not in a file.
    """

    selector: Selector
    action: UserAction
    value: str | Callable[..., Any] | None
    conditions: tuple[Condition, ...]
    where: str

    def __repr__(self) -> str:
        return f"UserRule({self.where}: {self.action} {self.selector})"

    def applies(self, values: Mapping[int, str]) -> bool:
        """Does an object with these Values meet the conditions? What is not in `values` is absent."""
        return all(condition.holds(values.get(condition.tag)) for condition in self.conditions)


# ---- reading one rule --------------------------------------------------------------------------------------------


def _by_number(number: int, _keys: tuple[str, ...]) -> str:
    return f"rule {number}"


def parse_rules(
    rules: Iterable[Mapping[str, object]], locate: Callable[[int, tuple[str, ...]], str] = _by_number
) -> tuple[UserRule, ...]:
    """Rules from the keys and values that a file has, one rule for each Attribute of `tags`.

    A file cannot have the action "call", whose value is a Python function. `locate` says where the rule with a number,
    counted from 1, or what is at a key in it, can be found. Raises RulesError.
    """
    dictionary = Dictionary()
    found: list[UserRule] = []
    for number, rule in enumerate(rules, start=1):
        try:
            found += _read_rule(rule, locate(number, ()), dictionary)
        except RuleProblem as problem:
            raise RulesError(f"{locate(number, problem.keys)}: {problem}") from None
    return tuple(found)


def _read_rule(rule: object, where: str, dictionary: Dictionary) -> list[UserRule]:
    if not isinstance(rule, Mapping):
        raise RuleProblem("a rule must be a table of keys and values")
    check_keys(rule, _KEYS)
    action = _read_action(rule)
    value = _read_value(rule, action)
    conditions = read_conditions(rule["when"], dictionary) if "when" in rule else ()
    found = [UserRule(selector, action, value, conditions, where) for selector in read_selectors(rule, dictionary)]
    for one in found:
        _check(one, next(key for key in ("path", "private", "tag", "tags", "group", "vr") if key in rule), dictionary)
    return found


def _read_action(rule: Mapping[str, object]) -> UserAction:
    if "action" not in rule:
        raise RuleProblem("a rule needs an action")
    action = next((action for action in _ACTIONS if action == rule["action"]), None)
    if action is None:
        raise RuleProblem(f"the action must be one of {', '.join(_ACTIONS)}", "action")
    return action


def _read_value(rule: Mapping[str, object], action: UserAction) -> str | Callable[..., Any] | None:
    value = rule.get("value")
    if action == "call":
        if not callable(value):
            raise RuleProblem("call needs a Python function as its value, which no file can give", "action")
        return value
    if action != "replace":
        if "value" in rule:
            raise RuleProblem(f"{action} has no value", "value")
        return None
    if "value" not in rule:
        raise RuleProblem("replace needs a value", "action")
    if not isinstance(value, str):
        raise RuleProblem("value must be a text in quotes, a number too", "value")
    return value


def _check(rule: UserRule, key: str, dictionary: Dictionary) -> None:
    """RuleProblem for a rule that could never do anything, or should not. `key` is where it says what it is for."""
    if rule.selector.creator is not None:
        _check_private(rule)
    elif rule.selector.is_pattern:
        _check_pattern(rule, key, dictionary)
    else:
        _check_attribute(rule, key)


def _check_private(rule: UserRule) -> None:
    """A private element has no VR before it is seen, so a Value has to do for UN."""
    if rule.selector.is_block and rule.action not in _FOR_BLOCKS:
        raise RuleProblem(f"{rule.action} is for a private element, not for the whole of a block", "action")
    if isinstance(rule.value, str):
        _check_value(rule.selector.tag, "UN", rule.value)


def _check_pattern(rule: UserRule, key: str, dictionary: Dictionary) -> None:
    selected = list(dictionary.selected(rule.selector))
    if not selected:
        raise RuleProblem(f"{rule.selector} is no Attribute of PS3.6, or a part of a repeating group only", key)
    able = _able_vrs(rule)
    if not any(_can_take(rule, able, tag, vrs) for tag, _mask, vrs in selected):
        raise RuleProblem(f"{rule.action} is not possible for any Attribute of {rule.selector}", "action")


def _check_attribute(rule: UserRule, key: str) -> None:
    tag = rule.selector.tag
    reserved = _RESERVED.get(tag)
    if reserved is not None and rule.action in reserved.actions:
        raise RuleProblem(f"{rule.action} is not for {format_tag(tag)} {_tables.keyword(tag)}: {reserved.why}", key)
    vrs = _tables.dictionary_vrs(tag)
    if not vrs & _POSSIBLE.get(rule.action, _ANY_VR):
        raise RuleProblem(f"{rule.action} is not possible for {format_tag(tag)} {_tables.dictionary_vr(tag)}", "action")
    if rule.action == "dummy" and not _has_dummy(tag, vrs):
        raise RuleProblem(f"there is no dummy Item for {format_tag(tag)} {_tables.keyword(tag)}", "action")
    if isinstance(rule.value, str):
        _check_value(tag, choose_vr(tag, rule.value) or "UN", rule.value)


def _check_value(tag: int, vr: str, value: str) -> None:
    try:
        encode_value(tag, vr, value, character_set=b"ISO_IR 192", encoding=Encoding.EXPLICIT_LE)
    except ValueProblem as problem:
        raise RuleProblem(f"not a Value of {problem}", "value") from None


# ---- what a rule can be done to ----------------------------------------------------------------------------------


def _able_vrs(rule: UserRule) -> int:
    """The VRs that a rule is for and that its action can be done to."""
    able = _POSSIBLE.get(rule.action, _ANY_VR) & (rule.selector.vrs or _ANY_VR)
    if isinstance(rule.value, str):
        able &= sum(1 << index for index, vr in enumerate(_VRS) if _fits(vr, rule.value))
    return able


def _fits(vr: str, value: str) -> bool:
    try:
        _check_value(0, vr, value)
    except RuleProblem:
        return False
    return True


def _can_take(rule: UserRule, able: int, tag: int, vrs: int) -> bool:
    """Can what a rule says be done to an Attribute of the dictionary, `able` being the VRs for that?"""
    if not vrs & able or tag >> 16 in FOREIGN_GROUPS:
        return False
    if tag in _RESERVED and rule.action in _RESERVED[tag].actions:
        return False
    return rule.action != "dummy" or _has_dummy(tag, vrs)


def _has_dummy(tag: int, vrs: int) -> bool:
    return vrs != _SQ or _tables.dummy_item(tag) is not None


# ---- rules together ----------------------------------------------------------------------------------------------


class _Pattern(NamedTuple):
    """A rule for many Attributes, and what is needed to try it on one of them."""

    tag: int
    mask: int
    able: int
    rule: UserRule


class RuleSet:
    """Rules that hold together. Immutable; may be used by several threads.

    `rules` are in the order given; `placed`, those with a path, and `private`, those with a Private Creator, have the
    most specific first. `condition_tags` are the Attributes whose Values at top level conditions ask for. Raises
    RulesError for two rules of which nothing says which counts, and for one that is there twice.
    """

    rules: tuple[UserRule, ...]
    placed: tuple[UserRule, ...]
    private: tuple[UserRule, ...]
    condition_tags: frozenset[int]
    _exact: Mapping[int, Sequence[UserRule]]
    _patterns: Mapping[int, Sequence[_Pattern]]  # by group, those for more than one group included
    _for_all_groups: Sequence[_Pattern]

    __slots__ = ("_exact", "_for_all_groups", "_patterns", "condition_tags", "placed", "private", "rules")

    def __init__(self, rules: Iterable[UserRule] = ()) -> None:
        given = tuple(rules)
        _check_conflicts(given)
        ordered = sorted(given, key=lambda rule: (rule.selector.rank, not rule.conditions))
        values = {
            "rules": given,
            "placed": tuple(rule for rule in ordered if rule.selector.path),
            "private": tuple(rule for rule in ordered if rule.selector.creator is not None),
            "condition_tags": frozenset(condition.tag for rule in given for condition in rule.conditions),
            **_indexed(ordered),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a RuleSet cannot be changed")

    def __repr__(self) -> str:
        return f"RuleSet({len(self.rules)} rules)"

    def for_attribute(self, tag: int, mask: int, vrs: int) -> tuple[UserRule, ...]:
        """The rules for an entry of the dictionary, the most specific first, up to one without conditions."""
        found = list(self._exact.get(tag, ())) if mask == EXACT else []
        for wanted, fixed, able, rule in self._patterns.get(tag >> 16, self._for_all_groups):
            # Tried on every Attribute there is, so what most fail is asked first.
            fits = tag & fixed == wanted and vrs & able and rule.selector.selects(tag, mask, vrs)
            if fits and _can_take(rule, able, tag, vrs):
                found.append(rule)
        return tuple(_up_to_one_without_conditions(found))

    def attributes(self) -> Iterator[tuple[int, int, tuple[UserRule, ...]]]:
        """Tag, mask and rules of each Attribute of the dictionary that has rules."""
        for tag, mask, vrs in _tables.attributes():
            found = self.for_attribute(tag, mask, vrs)
            if found:
                yield tag, mask, found


def _up_to_one_without_conditions(rules: list[UserRule]) -> list[UserRule]:
    for at, rule in enumerate(rules, start=1):
        if not rule.conditions:
            return rules[:at]
    return rules


def _indexed(ordered: Iterable[UserRule]) -> dict[str, object]:
    """Rules for Attributes, by tag those for one and by group those for many."""
    exact: dict[int, list[UserRule]] = defaultdict(list)
    patterns: list[_Pattern] = []
    for rule in ordered:
        selector = rule.selector
        if selector.is_pattern:
            patterns.append(_Pattern(selector.tag, selector.mask, _able_vrs(rule), rule))
        elif selector.creator is None and not selector.path:
            exact[selector.tag].append(rule)
    general = [pattern for pattern in patterns if pattern.mask >> 16 != 0xFFFF]
    groups = {pattern.tag >> 16 for pattern in patterns if pattern.mask >> 16 == 0xFFFF}
    by_group = {
        group: [pattern for pattern in patterns if not (pattern.tag >> 16 ^ group) & pattern.mask >> 16]
        for group in groups
    }
    return {"_exact": dict(exact), "_patterns": by_group, "_for_all_groups": general}


def _check_conflicts(rules: Iterable[UserRule]) -> None:
    """RulesError for two rules that nothing tells apart: what is done would depend on their order."""
    alike: dict[object, list[UserRule]] = defaultdict(list)
    for rule in rules:
        selector = rule.selector
        alike[selector.rank, rule.conditions, None if selector.is_pattern else selector.tag].append(rule)
    dictionary = Dictionary()
    for one, other in (pair for group in alike.values() for pair in combinations(group, 2)):
        does_the_same = (one.action, one.value) == (other.action, other.value)
        if does_the_same and one.selector == other.selector:
            raise RulesError(f"{other.where}: the same as {one.where}")
        place = None if does_the_same else _meeting(one, other, dictionary)
        if place is not None:
            raise RulesError(f"{other.where}: at odds with {one.where}, which is as specific: both are for {place}")


def _meeting(one: UserRule, other: UserRule, dictionary: Dictionary) -> Selector | None:
    """What two rules of the same rank both select; for patterns the first such Attribute."""
    if not one.selector.meets(other.selector):
        return None
    if not one.selector.is_pattern:
        return other.selector
    able, other_able = _able_vrs(one), _able_vrs(other)
    for tag, mask, vrs in dictionary.selected(one.selector):
        both = _can_take(one, able, tag, vrs) and _can_take(other, other_able, tag, vrs)
        if both and other.selector.selects(tag, mask, vrs):
            return Selector((), tag, mask)
    return None
