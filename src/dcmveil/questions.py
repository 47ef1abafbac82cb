"""What a Plan asks, and what is known of the object when it is answered.

A question is about all elements of one kind (rule, tag, parent Sequence, VR, encoding); see `Plan.questions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dcmveil import _tables
from dcmveil._answered import first_value
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil._private import PrivateTable
from dcmveil.report import Method, Remarks
from dcmveil.rules import Rule

if TYPE_CHECKING:
    from dcmveil.risks import Risk

__all__ = [
    "APPENDED",
    "CONTAINED",
    "CONTENT_ITEM",
    "IMPLICIT",
    "INSERTED",
    "LEAF",
    "LEAF_UNDEFINED",
    "Answers",
    "Facts",
    "Question",
    "Rewriting",
    "has_right_vr",
    "is_value",
    "vr_of_input",
    "written_vr",
]

_MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
_MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_INSTANCES = (_SOP_INSTANCE_UID, _MEDIA_STORAGE_SOP_INSTANCE_UID)
_EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"

# Kinds of question, as in ext/dcmveil/_edits.pxd, and the VR number of an Implicit VR element.
LEAF, LEAF_UNDEFINED, INSERTED, CONTAINED, APPENDED, CONTENT_ITEM = range(6)
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
    set: int = 0
    name: int = 0
    value_type: int = 0


class Facts(NamedTuple):
    """What the Resolver needs to know of the whole object. It holds Values, its repr does not.

    `first` has the first non-empty Value of each watched tag of the top level, without padding; `sets` the Specific
    Character Sets that Items have, from 1. SOP Instance UIDs have fields of their own only, for all else may be the
    same in many objects; `common` is for what is worked out from that.
    """

    sop_class: bytes | None
    sop_instance: bytes | None
    media_sop_class: bytes | None
    media_sop_instance: bytes | None
    transfer_syntax: str
    character_set: bytes | None
    watched: _Watched
    first: Mapping[int, bytes]
    sets: Sequence[bytes]
    has_late_set: bool
    identifying: Sequence[tuple[int, int, bytes]]  # as `Plan.identifying` has them
    is_whole: bool
    common: dict[str, Any]

    @classmethod
    def of(cls, plan: Plan, transfer_syntax: str) -> Facts:
        """From what a Plan has watched; of repeated elements the first counts.

        A Specific Character Set behind what may have been answered by then is none to go by."""
        first: dict[int, bytes] = {}
        watched = []
        is_past_set = False
        for one in plan.watched():
            tag, parent, _item, value = one
            if tag not in _INSTANCES or parent:
                watched.append(one)
            value = (value or b"").strip(b" \0")
            if parent == 0 and value and not (tag == _SPECIFIC_CHARACTER_SET and is_past_set):
                first.setdefault(tag, value)
            is_past_set |= parent == 0 and tag > _SPECIFIC_CHARACTER_SET
        return cls(
            first.get(_SOP_CLASS_UID),
            first.pop(_SOP_INSTANCE_UID, None),
            first.get(_MEDIA_STORAGE_SOP_CLASS_UID),
            first.pop(_MEDIA_STORAGE_SOP_INSTANCE_UID, None),
            transfer_syntax,
            first.get(_SPECIFIC_CHARACTER_SET),
            watched,
            first,
            plan.character_sets(),
            plan.has_late_set,
            plan.identifying(),
            plan.size is not None,
            {},
        )

    def of_another(self, plan: Plan) -> Facts:
        """Those of an object that differs in its SOP Instance UIDs only."""
        instance, media = (first_value(plan, tag) for tag in _INSTANCES)
        return self._replace(sop_instance=instance, media_sop_instance=media)

    def __repr__(self) -> str:
        return "Facts(...)"

    @property
    def order(self) -> str:
        """Byte order of its numbers, as the module struct writes it."""
        return ">" if self.transfer_syntax == _EXPLICIT_VR_BIG_ENDIAN else "<"

    def text(self, tag: int) -> str | None:
        """What a watched element of the top level holds, for conditions on it; None if it is absent or not text."""
        from dcmveil.charsets import TextError, decode_text

        instance = [(tag, 0, 0, self.sop_instance)] if tag == _SOP_INSTANCE_UID else []
        for watched, parent, _item, value in chain(instance, self.watched):
            if watched == tag and not parent and value is not None:
                try:
                    return decode_text(value, self.character_set, delimiters="\\^=")
                except TextError:
                    return value.decode("latin-1")
        return None

    @property
    def iod_sop_class(self) -> str | None:
        """The SOP Class UID as text, None if it has none that could be in a table."""
        return self.sop_class.decode("ascii") if self.sop_class is not None and self.sop_class.isascii() else None

    def set_at(self, number: int) -> bytes | None:
        """The Specific Character Set by the number that a question or a Value has."""
        return self.sets[number] if number else self.character_set


class Answers(Protocol):
    """What a policy answers for one object. What has a body here is for policies that have nothing to say to it."""

    def is_ready(self, facts: Facts) -> bool:
        """Is enough known to answer before the end of the input as one would at its end?"""
        return False

    def begin(self, facts: Facts, asked: list[Question]) -> None:
        """A round begins, with these questions. Raises Refused for an object that is not let through."""
        return

    def facts(self, plan: Plan, transfer_syntax: str) -> Facts:
        """What is known of the object so far."""
        return Facts.of(plan, transfer_syntax)

    def own_private(self, facts: Facts) -> PrivateTable | None:
        """What the object itself says of its private elements, if that has to be heeded: it is scanned once more."""
        return None

    def risks(self, facts: Facts, segments: Callable[[], Collection[str]]) -> tuple[Risk, ...]:
        """What cannot be settled; `segments` looks for comments and the like in JPEG streams. Raises Refused."""
        return ()

    def remarks(self) -> Remarks:
        """What else there is to be told when all is answered."""
        return Remarks()

    def settle(self, plan: Plan, facts: Facts) -> Mapping[int, Question]:
        """Answer all open questions of a Plan; returns them by their keys."""
        asked = {question[0]: Question._make(question) for question in plan.questions()}
        self.begin(facts, list(asked.values()))
        for question in asked.values():
            plan.answer(question.key, *self.answer(question, facts))
        return asked

    def counts(self, plan: Plan) -> Mapping[tuple[str, str], int]:
        """Elements by (reason, decision), from what a Plan has by (rule, decision)."""
        counts: dict[tuple[str, str], int] = {}
        for (rule, what), count in plan.summary().items():
            key = self.reason(0, rule), what
            counts[key] = counts.get(key, 0) + count
        return counts

    def check_done(self, plan: Plan) -> None:
        """The Plan is settled. Raises Refused for an object that is not to become of it what it would."""
        return

    def answer(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        """Decision for one question ("keep", "remove", "replace", "values") and the replacement."""

    def answer_values(self, plan: Plan, asked: Mapping[int, Question]) -> None:
        """Answer all captured Values of questions that were answered "values"."""
        for index, key, value, uses in plan.values():
            plan.answer_value(index, self.value(asked[key], value, uses))

    def value(self, asked: Question, value: bytes, uses: int) -> bytes | None:
        """The element for one captured Value, which `uses` elements have; None to leave it as it is."""
        return None

    def aligned(self, growth: int) -> tuple[int, bytes] | None:
        """What moves the first bulk, which comes to stand `growth` bytes further back, by a multiple of 4096: the key
        of a question and its new replacement."""
        return None

    def action(self, key: int, rule: int) -> str:
        """What the action of a rule has come to for a question: of X/Z/D the letter that was taken."""

    def reason(self, key: int, rule: int) -> str:
        """Why; a key of 0 is any question of the rule."""


class Rewriting(Protocol):
    """What to do with objects, compiled once and shared by all that are processed."""

    @property
    def rules(self) -> tuple[Rule, ...]: ...

    @property
    def method(self) -> Method:
        """How it is done, for reports."""
        return Method()

    @property
    def flows(self) -> bool:
        """May an object be answered and written before its end is known, if `Answers.is_ready` says so?"""
        return False

    @property
    def changes_all(self) -> bool:
        """Is there no object that would stay as it is?"""
        return False

    def planner(self, private: PrivateTable | None = None, transfer_syntax: str | None = None) -> Planner:
        """A new Planner for one object, which may have private elements to be treated in a way of its own, or be a
        Data Set alone, in a Transfer Syntax that is known."""

    def answers(self, *, file_meta: bool = True) -> Answers:
        """For one object; without `file_meta` nothing is written before the Data Set, if there is a choice."""


def vr_of_input(asked: Question) -> str | None:
    """The VR an element has in the input, None if that is Implicit VR or no VR at all."""
    return _tables.vr_name(asked.vr) if asked.vr < IMPLICIT else None


def has_right_vr(asked: Question) -> bool:
    """Has an element with a Value a VR of the dictionary? Of a private one nobody can say."""
    if not is_value(asked):
        return False
    return asked.vr == IMPLICIT or asked.tag >> 16 & 1 == 1 or bool(_tables.dictionary_vrs(asked.tag) >> asked.vr & 1)


def is_value(asked: Question) -> bool:
    """Is it an element with a Value, not a Sequence where none should be?"""
    return asked.kind == LEAF and vr_of_input(asked) != "SQ"


def written_vr(asked: Question) -> str:
    """VR of what replaces an element: that of the input if the dictionary has it, else the dictionary's first.

    A private element keeps its own, and is UN where it has none."""
    own = vr_of_input(asked)
    if asked.tag >> 16 & 1:
        return own or "UN"
    if own is not None and _tables.dictionary_vrs(asked.tag) >> asked.vr & 1:
        return own
    vr = _tables.dictionary_vr(asked.tag)
    if vr is None:
        raise LookupError("no VR for an element to be replaced")
    return vr
