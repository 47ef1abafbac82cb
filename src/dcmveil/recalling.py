"""What is remembered from one object to the next: of a series nearly everything that is decided.

It makes no difference to what an object becomes, which is a test. What is remembered of Values is of one subject, what
is remembered of questions of one SOP Class; an object that asks what another has asked gets its answers as a whole.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from dcmveil._answered import Answered, answer_values, likeness, tally
from dcmveil._plan import Plan
from dcmveil.basis import Basis, Said, Settled
from dcmveil.iods import ACTIONS
from dcmveil.questions import INSERTED, Answers, Facts, Question
from dcmveil.renewing import VALUE_ACTIONS, Renewal
from dcmveil.rules import Rule

__all__ = ["CLEANING", "Recalling"]

_MOST_COMMON = 4096  # bytes of what objects have in common that is remembered
_MOST_ASKED = 1 << 13  # bytes of all questions of an object, of which each has 32 and what is remembered 300 more
_LONG = 1024  # bytes of a Value that is not remembered
_UNKNOWN = b"?"  # by identity
# Rules whose answers depend on the question and the SOP Class only, and those whose Values on the subject only.
_MEMORABLE = frozenset(
    {
        *ACTIONS,
        *VALUE_ACTIONS,
        "retain",
        "content value",
        "content ordinary",
        "identity removed",
        "dates",
        "method text",
    }
)
CLEANING = frozenset({"clean", "clean identity"})
_GOING = ("remove", "replace")

_Answer = tuple[str, bytes]


class Recalling(Answers):
    """Answers to one object that need not be found anew where they are known; how they are found is for a subclass."""

    def __init__(self, basis: Basis) -> None:
        self._basis = basis
        self._compiled = basis.compiled
        self._rules: dict[int, Rule] = {}  # by question, where it is not simply that of the table
        self._chosen: dict[int, Rule] = {}  # by number, for those with conditions
        self._resolved: dict[int, str] = {}
        self._instance: Question | None = None
        self._refers_to_items = False
        self._shifts = False  # dates
        self._kind = 0  # the number of what is settled, if it is
        self._gone: set[int] = set()  # of the top level
        self._problems_met = 0

    @abstractmethod
    def _begin(self, facts: Facts) -> None:
        """Before the answers of a round."""

    @abstractmethod
    def _decide(self, asked: Question, facts: Facts) -> _Answer:
        """Decision for one question that nothing is remembered of."""

    @abstractmethod
    def _new_element(self, asked: Question, rule: Rule, value: bytes, uses: int) -> bytes | None:
        """The element for one Value that nothing is remembered of."""

    @abstractmethod
    def _renewing(self) -> Renewal:
        """What new Values of this object are made with. ValueError if nothing has begun."""

    def facts(self, plan: Plan, transfer_syntax: str) -> Facts:
        """Files of a series mostly differ in their SOP Instance UIDs only."""
        key = likeness(plan), transfer_syntax
        if plan.size is None or len(key[0]) > _MOST_COMMON:
            return super().facts(plan, transfer_syntax)
        known = self._basis.alike.find(key)
        return known.of_another(plan) if known else self._basis.alike.keep(key, super().facts(plan, transfer_syntax))

    def settle(self, plan: Plan, facts: Facts) -> Mapping[int, Question]:
        """Objects of one SOP Class and of one make ask the same, so most is decided once for all of them."""
        kind = plan.asked(), facts.sop_class
        is_memorable = 0 < len(kind[0]) <= _MOST_ASKED
        known = self._basis.settled.find(kind) if is_memorable else None
        if known is None:
            asked = super().settle(plan, facts)
            self._kind = self._basis.settled.keep(kind, self._settled(asked, facts, plan)).number if is_memorable else 0
            return asked
        self._begin(facts)
        self._kind, self._shifts = known.number, known.shifts
        self._refers_to_items, self._instance = known.refers_to_items, known.instance
        self._resolved, self._rules, self._gone = dict(known.letters), dict(known.rules), set(known.gone)
        known.decided.give(plan)
        for question in known.rest:
            plan.answer(question.key, *self.answer(question, facts))
        return known.asked

    def _settled(self, asked: Mapping[int, Question], facts: Facts, plan: Plan) -> Settled:
        """What of it all other objects can have as well."""
        find = self._basis.answered.find
        said = {key: find((question[1:], facts.sop_class)) for key, question in asked.items()}
        decided = {key: known for key, known in said.items() if known is not None}
        return Settled(
            next(self._basis.numbers),
            asked,
            Answered(plan, decided),
            [question for key, question in asked.items() if key not in decided],
            {key: known[2] for key, known in decided.items() if known[2] is not None},
            {key: known[3] for key, known in decided.items() if known[3] is not None},
            {asked[key].tag for key, known in decided.items() if known[0] in _GOING and not asked[key].parent},
            self._refers_to_items,
            self._instance,
            self._shifts,
        )

    def counts(self, plan: Plan) -> Mapping[tuple[str, str], int]:
        """Made once for all objects that come to the same."""
        if self._chosen:
            return super().counts(plan)
        kind = tally(plan)
        return self._basis.counted.find(kind) or self._basis.counted.keep(kind, super().counts(plan))

    def _rule(self, number: int, key: int = 0) -> Rule:
        return self._rules.get(key) or self._chosen.get(number) or self._compiled.rules[number]

    def answer(self, asked: Question, facts: Facts) -> _Answer:
        """Decision for one question, and the replacement."""
        kind = (asked[1:], facts.sop_class)
        known = self._basis.answered.find(kind)
        if known is None:
            decision, data = self._decide(asked, facts)
            action = self._compiled.rules[asked.rule].action
            if action in _MEMORABLE or (action == "method codes" and asked.kind == INSERTED):
                said = decision, data, self._resolved.get(asked.key), self._rules.get(asked.key)
                self._basis.answered.keep(kind, said)
        else:
            decision, data = self._recall(asked.key, known)
        if decision in _GOING and not asked.parent:
            self._gone.add(asked.tag)
        if decision == "values" and self._rule(asked.rule, asked.key).action == "shift":
            self._shifts = True
        return decision, data

    def _recall(self, key: int, known: Said) -> _Answer:
        """What has been decided of an object of the same SOP Class."""
        decision, data, letter, rule = known
        if letter is not None:
            self._resolved[key] = letter
        if rule is not None:
            self._rules[key] = rule
        return decision, data

    # -- Values --

    def answer_values(self, plan: Plan, asked: Mapping[int, Question]) -> None:
        """What is remembered of the subject is looked up by the number of what is settled, not by the question."""
        kind, renewed = self._kind, self._renewing().subject.renewed
        if not kind:
            super().answer_values(plan, asked)
            return

        def ask(key: int, value: bytes, uses: int) -> bytes | None:
            new = self.value(asked[key], value, uses)
            return renewed.keep((kind, key, value), new) if (asked[key], value) in renewed.entries else new

        answer_values(plan, renewed.entries, kind, ask)

    def value(self, asked: Question, value: bytes, uses: int) -> bytes | None:
        """The element for one captured Value, None to leave it as it is."""
        renewal, kind = self._renewing(), (asked, value)
        renewed = renewal.subject.renewed
        found = renewed.find(kind, _UNKNOWN)
        if found is not _UNKNOWN:
            return found
        rule = self._rule(asked.rule, asked.key)
        if len(value) > _LONG or rule.action not in self._basis.repeatable or asked.rule in self._chosen:
            return self._new_element(asked, rule, value, uses)
        if rule.action in CLEANING and renewal.leaves(rule, value):
            return renewed.keep(kind, None)
        problems = self._problems_met
        new = self._new_element(asked, rule, value, uses)
        return renewed.keep(kind, new) if self._problems_met == problems else new  # each has to be told
