"""What --empty, --clear, --remove and --replace ask for: their arguments as places in a Data Set, and what to do there.

A tag is written in hexadecimal, `10,10`, `0x10,0x10`, `(0010,0010)` or `00100010`, or as a keyword of PS3.6. A path
leads into Sequences: `SEQUENCE>TAG` means every Item, `SEQUENCE[2]>TAG` the second. Private elements (PS3.5 7.8) are
named by their block's creator, `gggg,ee,CREATOR`, whichever block that has reserved in a file, or by their full tag.

The Value of --replace follows the first `=` or `,` behind the tag, to the last character. `9,1002,a=b` could be read
in two ways: as gdcmanon does, a private tag with a comma and a `=` behind it names a creator, with a comma alone it
is followed by its Value. Nothing may follow the tag otherwise, so that a mistake never acts on something else.

What is wrong with an argument is told with the tag as far as it could be read, never with what follows: that may be
a Value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, NoReturn

from dcmveil import _tables
from dcmveil.errors import show_path
from dcmveil.places import Step
from dcmveil.tags import format_path

__all__ = ["KINDS", "Kind", "Operation", "OperationError", "combine", "merge", "parse_operation"]

Kind = Literal["empty", "clear", "remove", "replace"]
KINDS: tuple[Kind, ...] = ("empty", "clear", "remove", "replace")

_WEAKEST_FIRST: tuple[Kind, ...] = ("clear", "replace", "empty", "remove")
_INSERTING: tuple[Kind, ...] = ("empty", "replace")
_MAX_CREATOR = 64  # characters of an LO
_NO_CREATOR_PART = frozenset("\\=>")
_SEQUENCE_VR = 1 << _tables.vr_index("SQ")

_HEX = r"(?:0[xX])?([0-9A-Fa-f]{1,4})"
_STEP = re.compile(
    rf"""\s* (?P<tag>
        (?: \(\s*{_HEX}\s*,\s*{_HEX}\s*\)   # (0010,0010)
          | {_HEX},[ ]*{_HEX}               # 10,10
          | ([0-9A-Fa-f]{{4}})([0-9A-Fa-f]{{4}}) ) (?![0-9A-Za-z_])
        | (?P<keyword>[A-Za-z][0-9A-Za-z]*) )
    (?: \[\s*(?P<item>[0-9]{{1,9}})\s*\] )?
    (?P<inward> \s*>\s* )?""",
    re.VERBOSE | re.ASCII,
)

_NOT_IN_DATA_SETS = {
    0x0000: "Command elements are in no file",
    0x0002: "File Meta Information cannot be edited",
    0x0004: "directory records cannot be edited",
    0x0006: "elements of group 0006 are in no file",
    0xFFFE: "Items and delimiters cannot be edited",
}
_UNUSABLE_GROUPS = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})  # PS3.5 7.8.1

# The bits that differ between the tags of a repeating group: (60xx,3000), (0028,04x0), (0020,31xx).
_REPEATING_BITS = (0x00020000, 0x10, 0x1)


class OperationError(ValueError):
    """What is wrong with an argument, in one line that names the tag and no Value."""


class Operation(NamedTuple):
    """What to do at one place.

    "remove" takes the element away, "clear" makes it zero-length, "empty" does so too and inserts it where it is
    absent, "replace" gives it `value`, inserting it likewise. With a `creator` the tag has only the low byte of the
    element, 0x00090002 for (0009,xx02), and the block is found in the file. Creators are ASCII; case does not matter.
    """

    kind: Kind
    path: tuple[Step, ...]
    tag: int
    creator: str | None = None
    value: str | None = None

    def __repr__(self) -> str:
        # A path without Item numbers is one through every Item.
        place = format_path(((step.sequence, step.item or 0) for step in self.path), self.tag)
        hidden = [name for name in ("creator", "value") if getattr(self, name) is not None]
        return f"Operation({', '.join([self.kind, place.replace('[0]', ''), *(f'{name}=...' for name in hidden)])})"


def parse_operation(kind: Kind, text: str) -> Operation:
    """The operation that an argument of --`kind` describes. OperationError if it is not written as it should be."""
    if kind not in KINDS:
        raise ValueError("an operation is one of " + ", ".join(KINDS))
    argument = _Argument(kind, text)
    path, tag = argument.place()
    if kind == "replace":
        creator, value = argument.creator_and_value(tag, nested=bool(path))
        return argument.operation(path, tag, creator, value)
    return argument.operation(path, tag, argument.creator(tag, nested=bool(path)), None)


def combine(first: Operation, second: Operation) -> Operation:
    """What two operations that meet at one element come to, wherever they stood on the command line.

    That is what doing them in gdcmanon's order gives: replace, empty, clear, remove. Of two Values the second counts.
    """
    if {first.kind, second.kind} == {"clear", "replace"}:
        return second._replace(kind="empty", value=None)
    return first if _strength(first) > _strength(second) else second


def merge(operations: Iterable[Operation]) -> list[Operation]:
    """One operation for each place, sorted by path, tag and creator; every Item comes before a certain one.

    Places that are written differently may still be one in a file, such as `SEQUENCE>TAG` and `SEQUENCE[1]>TAG`:
    those are to be combined there, in this order.
    """
    merged: dict[_Place, Operation] = {}
    for operation in operations:
        place = _place(operation)
        merged[place] = combine(merged[place], operation) if place in merged else operation
    return [merged[place] for place in sorted(merged)]


_Place = tuple[tuple[tuple[int, int], ...], int, str]


def _place(operation: Operation) -> _Place:
    steps = tuple((step.sequence, step.item or 0) for step in operation.path)
    return steps, operation.tag, (operation.creator or "").lower()


def _strength(operation: Operation) -> int:
    return _WEAKEST_FIRST.index(operation.kind)


# ---- reading an argument ---------------------------------------------------------------------------------------


class _Argument:
    """One argument, read from the left; `rest` is what has not been read yet."""

    def __init__(self, kind: Kind, text: str) -> None:
        self.kind = kind
        self.rest = text
        self.text = text
        self.shown = ""

    def fail(self, what: str) -> NoReturn:
        shown = f" {show_path(self.shown)}" if self.shown else ""
        raise OperationError(f"--{self.kind}{shown}: {what}")

    def place(self) -> tuple[tuple[Step, ...], int]:
        """The path and the tag at its end."""
        path: list[Step] = []
        while True:
            step, inward = self.step()
            if not inward:
                break
            if not _may_be_sequence(step.sequence):
                self.fail("is no Sequence")
            path.append(step)
        if step.item is not None:
            self.fail("names an Item, not an Attribute: SEQUENCE[1]>TAG expected")
        return tuple(path), step.sequence

    def step(self) -> tuple[Step, bool]:
        """One tag with the number of an Item, if there is one, and whether `>` follows."""
        match = _STEP.match(self.rest)
        if match is None:
            behind = " behind it" if self.shown else ""
            self.fail(f"a tag such as 10,10 or a keyword such as PatientName expected{behind}")
        end = len(self.text) - len(self.rest) + match.end("tag")
        self.shown = self.text[:end].strip()
        self.rest = self.rest[match.end() :]
        tag = self.tag(match)
        item = None if match["item"] is None else int(match["item"])
        if item == 0:
            self.fail("Items are counted from 1")
        if self.rest.startswith("["):
            self.fail("the number of an Item expected in brackets, such as [1]")
        return Step(tag, item), match["inward"] is not None

    def tag(self, match: re.Match[str]) -> int:
        keyword = match["keyword"]
        tag = _number(match) if keyword is None else _tables.find_tag(keyword)
        if tag is None:
            if self.kind == "replace" and not (match["inward"] or self.rest.startswith(("=", ","))):
                self.shown = ""  # it may be a Value with its separator mistyped
            self.fail("no Attribute has this keyword")
        if keyword is not None and _is_repeating(tag, keyword):
            self.fail("the keyword stands for several Attributes: give their tags")
        if tag >> 16 in _NOT_IN_DATA_SETS:
            self.fail(_NOT_IN_DATA_SETS[tag >> 16])
        if not tag & 0xFFFF:
            self.fail("group lengths cannot be edited")
        return tag

    def creator(self, tag: int, *, nested: bool) -> str | None:
        """The private creator behind the tag, None if there is none."""
        rest = self.rest.strip()
        if not rest:
            return None
        if rest[0] == "=":
            self.fail("only --replace takes a Value")
        if rest[0] != "," or not _is_private(tag):
            self.fail("nothing may follow the tag")
        return self.check_creator(rest[1:], nested=nested)

    def creator_and_value(self, tag: int, *, nested: bool) -> tuple[str | None, str]:
        """What follows the tag of --replace: a Value, perhaps with a private creator before it."""
        separator, rest = self.rest[:1], self.rest[1:]
        if separator not in ("", "=", ","):
            self.fail("= or , and the new Value expected behind the tag")
        if separator == "," and _is_private(tag) and "=" in rest:
            creator, _equals, value = rest.partition("=")
            return self.check_creator(creator, nested=nested), value
        return None, rest

    def check_creator(self, text: str, *, nested: bool) -> str:
        creator = text.strip()
        if nested:
            self.fail("private creators are possible at top level only; a Value is given as TAG=VALUE")
        if not creator:
            self.fail("the private creator is missing")
        usable = creator.isascii() and creator.isprintable() and len(creator) <= _MAX_CREATOR
        if not usable or _NO_CREATOR_PART.intersection(creator):
            self.fail(f"a private creator has up to {_MAX_CREATOR} ASCII characters, none of them one of \\ = >")
        return creator

    def operation(self, path: tuple[Step, ...], tag: int, creator: str | None, value: str | None) -> Operation:
        if creator is not None:
            tag &= 0xFFFF00FF
        elif self.kind in _INSERTING:
            self.check_insertable(tag)
        if tag >> 16 in _UNUSABLE_GROUPS and self.kind in _INSERTING:
            self.fail("this group must not be used")
        return Operation(self.kind, path, tag, creator, value)

    def check_insertable(self, tag: int) -> None:
        """PS3.5 7.8.1: private elements are creators, (gggg,0010-00FF), or in the blocks those reserve."""
        element = tag & 0xFFFF
        if _is_private(tag) and (element < 0x10 or 0x100 <= element < 0x1000):
            self.fail("a private element needs its creator, as in 9,02,CREATOR, or its block, as in 9,1002")


def _number(match: re.Match[str]) -> int:
    group, element = (int(digits, 16) for digits in match.groups()[1:7] if digits is not None)
    return group << 16 | element


def _is_private(tag: int) -> bool:
    return bool(tag >> 16 & 1)


def _is_repeating(tag: int, keyword: str) -> bool:
    return any(_tables.keyword(tag ^ bit) == keyword for bit in _REPEATING_BITS)


def _may_be_sequence(tag: int) -> bool:
    vrs = _tables.dictionary_vrs(tag)
    return not vrs or bool(vrs & _SEQUENCE_VR)
