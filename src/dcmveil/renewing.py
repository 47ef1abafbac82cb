"""New Values for old ones: what actions U and C of Table E.1-1a come to, and rules of the user's own.

Each takes a rule, a question and a Value field, and gives the new Value field, or None where the old one may stay. What
cannot be done to a Value (no date, no legible text, nothing left of it) is `Unfit`; the rule's base then takes its
place.
"""

from __future__ import annotations

from collections.abc import Callable

from dcmveil import _tables
from dcmveil.errors import DcmveilError, Refused
from dcmveil.questions import IMPLICIT, Facts, Question, vr_of_input
from dcmveil.rules import Rule
from dcmveil.subjects import PATIENT_ID, Means
from dcmveil.tags import format_tag

__all__ = ["VALUE_ACTIONS", "Renewal", "RuleFailed", "Unfit"]

_FRAME_ORIGIN_TIMESTAMP = 0x00340007
_SEVERAL = frozenset({"AE", "LO", "PN", "SH", "UC"})  # text VRs with backslash between Values
_TEXTS = frozenset({*_SEVERAL, "AS", "CS", "DA", "DS", "DT", "IS", "LT", "ST", "TM", "UI", "UR", "UT"})
_PADDING = b" \0"


class Unfit(Exception):
    """Why a rule cannot be done to a Value, without the Value; `base` is what takes its place, "" that of the rule."""

    def __init__(self, why: str, base: str = "") -> None:
        super().__init__(why)
        self.base = base


class RuleFailed(DcmveilError):
    """A function of the user's own has failed. Its own message may have a Value in it, and is not shown."""


class Renewal:
    """New Values for one object. `pairs`, unless None, gets old and new UIDs and Patient IDs."""

    def __init__(self, facts: Facts, means: Means, pairs: list[tuple[str, str]] | None) -> None:
        self.facts = facts
        self._means = means
        self._pairs = pairs
        self.subject = means.subject(facts)

    def __repr__(self) -> str:
        return "Renewal(...)"

    def note(self, old: str, new: str) -> None:
        """For the map that the user wants."""
        if self._pairs is not None and old:
            self._pairs.append((old, new))

    # -- Table E.1-1 --

    def mapped(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        new = self._means.uids.map_value(value)
        if new is None:  # well known, so it stays, but as UI
            return None if asked.vr == IMPLICIT or vr_of_input(asked) == "UI" else value
        if self._pairs is not None:
            self._note_uids(value, new)
        return new

    def _note_uids(self, value: bytes, new: bytes) -> None:
        for old_uid, new_uid in zip(value.split(b"\\"), new.split(b"\\"), strict=True):
            old = old_uid.strip(_PADDING)
            if old != new_uid.strip(_PADDING):
                self.note(old.decode("latin-1"), new_uid.strip(_PADDING).decode("ascii"))

    def shifted(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        from dcmveil.dates import shift_timestamp, shift_value

        if asked.tag == _FRAME_ORIGIN_TIMESTAMP:
            new = shift_timestamp(value, self.subject.days)
        else:
            new = shift_value(_vr(asked), value, self.subject.days)
        if new is None:
            raise Unfit("impossible date or time")
        self.subject.made.add(new.rstrip(_PADDING))
        return None if new == value else new

    def leaves(self, rule: Rule, value: bytes) -> bool:
        """Is it soon clear that cleaning leaves a Value as it is? Most are plain ASCII with nothing to be cut."""
        if not value.isascii() or b"\x1b" in value or b"\\" in value:
            return False
        text = value.decode("ascii").rstrip(" \0")
        return self._means.cleaner.leaves(text, self.subject.identity, by_rule=rule.action == "clean")

    def is_left(self, rule: Rule, text: str) -> bool:
        """Does cleaning leave a text as it is?"""
        cleaner = self._means.cleaner
        clean = cleaner.clean if rule.action == "clean" else cleaner.clean_identity
        return clean(text, self.subject.identity) == text

    def cleaned(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        text = self.subject.decode(value, _vr(asked), asked.set, is_nested=asked.parent != 0)
        if text is None:
            raise Unfit("text that cannot be read")
        return self._without(text, asked, self._means.cleaner.clean)

    def cleaned_of_identity(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        text = self.subject.decode(value, _vr(asked), asked.set, is_nested=asked.parent != 0)
        if text is not None:
            return self._without(text, asked, self._means.cleaner.clean_identity)
        if self._without(value.decode("latin-1").rstrip(" \0"), asked, self._means.cleaner.clean_identity) is not None:
            raise Unfit("text that cannot be read")
        return None

    def _without(self, text: str, asked: Question, clean: Callable[..., str]) -> bytes | None:
        """A text without what identifies, Value by Value."""
        vr = _vr(asked)
        parts = text.split("\\") if vr in _SEVERAL else [text]
        new = [clean(part, self.subject.identity) for part in parts]
        if new == parts:
            return None
        if vr not in _TEXTS or not any(new):
            raise Unfit("nothing left of a text")
        return self._encoded("\\".join(new), vr, asked)

    def _encoded(self, text: str, vr: str, asked: Question) -> bytes:
        new = self.subject.encode(text, vr, asked.set)
        if new is None:
            raise Unfit("text that cannot be written")
        return new

    def defined_term(self, rule: Rule, _asked: Question, value: bytes) -> bytes | None:
        if value.strip(_PADDING) not in rule.detail:
            raise Unfit("not a term of the Standard")
        return None

    def ae_title(self, _rule: Rule, _asked: Question, value: bytes) -> bytes | None:
        return self._means.pseudonyms.ae_title(value) if value.strip(_PADDING) else None

    def pseudonym(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        vr = _vr(asked)
        old = self.subject.text_of(value, vr, asked.set)
        try:
            new = self._means.pseudonyms.replacement(asked.tag, old, patient_id=self.subject.patient_id)
        except Refused as refused:
            if not asked.parent:
                raise
            raise Refused(refused.reason, f"within {format_tag(asked.parent)}, {refused}") from None
        if not new:
            return b""
        if asked.tag == PATIENT_ID:
            self.note(old, new)
        encoded = self.subject.encode(new, vr, asked.set)
        if encoded is None:
            message = f"{format_tag(asked.tag)}: the new Value is not in the file's Specific Character Set"
            raise Refused("character-set", message)
        return encoded

    # -- rules of the user's own --

    def hashed(self, _rule: Rule, asked: Question, value: bytes) -> bytes | None:
        from dcmveil.pseudonyms import pseudonym

        vr, kind = _vr(asked), b"hash/%08x" % asked.tag
        old = self.subject.text_of(value, vr, asked.set)
        parts = [part.strip() for part in (old.split("\\") if vr in _SEVERAL else [old])]
        new = [pseudonym(self._means.secret, kind, part.encode()) if part else "" for part in parts]
        if asked.tag == PATIENT_ID:
            self.note(old, "\\".join(new))
        return "\\".join(new).encode("ascii") if any(new) else None

    def called(self, rule: Rule, asked: Question, value: bytes) -> bytes | None:
        vr = _vr(asked)
        given = self.subject.text_of(value, vr, asked.set) if vr in _TEXTS else value
        try:
            new = rule.detail(given)
        except Exception as error:
            raise RuleFailed(f"{rule.reason}: the function failed: {type(error).__name__}") from None
        if new is None:
            raise Unfit("removed by the function", "X")
        if isinstance(new, str) and vr in _TEXTS:
            return None if new == given else self._encoded(new, vr, asked)
        if isinstance(new, bytes):
            return new
        raise RuleFailed(f"{rule.reason}: the function must return {'str' if vr in _TEXTS else 'bytes'} or None")


def _vr(asked: Question) -> str:
    """The VR that a Value is read and written in."""
    return vr_of_input(asked) or _tables.dictionary_vr(asked.tag) or "LO"


VALUE_ACTIONS: dict[str, Callable[[Renewal, Rule, Question, bytes], bytes | None]] = {
    "U": Renewal.mapped,
    "shift": Renewal.shifted,
    "clean": Renewal.cleaned,
    "clean identity": Renewal.cleaned_of_identity,
    "defined term": Renewal.defined_term,
    "ae title": Renewal.ae_title,
    "pseudonym": Renewal.pseudonym,
    "hash": Renewal.hashed,
    "call": Renewal.called,
}
