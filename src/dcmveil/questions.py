"""What a Plan asks, and what is known of the object when it is answered.

A question is about all elements of one kind (rule, tag, parent Sequence, VR, encoding); see `Plan.questions`.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from dcmveil import _tables
from dcmveil._planner import Planner
from dcmveil.rules import Rule

__all__ = [
    "APPENDED",
    "CONTAINED",
    "IMPLICIT",
    "INSERTED",
    "LEAF",
    "LEAF_UNDEFINED",
    "Answers",
    "Facts",
    "Question",
    "Rewriting",
    "is_value",
    "vr_of_input",
    "written_vr",
]

_MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
_MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018

# Kinds of question, as in ext/dcmveil/_edits.pxd, and the VR number of an Implicit VR element.
LEAF, LEAF_UNDEFINED, INSERTED, CONTAINED, APPENDED = range(5)
IMPLICIT = 0xFE

_Watched = list[tuple[int, int, int, bytes | None]]


class Question(NamedTuple):
    """What a Plan asks; see `Plan.questions`."""

    key: int
    rule: int
    tag: int
    parent: int
    vr: int
    encoding: int
    kind: int


class Facts(NamedTuple):
    """What the Resolver needs to know of the whole object. It holds Values, its repr does not."""

    sop_class: bytes | None
    sop_instance: bytes | None
    media_sop_class: bytes | None
    media_sop_instance: bytes | None
    transfer_syntax: str
    character_set: bytes | None
    watched: _Watched

    @classmethod
    def of(cls, watched: _Watched, transfer_syntax: str) -> Facts:
        """From the watched elements of a Plan; of repeated ones the first counts."""
        first: dict[int, bytes] = {}
        for tag, parent, _item, value in watched:
            value = (value or b"").strip(b" \0")
            if parent == 0 and value:
                first.setdefault(tag, value)
        return cls(
            first.get(_SOP_CLASS_UID),
            first.get(_SOP_INSTANCE_UID),
            first.get(_MEDIA_STORAGE_SOP_CLASS_UID),
            first.get(_MEDIA_STORAGE_SOP_INSTANCE_UID),
            transfer_syntax,
            first.get(_SPECIFIC_CHARACTER_SET),
            watched,
        )

    def __repr__(self) -> str:
        return "Facts(...)"

    @property
    def iod_sop_class(self) -> str | None:
        """The SOP Class UID as text, None if it has none that could be in a table."""
        return self.sop_class.decode("ascii") if self.sop_class is not None and self.sop_class.isascii() else None


class Answers(Protocol):
    """What a policy answers for one object."""

    def is_ready(self, facts: Facts) -> bool:
        """Is enough known to answer before the end of the input as one would at its end?"""

    def check(self, facts: Facts) -> None:
        """All of the input is known. Raises Refused for an object that is not let through."""

    def check_done(self, summary: dict[tuple[int, str], int]) -> None:
        """The Plan is settled: `summary` has the number of elements by (rule, decision). Raises Refused."""

    def answer(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        """Decision for one question ("keep", "remove", "replace", "values") and the replacement."""

    def value(self, asked: Question, value: bytes) -> bytes | None:
        """The element for one captured Value, None to leave it as it is."""

    def action(self, key: int, rule: int) -> str:
        """What the action of a rule has come to for a question: of X/Z/D the letter that was taken."""


class Rewriting(Protocol):
    """What to do with objects, compiled once and shared by all that are processed."""

    @property
    def rules(self) -> tuple[Rule, ...]: ...

    def planner(self) -> Planner:
        """A new Planner for one object."""

    def answers(self) -> Answers:
        """For one object."""


def vr_of_input(asked: Question) -> str | None:
    """The VR an element has in the input, None if that is Implicit VR or no VR at all."""
    return _tables.vr_name(asked.vr) if asked.vr < IMPLICIT else None


def is_value(asked: Question) -> bool:
    """Is it an element with a Value, not a Sequence where none should be?"""
    return asked.kind == LEAF and vr_of_input(asked) != "SQ"


def written_vr(asked: Question) -> str:
    """VR of what replaces an element: that of the input if the dictionary has it, else the dictionary's first."""
    own = vr_of_input(asked)
    if own is not None and _tables.dictionary_vrs(asked.tag) >> asked.vr & 1:
        return own
    vr = _tables.dictionary_vr(asked.tag)
    if vr is None:
        raise LookupError("no VR for an element to be replaced")
    return vr
