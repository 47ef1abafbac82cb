"""What the answers for all objects of one Policy have in common, and what is remembered from one object to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from dcmveil._answered import Answered
from dcmveil.admitting import Terms
from dcmveil.memos import Memo
from dcmveil.options import Options
from dcmveil.questions import Facts, Question
from dcmveil.renewing import VALUE_ACTIONS
from dcmveil.rules import Rule
from dcmveil.subjects import Means

if TYPE_CHECKING:
    from dcmveil.compiling import Compiled

__all__ = ["Basis", "Said", "Settled"]

_MOST_ANSWERS = 4096
_MOST_SETTLED = 256
_MOST_ALIKE = 64
_REPEATABLE = frozenset(VALUE_ACTIONS) - {"call"}

# The answer, the letter of a compound action, and the rule if it is not that of the table.
Said = tuple[str, bytes, str | None, Rule | None]


class Settled(NamedTuple):
    """What has been decided for an object, for all that ask the same; `rest` has to be decided for each."""

    number: int
    asked: Mapping[int, Question]
    decided: Answered
    rest: Sequence[Question]
    letters: Mapping[int, str]
    rules: Mapping[int, Rule]
    gone: Collection[int]
    refers_to_items: bool
    instance: Question | None
    shifts: bool


class Basis:
    """What the answers for all objects of a Policy have in common, and what can be remembered from one to the next.

    `terms` is None if any object may pass. May be used by several threads."""

    def __init__(self, compiled: Compiled, means: Means, options: Options, terms: Terms | None) -> None:
        self.compiled = compiled
        self.means = means
        self.options = options
        self.is_admitted = terms is None
        self.terms = terms or Terms()
        actions = {rule.action for rule in compiled.rules}
        self.shifts = "shift" in actions
        self.needs_patient = self.shifts or "pseudonym" in actions
        self.refusing = [number for number, rule in enumerate(compiled.rules) if rule.action == "refuse"]
        # What always comes to the same for a subject, with nothing else to be noted.
        self.repeatable = _REPEATABLE - ({"U", "pseudonym", "hash"} if self.terms.records_pairs else set())
        self.answered: Memo[tuple[tuple[int, ...], bytes | None], Said] = Memo(_MOST_ANSWERS)
        self.settled: Memo[tuple[bytes, bytes | None], Settled] = Memo(_MOST_SETTLED)
        self.alike: Memo[tuple[bytes, str], Facts] = Memo(_MOST_ALIKE)
        self.counted: Memo[bytes, Mapping[tuple[str, str], int]] = Memo(_MOST_SETTLED)
        self.numbers = count(1)  # of what is settled

    def __repr__(self) -> str:
        return "Basis(...)"
