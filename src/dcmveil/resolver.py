"""Resolver: answers the questions of a Plan, once the whole header is known.

The one way into Python. It is asked once per kind of element (rule, tag, parent Sequence, VR, encoding), and once
per distinct Value where the answer depends on that; never from within the scanning loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dcmveil import _tables, provenance
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil.dummies import dummy_element
from dcmveil.encode import Encoding, encode_element, encode_item, encode_sequence
from dcmveil.errors import Refused
from dcmveil.iods import resolve
from dcmveil.policy import Policy
from dcmveil.uids import is_well_formed

__all__ = ["Facts", "Resolver"]

_MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
_MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_DIRECTORY_RECORD_SEQUENCE = 0x00041220
_METHOD_CODE_SEQUENCE = 0x00120064
_OVERLAY_BIT_POSITION = 0x60000102
_OVERLAY_DATA = 0x60003000
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"

_ENCRYPTED = "has an Encrypted Attributes Sequence already; --existing-encrypted remove or keep says what to do with it"

# Kinds of question, as in ext/dcmveil/_edits.pxd, and the VR number of an Implicit VR element.
_LEAF, _LEAF_UNDEFINED, _INSERTED, _CONTAINED, _APPENDED = range(5)
_IMPLICIT = 0xFE

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
    watched: _Watched

    @classmethod
    def of(cls, watched: _Watched, transfer_syntax: str) -> Facts:
        """From the watched elements of a Plan; of repeated ones the first counts."""
        first: dict[int, bytes] = {}
        for tag, parent, _item, value in watched:
            uid = (value or b"").strip(b" \0")
            if parent == 0 and uid:
                first.setdefault(tag, uid)
        return cls(
            first.get(_SOP_CLASS_UID),
            first.get(_SOP_INSTANCE_UID),
            first.get(_MEDIA_STORAGE_SOP_CLASS_UID),
            first.get(_MEDIA_STORAGE_SOP_INSTANCE_UID),
            transfer_syntax,
            watched,
        )

    def __repr__(self) -> str:
        return "Facts(...)"

    @property
    def iod_sop_class(self) -> str | None:
        """The SOP Class UID as text, None if it has none that could be in a table."""
        return self.sop_class.decode("ascii") if self.sop_class is not None and self.sop_class.isascii() else None


class Resolver:
    """Answers for one object, in one round or in several (see `Planner.cut`)."""

    def __init__(self, planner: Planner, policy: Policy) -> None:
        self._planner = planner
        self._policy = policy
        self._asked: dict[int, Question] = {}
        self._resolved: dict[int, str] = {}
        self._refusing = {number for number, rule in enumerate(policy.rules) if rule.action == "refuse"}

    def facts(self) -> Facts:
        """What is known of the object so far."""
        return Facts.of(self._planner.plan.watched(), self._planner.transfer_syntax or "")

    def is_ready(self) -> bool:
        """Is enough known to answer before the end of the input as one would at its end?"""
        facts = self.facts()
        return self._policy.keeps_everything or None not in (facts.sop_class, facts.sop_instance)

    def answer(self) -> None:
        """Answer all open questions and settle the Plan up to its cut.

        Raises Refused for an object that the Policy does not let through, LimitExceeded if a replacement does not fit.
        """
        facts = self.facts()
        plan = self._planner.plan
        if plan.size is not None and not self._policy.keeps_everything:  # the input is at its end: all is known
            _check_directory(facts)
            _check_overlays(facts, self._policy)
        _Answers(plan, self._policy, facts, self._asked, self._resolved).give()
        plan.settle()
        if any(what == "keep" and rule in self._refusing for rule, what in plan.summary()):
            raise Refused("encrypted-attributes", _ENCRYPTED)

    def action(self, key: int, rule: int) -> str:
        """What an edit's action has come to: of X/Z/D the letter that was taken."""
        return self._resolved.get(key, self._policy.rules[rule].action)


# ---- what is let through ---------------------------------------------------------------------------------------


def _check_directory(facts: Facts) -> None:
    """R20: a DICOMDIR has to be made anew from the de-identified files, not edited."""
    has_records = any(tag == _DIRECTORY_RECORD_SEQUENCE for tag, *_rest in facts.watched)
    is_directory = _MEDIA_STORAGE_DIRECTORY in (facts.sop_class, facts.media_sop_class)
    if is_directory or (has_records and facts.sop_class is None):
        raise Refused("dicomdir", "a DICOMDIR: build a new one from the de-identified files instead")


def _check_overlays(facts: Facts, policy: Policy) -> None:
    """Overlay bits in Pixel Data are copied with it: an overlay group that has none of its own data elsewhere."""
    with_data = {
        tag >> 16
        for tag, parent, _item, value in facts.watched
        if tag & 0xFF00FFFF == _OVERLAY_DATA and not parent and value != b""
    }
    for tag, parent, _item, value in facts.watched:
        if tag & 0xFF00FFFF != _OVERLAY_BIT_POSITION or parent or policy.allow_embedded_overlays:
            continue
        if tag >> 16 not in with_data and (value is None or any(value)):
            raise Refused(
                "embedded-overlay",
                "overlay bits may be embedded in Pixel Data (Overlay Bit Position is not 0 and there is no Overlay "
                "Data); --allow-embedded-overlays lets them through",
            )


# ---- answers ---------------------------------------------------------------------------------------------------


class _Answers:
    """One round of answers."""

    def __init__(
        self, plan: Plan, policy: Policy, facts: Facts, asked: dict[int, Question], resolved: dict[int, str]
    ) -> None:
        self.plan = plan
        self.policy = policy
        self.facts = facts
        self.by_key = asked
        self.resolved = resolved

    def give(self) -> None:
        for asked in map(Question._make, self.plan.questions()):
            self.by_key[asked.key] = asked
            decision, data = self.answer(asked, self.policy.rules[asked.rule].action)
            self.plan.answer(asked.key, decision, data)
        for index, key, value in self.plan.values():
            self.plan.answer_value(index, self.value(self.by_key[key], value))

    def answer(self, asked: Question, action: str) -> tuple[str, bytes]:
        """Decision for one question ("keep", "remove", "replace", "values") and the replacement."""
        own = _OWN_ACTIONS.get(action)
        if own is not None:
            return own(self, asked)
        self.resolved[asked.key] = resolve(action, self.facts.iod_sop_class, asked.parent, asked.tag)
        return self.standard(asked, self.resolved[asked.key])

    def standard(self, asked: Question, action: str) -> tuple[str, bytes]:
        """An action of Table E.1-1a, no longer compound."""
        if action == "U" and is_value(asked):
            return "values", b""
        if action in ("U", "Z"):  # what is no Value cannot be mapped
            return "replace", encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), b"")
        if action == "D":
            return "replace", dummy_element(Encoding(asked.encoding), asked.tag, written_vr(asked))
        if action == "descend" and asked.kind == _CONTAINED:
            return "keep", b""
        return "remove", b""

    def value(self, asked: Question, value: bytes) -> bytes | None:
        """The element for one captured Value, None to leave it as it is."""
        if self.policy.rules[asked.rule].action == "method text":
            new = provenance.method_text(value)
        else:
            new = self.policy.uids.map_value(value)
            if new is None and asked.vr != _IMPLICIT and vr_of_input(asked) != "UI":
                new = value  # well known, so it stays, but as UI
        return None if new is None else encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), new)

    # -- what the De-identifier sets --

    def refuse(self, asked: Question) -> tuple[str, bytes]:
        """To be refused if it is still there when all is settled; it may go with what encloses it."""
        return "keep", b""

    def file_meta(self, asked: Question) -> tuple[str, bytes]:
        facts = self.facts
        sop_class = facts.sop_class or facts.media_sop_class
        if sop_class is not None and not is_well_formed(sop_class):
            sop_class = None
        old = facts.sop_instance or facts.media_sop_instance
        new = None if old is None else (self.policy.uids.map_value(old) or old).strip(b"\0")
        return "replace", provenance.file_meta(sop_class, new, facts.transfer_syntax)

    def text(self, asked: Question, value: bytes) -> tuple[str, bytes]:
        return "replace", encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), value)

    def method_text(self, asked: Question) -> tuple[str, bytes]:
        decision, alone = self.text(asked, provenance.METHOD)
        if asked.kind == _LEAF and (asked.vr == _IMPLICIT or vr_of_input(asked) == "LO"):
            return "values", alone
        return decision, alone

    def method_codes(self, asked: Question) -> tuple[str, bytes]:
        encoding = Encoding(asked.encoding)
        if asked.kind == _INSERTED:
            return "replace", encode_sequence(encoding, asked.tag, [provenance.method_content(encoding)])
        items: dict[int, dict[int, bytes]] = {}
        for tag, parent, item, value in self.facts.watched:
            if parent == _METHOD_CODE_SEQUENCE:
                items.setdefault(item, {}).setdefault(tag, value or b"")
        if any(map(provenance.is_our_code, items.values())):
            return "keep", b""
        return "replace", encode_item(encoding, provenance.method_content(encoding))


_OWN_ACTIONS: dict[str, Callable[[_Answers, Question], tuple[str, bytes]]] = {
    "refuse": _Answers.refuse,
    "file meta": _Answers.file_meta,
    "identity removed": lambda answers, asked: answers.text(asked, b"YES"),
    "dates removed": lambda answers, asked: answers.text(asked, b"REMOVED"),
    "method text": _Answers.method_text,
    "method codes": _Answers.method_codes,
}


def vr_of_input(asked: Question) -> str | None:
    """The VR an element has in the input, None if that is Implicit VR or no VR at all."""
    return _tables.vr_name(asked.vr) if asked.vr < _IMPLICIT else None


def is_value(asked: Question) -> bool:
    """Is it an element with a Value, not a Sequence where none should be?"""
    return asked.kind == _LEAF and vr_of_input(asked) != "SQ"


def written_vr(asked: Question) -> str:
    """VR of what replaces an element: that of the input if the dictionary has it, else the dictionary's first."""
    own = vr_of_input(asked)
    if own is not None and _tables.dictionary_vrs(asked.tag) >> asked.vr & 1:
        return own
    vr = _tables.dictionary_vr(asked.tag)
    if vr is None:
        raise LookupError("no VR for an element to be replaced")
    return vr
