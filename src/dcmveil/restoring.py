"""Restoring Attribute by Attribute: what PS3.15 E.1.2 asks of a Re-identifier.

The originals go to the top level in place of what stands there, in the encoding of the file as it is now, and what
the De-identifier added goes. All else stays as it is, byte for byte.
"""

from __future__ import annotations

from dcmveil import provenance
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil.encode import Encoding
from dcmveil.originals import recoded
from dcmveil.policy import Limits
from dcmveil.profile import ENCRYPTED_ATTRIBUTES_SEQUENCE
from dcmveil.questions import Answers, Facts, Question
from dcmveil.report import Method
from dcmveil.reversal import Original, Reversal
from dcmveil.rules import KEEP, Rule
from dcmveil.uids import is_well_formed

__all__ = ["Restoration"]

_MARKERS = (0x00120062, 0x00120063, 0x00120064)
_SPECIFIC_CHARACTER_SET = 0x00080005
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_ALL = 0xFFFFFFFF

_RULES = (
    KEEP,
    Rule("restore", "Modified Attributes Sequence"),
    Rule("X", "added by the De-identifier"),
    Rule("X", "repeated"),
    Rule("file meta", "File Meta Information of the restored object"),
    Rule("X", "group length"),
)
_KEEP, _RESTORE, _ADDED, _REPEATED, _META, _GROUP_LENGTH = range(6)
_SPECIAL = {
    "private": _KEEP, "unknown": _KEEP, "group_length": _GROUP_LENGTH, "vr": _KEEP, "duplicate": _REPEATED,
    "member": _KEEP, "meta": _META,
}  # fmt: skip


class Restoration:
    """The Rewriting that puts the originals back into one object."""

    method = Method()
    flows = False
    changes_all = False

    def __init__(self, reversal: Reversal, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        # Group lengths are about an encoding that may no longer be the one of the file.
        self._elements = {old.tag: old for old in reversal.originals if old.tag & 0xFFFF or old.tag >> 16 & 1}
        self._character_set = reversal.character_set
        self._limits = limits
        self.rules = _RULES
        markers = reversal.added if reversal.is_ours else _MARKERS
        self._table = _table(set(self._elements), {*markers, ENCRYPTED_ATTRIBUTES_SEQUENCE} - set(self._elements))

    def __repr__(self) -> str:
        return f"Restoration({len(self._elements)} originals)"

    def planner(self, private: PrivateTable | None = None, transfer_syntax: str | None = None) -> Planner:
        """A new Planner for one object."""
        size = sum(len(original.element) for original in self._elements.values())
        held = max(self._limits.max_held, 2 * size)
        limits = self._limits.without_holding()._replace(max_held=held)
        return Planner(self._table, transfer_syntax=transfer_syntax, **limits._asdict())

    def answers(self, *, file_meta: bool = True) -> Answers:
        """What to answer for one object."""
        return _Answers(self._elements, self._character_set)


def _table(restored: set[int], added: set[int]) -> RuleTable:
    places = sorted(
        [(tag, _RESTORE, True, False, None) for tag in restored]
        + [(tag, _ADDED, False, False, None) for tag in added]
    )  # fmt: skip
    return RuleTable(
        behaviours=[rule.behaviour for rule in _RULES],
        special=_SPECIAL,
        flags=[(tag, _ALL, "watched") for tag in (_SPECIFIC_CHARACTER_SET, _SOP_CLASS_UID, _SOP_INSTANCE_UID)],
        places=[places],
    )


class _Answers(Answers):
    def __init__(self, elements: dict[int, Original], character_set: bytes | None) -> None:
        self._elements = elements
        self._character_set = character_set

    def is_ready(self, facts: Facts) -> bool:
        return None not in (facts.sop_class, facts.sop_instance)

    def action(self, key: int, rule: int) -> str:
        return _RULES[rule].action

    def reason(self, key: int, rule: int) -> str:
        return _RULES[rule].reason

    def answer(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        if asked.rule == _META:
            return "replace", self._file_meta(facts)
        if asked.rule != _RESTORE:
            return "remove", b""
        tag, element, header = self._elements[asked.tag]
        element = self._in_set_of(element, facts)
        encoding = Encoding(asked.encoding)
        if encoding is not Encoding.EXPLICIT_LE:
            element = recoded(element, tag, header, Encoding.EXPLICIT_LE, encoding)
        return "replace", element

    def _in_set_of(self, element: bytes, facts: Facts) -> bytes:
        """With its text in the Specific Character Set that the file has now, if that has changed."""
        old, new = self._character_set, facts.character_set
        if old is None or old == (new or b"") or _SPECIFIC_CHARACTER_SET in self._elements:
            return element
        from dcmveil.texts import converted  # rarely needed

        return converted(element, old, new)

    def _file_meta(self, facts: Facts) -> bytes:
        sop_class = self._uid(_SOP_CLASS_UID) or facts.sop_class or facts.media_sop_class
        sop_instance = self._uid(_SOP_INSTANCE_UID) or facts.sop_instance
        if sop_class is not None and not is_well_formed(sop_class):
            sop_class = None
        return provenance.file_meta(sop_class, sop_instance, facts.transfer_syntax)

    def _uid(self, tag: int) -> bytes | None:
        """The Value of an original UID."""
        original = self._elements.get(tag)
        return original.element[original.header :].strip(b"\0 ") or None if original is not None else None
