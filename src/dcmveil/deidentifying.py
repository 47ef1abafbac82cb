"""What the De-identifier answers: the actions of Table E.1-1a, and what it sets itself (PS3.15 E.1.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from functools import cache
from typing import TYPE_CHECKING

from dcmveil import provenance
from dcmveil.admitting import ENCRYPTED, check_admitted, check_risks
from dcmveil.basis import Basis
from dcmveil.dummies import dummy_element
from dcmveil.encode import ENCODINGS, encode_element, encode_item, encode_sequence
from dcmveil.errors import Refused
from dcmveil.iods import resolve
from dcmveil.privates import CHARACTERISTICS, revised
from dcmveil.questions import (
    CONTAINED,
    CONTENT_ITEM,
    IMPLICIT,
    INSERTED,
    LEAF,
    Facts,
    Question,
    has_right_vr,
    is_value,
    vr_of_input,
    written_vr,
)
from dcmveil.recalling import CLEANING, Recalling
from dcmveil.renewing import VALUE_ACTIONS, Renewal, Unfit
from dcmveil.report import Remarks
from dcmveil.rules import Rule
from dcmveil.structured import goes, value_rule
from dcmveil.subjects import PATIENT_ID
from dcmveil.uids import is_well_formed

if TYPE_CHECKING:
    from dcmveil._plan import Plan
    from dcmveil._private import PrivateTable
    from dcmveil.risks import Risk

__all__ = ["DeidentifyingAnswers"]

_METHOD_CODE_SEQUENCE = 0x00120064
_REFERENCED_ITEM = 0x0040DB73
_SOP_INSTANCE_UID = 0x00080018
_MOST_WATCHED = 2048  # nested elements; of those that follow nothing is known

_BLOCK = 4096  # bytes: what kernels share and copy as a whole
_NO_REMARKS = Remarks()

_Answer = tuple[str, bytes]


class DeidentifyingAnswers(Recalling):
    """For one object, in one round or in several."""

    def __init__(self, basis: Basis, *, file_meta: bool = True) -> None:
        super().__init__(basis)
        self._means = basis.means
        self._options = basis.options
        self._terms = basis.terms
        self._renewal: Renewal | None = None
        self._has_file_meta = file_meta
        self._file_meta_of: tuple[int, bytes | None, bytes | None, str] | None = None
        self._pad = 0
        self._problems: Counter[tuple[str, str]] = Counter()
        self._pairs: list[tuple[str, str]] = []

    # -- what a Resolver asks --

    def is_ready(self, facts: Facts) -> bool:
        """Later on, nothing could be learnt that answers depend on."""
        if self._basis.is_admitted:
            return True  # nothing is asked
        has_patient = PATIENT_ID in facts.first or not self._basis.needs_patient
        if self._terms.waits or _has_characteristics(facts) or not has_patient:
            return False
        return None not in (facts.sop_class, facts.sop_instance) and self._is_let_through(facts)

    def _is_let_through(self, facts: Facts) -> bool:
        """As far as can be seen: what may have to be refused in the end is not begun to be written."""
        try:
            check_admitted(facts, self._terms)
        except Refused:
            return False
        return True

    def own_private(self, facts: Facts) -> PrivateTable | None:
        """What the object says of its private elements (PS3.15 E.3.10)."""
        privates = self._compiled.privates
        if privates is None or not privates.safe or not _has_characteristics(facts):
            return None
        if len(facts.watched) >= _MOST_WATCHED:
            return privates.table(())
        return privates.table(revised(privates.safe, facts.watched, facts.order))

    def begin(self, facts: Facts, asked: list[Question]) -> None:
        """Before the answers of a round. Raises Refused, at the end of the input, for what is not let through."""
        self._begin(facts)
        references = (question for question in asked if question.tag == _REFERENCED_ITEM)
        self._refers_to_items |= any(map(has_right_vr, references))  # what goes refers to nothing
        tops = (question for question in asked if question.tag == _SOP_INSTANCE_UID and not question.parent)
        self._instance = self._instance or next(tops, None)

    def _begin(self, facts: Facts) -> None:
        if facts.is_whole and not self._basis.is_admitted and "admitted" not in facts.common:
            check_admitted(facts, self._terms)
            facts.common["admitted"] = True
        self._renewal = Renewal(facts, self._means, self._pairs if self._terms.records_pairs else None)

    def check_done(self, plan: Plan) -> None:
        """Raises Refused if an Encrypted Attributes Sequence is left that should not be."""
        if any(plan.count(rule, "keep") for rule in self._basis.refusing):
            raise Refused("encrypted-attributes", ENCRYPTED)

    def risks(self, facts: Facts, segments: Callable[[], Collection[str]]) -> tuple[Risk, ...]:
        """What headers cannot settle, if that is asked for. Raises Refused if it is not to pass."""
        if not self._terms.assesses_risks:
            return ()
        from dcmveil.risks import PRESENCE, WATCHED, risks_of, segment_risks

        values = {tag: value for tag, parent, _item, value in reversed(facts.watched) if not parent}
        kept = values.keys() - self._gone - self._compiled.removed
        told = {tag: value for tag, value in values.items() if tag in WATCHED or tag in PRESENCE}
        found = risks_of(told, kept=kept, transfer_syntax=facts.transfer_syntax) + segment_risks(segments())
        if self._terms.refuses_risks:
            check_risks(found)
        return found

    def remarks(self) -> Remarks:
        """What stood in the way, the pairs for a map, and whose dates these are."""
        renewal = self._renewal
        said = renewal.subject.remarks_on_dates() if self._shifts and renewal is not None else ()
        made = renewal.subject.made if renewal is not None else ()
        if not (self._problems or self._pairs or said or made):
            return _NO_REMARKS
        return Remarks(dict(self._problems), tuple(self._pairs), said, made)

    def action(self, key: int, rule: int) -> str:
        """The action of a rule; of X/Z/D the letter that was taken."""
        return self._resolved.get(key) or self._rule(rule, key).action

    def reason(self, key: int, rule: int) -> str:
        """Why: of rules with conditions that of the one whose conditions are met."""
        return self._rule(rule, key).reason

    def _decide(self, asked: Question, facts: Facts) -> _Answer:
        rule = self._rule_for(asked, facts)
        own = _OWN_ACTIONS.get(rule.action)
        if own is not None:
            return own(self, asked, facts, rule)
        if rule.action in VALUE_ACTIONS:
            return self._by_value(asked, facts, rule)
        self._resolved[asked.key] = resolve(rule.action, facts.iod_sop_class, asked.parent, asked.tag)
        return self._standard(asked, self._resolved[asked.key])

    def _rule_for(self, asked: Question, facts: Facts) -> Rule:
        """The rule of a question, once conditions and the name of a Content Item are taken into account."""
        rule = self._rule(asked.rule)
        if rule.action == "choice":
            choices, otherwise = rule.detail
            met = (one for conditions, one in choices if all(test.holds(facts.text(test.tag)) for test in conditions))
            rule = self._chosen[asked.rule] = next(met, otherwise)
        if rule.action in ("content value", "content ordinary") and self._means.contents is not None:
            rule = self._rules[asked.key] = value_rule(rule, asked, self._means.contents, self._options)
        return rule

    def _by_value(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """Where it depends on the Value; what is none, or too long to be one, is left to the rule's base."""
        decision, data = self._base(asked, rule.base or "Z")
        if rule.action == "pseudonym" and decision == "remove":
            return decision, data
        fits = is_value(asked) if rule.action in ("U", "pseudonym") else has_right_vr(asked)
        if rule.action == "clean identity" and not fits:  # otherwise it would have been kept
            return "remove", b""
        return ("values", data) if fits else (decision, data)

    def _base(self, asked: Question, action: str) -> _Answer:
        """What takes the place of an action that cannot be done."""
        facts = self._renewing().facts
        return self._standard(asked, resolve(action, facts.iod_sop_class, asked.parent, asked.tag))

    def _standard(self, asked: Question, action: str) -> _Answer:
        """An action of Table E.1-1a, no longer compound."""
        encoding = ENCODINGS[asked.encoding]
        if action in ("U", "Z"):  # what is no Value cannot be mapped
            return "replace", encode_element(encoding, asked.tag, written_vr(asked), b"")
        if action == "D":
            return "replace", dummy_element(encoding, asked.tag, written_vr(asked))
        if action == "descend" and asked.kind == CONTAINED:
            return "keep", b""
        return "remove", b""

    def _new_element(self, asked: Question, rule: Rule, value: bytes, uses: int) -> bytes | None:
        if rule.action == "method text":
            new = provenance.method_text(value, self._options.columns)
        else:
            try:
                new = VALUE_ACTIONS[rule.action](self._renewing(), rule, asked, value)
            except Unfit as unfit:
                return self._unfit(asked, rule, unfit, uses)
        return None if new is None else encode_element(ENCODINGS[asked.encoding], asked.tag, self._vr(asked, rule), new)

    def _unfit(self, asked: Question, rule: Rule, unfit: Unfit, uses: int) -> bytes:
        decision, data = self._base(asked, unfit.base or rule.base or "X")
        self._problems[f"{rule.reason}: {unfit}", decision] += uses
        self._problems_met += 1
        return data if decision == "replace" else b""

    def _vr(self, asked: Question, rule: Rule) -> str:
        """A UID is written as one, also in a private element that does not say so."""
        return "UI" if rule.action == "U" else written_vr(asked)

    def _renewing(self) -> Renewal:
        if self._renewal is None:
            raise ValueError("nothing has begun")
        return self._renewal

    # -- what stays --

    def _retain(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """As it is, if it is what it should be."""
        if asked.kind == CONTAINED or has_right_vr(asked):
            return "keep", b""
        return "remove", b""

    def _content_item(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """A Content Item as a whole."""
        contents = self._means.contents
        if asked.kind != CONTENT_ITEM or contents is None:
            return "keep", b""
        return "remove" if goes(contents, asked, are_counted=self._refers_to_items) else "keep", b""

    def _refuse(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """To be refused if it is still there when all is settled; it may go with what encloses it."""
        return "keep", b""

    # -- what the De-identifier sets --

    def _file_meta(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        sop_class = facts.sop_class or facts.media_sop_class
        if sop_class is not None and not is_well_formed(sop_class):
            sop_class = None
        old = facts.sop_instance or facts.media_sop_instance
        new = None if old is None else self._new_instance(old, facts)
        if not self._has_file_meta:
            return "remove", b""
        self._file_meta_of = asked.key, sop_class, new, facts.transfer_syntax
        return "replace", provenance.file_meta(*self._file_meta_of[1:])

    def aligned(self, growth: int) -> tuple[int, bytes] | None:
        """With the File Meta Information padded. Lengths are even there, so an odd growth cannot be made good for."""
        if self._file_meta_of is None or growth % 2:
            return None
        key, sop_class, sop_instance, syntax = self._file_meta_of
        padding = (self._pad - growth - _least_pad()) % _BLOCK
        self._pad = padding + _least_pad()
        return key, provenance.file_meta(sop_class, sop_instance, syntax, padding)

    def _new_instance(self, old: bytes, facts: Facts) -> bytes:
        """What the SOP Instance UID comes to."""
        if self._instance is None:
            new = old if self._options.retain_uids else (self._means.uids.map_value(old) or old).strip(b"\0")
            if new != old:
                self._renewing().note(old.decode("latin-1"), new.decode("ascii"))
            return new
        rule = self._rule_for(self._instance, facts)
        if rule.action == "replace":
            return str(rule.detail).encode("ascii")
        renew = VALUE_ACTIONS.get(rule.action)
        found = renew(self._renewing(), rule, self._instance, old) if renew is not None else None
        return (found or old).strip(b"\0")

    def _text(self, asked: Question, value: bytes) -> _Answer:
        return "replace", encode_element(ENCODINGS[asked.encoding], asked.tag, written_vr(asked), value)

    def _set(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """A text of the user's own, at top level or wherever a rule finds the element."""
        from dcmveil.values import encode_value  # needed by few

        vr, encoding = written_vr(asked), ENCODINGS[asked.encoding]
        set_here = facts.set_at(asked.set)
        return self._text(asked, encode_value(asked.tag, vr, rule.detail, character_set=set_here, encoding=encoding))

    def _identity_removed(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        return self._text(asked, b"YES")

    def _dates(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        if self._options.retain_full_dates:
            return self._text(asked, b"UNMODIFIED")
        return self._text(asked, b"MODIFIED" if self._basis.shifts else b"REMOVED")

    def _encrypted_attributes(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        """Its place: what goes there is known when all else is settled (`Plan.amend`)."""
        if asked.kind != INSERTED and not self._terms.encrypted:
            raise Refused("encrypted-attributes", ENCRYPTED)
        return "replace", b""

    def _method_text(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        decision, alone = self._text(asked, b"\\".join(provenance.methods(self._options.columns)))
        if asked.kind == LEAF and (asked.vr == IMPLICIT or vr_of_input(asked) == "LO"):
            return "values", alone
        return decision, alone

    def _method_codes(self, asked: Question, facts: Facts, rule: Rule) -> _Answer:
        encoding = ENCODINGS[asked.encoding]
        known = set() if asked.kind == INSERTED else set(filter(self._stays, _codes_in(facts)))
        ours = provenance.codes(self._options.columns)
        items = [provenance.code_content(encoding, *code) for code in ours if code[0] not in known]
        if asked.kind == INSERTED:
            return "replace", encode_sequence(encoding, asked.tag, items)
        return ("replace", b"".join(encode_item(encoding, item) for item in items)) if items else ("keep", b"")

    def _stays(self, code: bytes) -> bool:
        """Will a code that is there be in the output? Where that is not clear it is not relied on."""
        rule = self._compiled.code_value
        if rule is not None and rule.action in CLEANING:
            return self._renewing().is_left(rule, code.decode("latin-1"))
        return rule is not None and rule.action in ("K", "retain")


_Own = Callable[[DeidentifyingAnswers, Question, Facts, Rule], _Answer]
_OWN_ACTIONS: dict[str, _Own] = {
    "refuse": DeidentifyingAnswers._refuse,
    "file meta": DeidentifyingAnswers._file_meta,
    "identity removed": DeidentifyingAnswers._identity_removed,
    "dates": DeidentifyingAnswers._dates,
    "method text": DeidentifyingAnswers._method_text,
    "encrypted attributes": DeidentifyingAnswers._encrypted_attributes,
    "method codes": DeidentifyingAnswers._method_codes,
    "content items": DeidentifyingAnswers._content_item,
    "content reference": DeidentifyingAnswers._retain,
    "K": DeidentifyingAnswers._retain,
    "retain": DeidentifyingAnswers._retain,
    "set": DeidentifyingAnswers._set,
    "replace": DeidentifyingAnswers._set,
}


@cache
def _least_pad() -> int:
    return len(provenance.file_meta(None, None, "", 0)) - len(provenance.file_meta(None, None, ""))


def _has_characteristics(facts: Facts) -> bool:
    return any(parent == CHARACTERISTICS for _tag, parent, _item, _value in facts.watched)


def _codes_in(facts: Facts) -> set[bytes]:
    """The codes of De-identification Methods that the object has already, of scheme DCM."""
    items: dict[int, dict[int, bytes]] = {}
    for tag, parent, item, value in facts.watched:
        if parent == _METHOD_CODE_SEQUENCE:
            items.setdefault(item, {}).setdefault(tag, value or b"")
    return set(filter(None, map(provenance.our_code, items.values())))
