"""Which Data Elements a rule of the user's own is for, and which of two rules is for less.

A rule names an Attribute (by keyword or tag), several by a tag with wildcards, a group or a VR of PS3.6, one place by a
path into Sequences, or private elements by their Private Creator (PS3.5 7.8.1). Only a path is bound to a depth; all
else is meant in every Item as well. A repeating group such as 60xx is one Attribute: it is selected whole or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.operations import OperationError, parse_operation
from dcmveil.places import Step
from dcmveil.tags import format_path, format_tag

__all__ = [
    "EXACT",
    "FOREIGN_GROUPS",
    "Dictionary",
    "RuleProblem",
    "Selector",
    "check_keys",
    "quoted",
    "read_attribute",
    "read_selectors",
]

EXACT = 0xFFFFFFFF
_GROUP = 0xFFFF0000
_BLOCK_ELEMENT = 0xFFFF00FF  # a private element is its group and low byte, in whichever block
FOREIGN_GROUPS = frozenset({0x0000, 0x0002, 0x0004, 0x0006, 0xFFFE})
_UNUSABLE_GROUPS = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})  # PS3.5 7.8.1
_MAX_CREATOR = 64  # characters of an LO
_SHOWN = 40

_TAG = re.compile(r"\(([0-9A-Fx]{4}),([0-9A-Fx]{4})\)|([0-9A-Fx]{4}),?([0-9A-Fx]{4})", re.IGNORECASE)
_KEYWORD = re.compile(r"[A-Za-z][0-9A-Za-z]*")
_GROUP_DIGITS = re.compile(r"[0-9A-Fx]{4}", re.IGNORECASE)
_LOW_BYTE = re.compile(r"[0-9A-F]{2}", re.IGNORECASE)

_KINDS = ("tag", "tags", "group", "path", "private")
_WITH_VR = frozenset({"tag", "tags", "group"})
_PRIVATE_KEYS = frozenset({"creator", "group", "element"})


class RuleProblem(ValueError):
    """What is wrong with a rule, and by which keys the place in it is found."""

    def __init__(self, what: str, *keys: str) -> None:
        super().__init__(what)
        self.keys = keys


def quoted(text: str) -> str:
    """A word of a rule as a message shows it."""
    return ascii(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!a}..."


def check_keys(table: Mapping[str, object], known: frozenset[str], *keys: str) -> None:
    """RuleProblem for a key of a table, itself at the place `keys` of a rule, that is none of those known."""
    unknown = next((str(key) for key in table if key not in known), None)
    if unknown is not None:
        raise RuleProblem(f"unknown key {quoted(unknown)}", *keys, unknown)


class Dictionary:
    """PS3.6 as `_tables` has it now: `entries` of (tag, mask, set of VRs), some of them `exact`, some `repeating`."""

    __slots__ = ("entries", "exact", "repeating")

    def __init__(self) -> None:
        self.entries = _tables.attributes()
        self.exact = {tag: vrs for tag, mask, vrs in self.entries if mask == EXACT}
        self.repeating = [(tag, mask) for tag, mask, _vrs in self.entries if mask != EXACT]

    def find(self, keyword: str) -> tuple[int, int] | None:
        """Tag and mask of a keyword: a repeating group is meant whole."""
        tag = _tables.find_tag(keyword)
        if tag is None:
            return None
        if tag in self.exact and _tables.keyword(tag) == keyword:
            return tag, EXACT
        return next(entry for entry in self.repeating if entry[0] == tag)

    def selected(self, selector: Selector) -> Iterator[tuple[int, int, int]]:
        """The entries that are selected."""
        wanted, mask = selector.tag, selector.mask  # most entries are none of them, and told apart by that
        return (entry for entry in self.entries if entry[0] & mask == wanted and selector.selects(*entry))

    def repeating_with(self, tag: int) -> tuple[int, int] | None:
        """The repeating group that a tag which is not in the dictionary by itself belongs to."""
        return next((entry for entry in self.repeating if tag & entry[1] == entry[0]), None)


class Selector(NamedTuple):
    """Elements, as far as a rule can name them before any object is seen.

    Without a `creator`: all whose tag is `tag` where `mask` has its bits, at the end of `path` if there is one, and
    with a VR of the set `vrs` if that is not 0. With one: private elements of its blocks, `tag` being the group and the
    low byte of the element, or the group alone with a `mask` that says so.
    """

    path: tuple[Step, ...]
    tag: int
    mask: int
    vrs: int = 0
    creator: str | None = None

    @property
    def rank(self) -> tuple[int, int, bool]:
        """The less a Selector selects the lower: what kind it is, its fixed digits, and whether it has VRs."""
        if self.path:
            return 0, -sum(step.item is not None for step in self.path), False
        if self.creator is not None:
            return (4 if self.is_block else 1), 0, False
        digits = self.mask.bit_count() // 4
        kind = 2 if digits == 8 else 3 if self.mask & 0xFFFF else 5
        return kind, -digits, not self.vrs

    @property
    def is_block(self) -> bool:
        """Is it for all that is in the blocks of a Private Creator?"""
        return self.creator is not None and self.mask == _GROUP

    @property
    def is_pattern(self) -> bool:
        """Is it for as many Attributes of the dictionary as fit?"""
        return self.creator is None and self.mask != EXACT

    def selects(self, tag: int, mask: int, vrs: int) -> bool:
        """Is an entry of the dictionary selected, with all its tags?"""
        return not self.mask & ~mask and tag & self.mask == self.tag and bool(vrs & self.vrs or not self.vrs)

    def meets(self, other: Selector) -> bool:
        """Is there a tag, at one place, that two of the same rank are both for?"""
        if self.creator != other.creator or len(self.path) != len(other.path):
            return False
        same_way = all(map(_steps_meet, self.path, other.path))
        return same_way and not (self.tag ^ other.tag) & self.mask & other.mask

    def __str__(self) -> str:
        if self.path:
            return format_path(((step.sequence, step.item or 0) for step in self.path), self.tag).replace("[0]", "")
        pairs = zip(f"{self.tag:08X}", f"{self.mask:08X}", strict=True)
        digits = "".join("x" if fixed == "0" else digit for digit, fixed in pairs)
        vrs = "".join(f" {_tables.vr_name(index)}" for index in range(self.vrs.bit_length()) if self.vrs >> index & 1)
        return f"({digits[:4]},{digits[4:]}){vrs}"


def _steps_meet(one: Step, other: Step) -> bool:
    return one.sequence == other.sequence and (one.item == other.item or None in (one.item, other.item))


# ---- reading -----------------------------------------------------------------------------------------------------


def read_selectors(rule: Mapping[str, object], dictionary: Dictionary) -> list[Selector]:
    """What the keys of a rule select. RuleProblem if they do not say that as they should."""
    kinds = [kind for kind in _KINDS if kind in rule]
    if len(kinds) > 1:
        raise RuleProblem(f"{kinds[0]} and {kinds[1]} cannot both be given", kinds[1])
    if not kinds and "vr" not in rule:
        raise RuleProblem("a rule needs one of tag, tags, group, path, private, vr")
    if kinds and "vr" in rule and kinds[0] not in _WITH_VR:
        raise RuleProblem(f"vr cannot go with {kinds[0]}", "vr")
    if "path" in rule:
        return [_read_path(rule["path"])]
    if "private" in rule:
        return [_read_private(rule["private"])]
    return _read_attributes(rule, dictionary)


def read_attribute(text: object, dictionary: Dictionary, *keys: str) -> tuple[int, int]:
    """Tag and mask for a keyword or a tag, with x for any digit, at the place `keys` of a rule."""
    match = _TAG.fullmatch(_text(text, *keys))
    if match is not None:
        return _checked(*_digits("".join(filter(None, match.groups()))), dictionary, *keys)
    if not isinstance(text, str) or not _KEYWORD.fullmatch(text):
        raise RuleProblem("a keyword such as PatientName or a tag such as 0010,0010 or 60xx,3000 expected", *keys)
    found = dictionary.find(text)
    if found is None:
        raise RuleProblem(f"no Attribute has the keyword {quoted(text)}", *keys)
    return _checked(*found, dictionary, *keys)


def _text(value: object, *keys: str) -> str:
    if not isinstance(value, str):
        raise RuleProblem(f"{keys[-1]} must be a text in quotes", *keys)
    return value


def _texts(value: object, key: str) -> list[str]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not values:
        raise RuleProblem(f"{key} is empty", key)
    return [_text(text, key) for text in values]


def _digits(text: str) -> tuple[int, int]:
    """Hexadecimal digits and x as a number and a mask."""
    mask = "".join("0" if digit in "xX" else "F" for digit in text)
    return int(text.lower().replace("x", "0"), 16), int(mask, 16)


def _checked(tag: int, mask: int, dictionary: Dictionary, *keys: str) -> tuple[int, int]:
    """Tag and mask, if they are not private, foreign or unknown."""
    if mask & _GROUP == _GROUP:
        _check_group(tag >> 16, *keys)
    if mask != EXACT or tag in dictionary.exact:
        return tag, mask
    repeating = dictionary.repeating_with(tag)
    if repeating is not None:
        raise RuleProblem(f"{format_tag(tag)} is one of {Selector((), *repeating)}, which a rule is for whole", *keys)
    raise RuleProblem(f"{format_tag(tag)} is not in the dictionary of PS3.6", *keys)


def _check_group(group: int, *keys: str) -> None:
    if group in FOREIGN_GROUPS:
        raise RuleProblem(f"no rule can be for group {group:04X}, which is not part of a Data Set", *keys)
    if group & 1:
        raise RuleProblem('a private element is given as private = { creator = "...", group = "...", ... }', *keys)


def _read_attributes(rule: Mapping[str, object], dictionary: Dictionary) -> list[Selector]:
    vrs = _read_vrs(rule["vr"]) if "vr" in rule else 0
    if "group" in rule:
        places = [_read_group(rule["group"])]
    elif "tags" in rule:
        places = [read_attribute(text, dictionary, "tags") for text in _texts(rule["tags"], "tags")]
    else:
        places = [read_attribute(rule["tag"], dictionary, "tag")] if "tag" in rule else [(0, 0)]
    if vrs and any(mask == EXACT for _tag, mask in places):
        raise RuleProblem("vr goes with a group or wildcards: a single Attribute has its VR", "vr")
    if not vrs and (0, 0) in places:
        raise RuleProblem("this is every Attribute there is: give a group, or a vr", *rule.keys() & _WITH_VR)
    return [Selector((), tag, mask, vrs) for tag, mask in places]


def _read_group(value: object) -> tuple[int, int]:
    if not _GROUP_DIGITS.fullmatch(_text(value, "group")):
        raise RuleProblem("a group is written as four hexadecimal digits, such as 0018 or 60xx", "group")
    group, mask = _digits(str(value))
    if mask == 0xFFFF:
        _check_group(group, "group")
    return group << 16, mask << 16


def _read_vrs(value: object) -> int:
    vrs = 0
    for name in _texts(value, "vr"):
        try:
            vrs |= 1 << _tables.vr_index(name)
        except ValueError:
            raise RuleProblem(f"{quoted(name)} is not a VR of PS3.5", "vr") from None
    return vrs


def _read_path(value: object) -> Selector:
    """A place as --dumb has it, in Sequences and of public elements only."""
    try:
        operation = parse_operation("remove", _text(value, "path"))
    except OperationError as error:
        raise RuleProblem(str(error).removeprefix("--remove").lstrip(" :"), "path") from None
    if not operation.path:
        raise RuleProblem("a path leads into a Sequence, as SEQUENCE > TAG; without one give a tag", "path")
    for tag in (*(step.sequence for step in operation.path), operation.tag):
        _check_group(tag >> 16, "path")
        if not _tables.dictionary_vrs(tag):
            raise RuleProblem(f"{format_tag(tag)} is not in the dictionary of PS3.6", "path")
    return Selector(operation.path, operation.tag, EXACT)


def _read_private(value: object) -> Selector:
    if not isinstance(value, Mapping):
        raise RuleProblem('private must be a table: { creator = "...", group = "0029", element = "10" }', "private")
    check_keys(value, _PRIVATE_KEYS, "private")
    group = _private_text(value, "group")
    number = int(group, 16) if re.fullmatch("[0-9A-Fa-f]{4}", group) else 0
    if not number & 1 or number in _UNUSABLE_GROUPS:
        raise RuleProblem("a private group is four hexadecimal digits, odd and from 0009, such as 0029", *_in("group"))
    creator = _private_text(value, "creator").strip()
    if not creator or not creator.isprintable() or len(creator) > _MAX_CREATOR or "\\" in creator:
        raise RuleProblem(f"a private creator has 1 to {_MAX_CREATOR} characters, no backslash", *_in("creator"))
    if "element" not in value:
        return Selector((), number << 16, _GROUP, creator=creator)
    element = _private_text(value, "element")
    if not _LOW_BYTE.fullmatch(element):
        raise RuleProblem("element is two hexadecimal digits, those behind the block's, such as 10", *_in("element"))
    return Selector((), number << 16 | int(element, 16), _BLOCK_ELEMENT, creator=creator)


def _private_text(table: Mapping[str, object], key: str) -> str:
    if key not in table:
        raise RuleProblem(f"private needs a {key}", "private")
    return _text(table[key], *_in(key))


def _in(key: str) -> tuple[str, str]:
    return "private", key
