"""What the De-identifier answers: the actions of Table E.1-1a, and what it sets itself (PS3.15 E.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dcmveil import provenance
from dcmveil.dummies import dummy_element
from dcmveil.encode import Encoding, encode_element, encode_item, encode_sequence
from dcmveil.errors import Refused
from dcmveil.iods import resolve
from dcmveil.questions import (
    CONTAINED,
    IMPLICIT,
    INSERTED,
    LEAF,
    Facts,
    Question,
    is_value,
    vr_of_input,
    written_vr,
)
from dcmveil.rules import Rule
from dcmveil.uids import UidMapper, is_well_formed

__all__ = ["DeidentifyingAnswers", "Leave"]

_DIRECTORY_RECORD_SEQUENCE = 0x00041220
_METHOD_CODE_SEQUENCE = 0x00120064
_OVERLAY_BIT_POSITION = 0x60000102
_OVERLAY_DATA = 0x60003000
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"

_ENCRYPTED = "has an Encrypted Attributes Sequence already; --existing-encrypted remove or keep says what to do with it"


class Leave(NamedTuple):
    """What an object may have that is not let through otherwise."""

    encrypted: bool
    embedded_overlays: bool


class DeidentifyingAnswers:
    """For one object, in one round or in several."""

    def __init__(self, rules: tuple[Rule, ...], uids: UidMapper, leave: Leave, *, keeps_everything: bool) -> None:
        self._rules = rules
        self._uids = uids
        self._leave = leave
        self._keeps_everything = keeps_everything
        self._resolved: dict[int, str] = {}
        self._refusing = {number for number, rule in enumerate(rules) if rule.action == "refuse"}

    def is_ready(self, facts: Facts) -> bool:
        """Later on, nothing could be learnt that answers depend on."""
        return self._keeps_everything or None not in (facts.sop_class, facts.sop_instance)

    def check(self, facts: Facts) -> None:
        """Raises Refused for a DICOMDIR, and for overlay bits that are copied with Pixel Data."""
        if not self._keeps_everything:
            _check_directory(facts)
            _check_overlays(facts, self._leave)

    def check_done(self, summary: dict[tuple[int, str], int]) -> None:
        """Raises Refused if an Encrypted Attributes Sequence is left that should not be."""
        if any(what == "keep" and rule in self._refusing for rule, what in summary):
            raise Refused("encrypted-attributes", _ENCRYPTED)

    def action(self, key: int, rule: int) -> str:
        """The action of a rule; of X/Z/D the letter that was taken."""
        return self._resolved.get(key, self._rules[rule].action)

    def answer(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        """Decision for one question, and the replacement."""
        action = self._rules[asked.rule].action
        own = _OWN_ACTIONS.get(action)
        if own is not None:
            return own(self, asked, facts)
        self._resolved[asked.key] = resolve(action, facts.iod_sop_class, asked.parent, asked.tag)
        return self._standard(asked, self._resolved[asked.key])

    def _standard(self, asked: Question, action: str) -> tuple[str, bytes]:
        """An action of Table E.1-1a, no longer compound."""
        if action == "U" and is_value(asked):
            return "values", b""
        if action in ("U", "Z"):  # what is no Value cannot be mapped
            return "replace", encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), b"")
        if action == "D":
            return "replace", dummy_element(Encoding(asked.encoding), asked.tag, written_vr(asked))
        if action == "descend" and asked.kind == CONTAINED:
            return "keep", b""
        return "remove", b""

    def value(self, asked: Question, value: bytes) -> bytes | None:
        """The element for one captured Value, None to leave it as it is."""
        if self._rules[asked.rule].action == "method text":
            new = provenance.method_text(value)
        else:
            new = self._uids.map_value(value)
            if new is None and asked.vr != IMPLICIT and vr_of_input(asked) != "UI":
                new = value  # well known, so it stays, but as UI
        return None if new is None else encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), new)

    # -- what the De-identifier sets --

    def _refuse(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        """To be refused if it is still there when all is settled; it may go with what encloses it."""
        return "keep", b""

    def _file_meta(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        sop_class = facts.sop_class or facts.media_sop_class
        if sop_class is not None and not is_well_formed(sop_class):
            sop_class = None
        old = facts.sop_instance or facts.media_sop_instance
        new = None if old is None else (self._uids.map_value(old) or old).strip(b"\0")
        return "replace", provenance.file_meta(sop_class, new, facts.transfer_syntax)

    def _text(self, asked: Question, value: bytes) -> tuple[str, bytes]:
        return "replace", encode_element(Encoding(asked.encoding), asked.tag, written_vr(asked), value)

    def _encrypted_attributes(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        """Its place: what goes there is known when all else is settled (`Plan.amend`)."""
        if asked.kind != INSERTED and not self._leave.encrypted:
            raise Refused("encrypted-attributes", _ENCRYPTED)
        return "replace", b""

    def _method_text(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        decision, alone = self._text(asked, provenance.method())
        if asked.kind == LEAF and (asked.vr == IMPLICIT or vr_of_input(asked) == "LO"):
            return "values", alone
        return decision, alone

    def _method_codes(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        encoding = Encoding(asked.encoding)
        if asked.kind == INSERTED:
            return "replace", encode_sequence(encoding, asked.tag, [provenance.method_content(encoding)])
        items: dict[int, dict[int, bytes]] = {}
        for tag, parent, item, value in facts.watched:
            if parent == _METHOD_CODE_SEQUENCE:
                items.setdefault(item, {}).setdefault(tag, value or b"")
        if any(map(provenance.is_our_code, items.values())):
            return "keep", b""
        return "replace", encode_item(encoding, provenance.method_content(encoding))


_OWN_ACTIONS: dict[str, Callable[[DeidentifyingAnswers, Question, Facts], tuple[str, bytes]]] = {
    "refuse": DeidentifyingAnswers._refuse,
    "file meta": DeidentifyingAnswers._file_meta,
    "identity removed": lambda answers, asked, facts: answers._text(asked, b"YES"),
    "dates removed": lambda answers, asked, facts: answers._text(asked, b"REMOVED"),
    "method text": DeidentifyingAnswers._method_text,
    "encrypted attributes": DeidentifyingAnswers._encrypted_attributes,
    "method codes": DeidentifyingAnswers._method_codes,
}


# ---- what is let through ---------------------------------------------------------------------------------------


def _check_directory(facts: Facts) -> None:
    """R20: a DICOMDIR has to be made anew from the de-identified files, not edited."""
    has_records = any(tag == _DIRECTORY_RECORD_SEQUENCE for tag, *_rest in facts.watched)
    is_directory = _MEDIA_STORAGE_DIRECTORY in (facts.sop_class, facts.media_sop_class)
    if is_directory or (has_records and facts.sop_class is None):
        raise Refused("dicomdir", "a DICOMDIR: build a new one from the de-identified files instead")


def _check_overlays(facts: Facts, leave: Leave) -> None:
    """Overlay bits in Pixel Data are copied with it: an overlay group that has none of its own data elsewhere."""
    with_data = {
        tag >> 16
        for tag, parent, _item, value in facts.watched
        if tag & 0xFF00FFFF == _OVERLAY_DATA and not parent and value != b""
    }
    for tag, parent, _item, value in facts.watched:
        if tag & 0xFF00FFFF != _OVERLAY_BIT_POSITION or parent or leave.embedded_overlays:
            continue
        if tag >> 16 not in with_data and (value is None or any(value)):
            raise Refused(
                "embedded-overlay",
                "overlay bits may be embedded in Pixel Data (Overlay Bit Position is not 0 and there is no Overlay "
                "Data); --allow-embedded-overlays lets them through",
            )
