"""Resolver: answers the questions of a Plan, once the whole header is known.

The one way into Python. It is asked once per kind of element (rule, tag, parent Sequence, VR, encoding), and once
per distinct Value where the answer depends on that; never from within the scanning loop. What the answers are is the
policy's business.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcmveil._planner import Planner
from dcmveil.questions import Answers, Facts, Question

__all__ = ["Resolver"]

_ALIGNED_WITHIN = 1 << 20  # bytes


class Resolver:
    """Answers for one object, in one round or in several (see `Planner.cut`)."""

    def __init__(self, planner: Planner, answers: Answers) -> None:
        self._planner = planner
        self._answers = answers
        self._asked: Mapping[int, Question] = {}
        self._facts: Facts | None = None  # once the input is at its end

    def facts(self) -> Facts:
        """What is known of the object so far."""
        if self._facts is not None:
            return self._facts
        facts = self._answers.facts(self._planner.plan, self._planner.transfer_syntax or "")
        if self._planner.plan.size is not None:
            self._facts = facts
        return facts

    def is_ready(self) -> bool:
        """Is enough known to answer before the end of the input as one would at its end?"""
        return self._answers.is_ready(self.facts())

    def answer(self) -> None:
        """Answer all open questions and settle the Plan up to its cut.

        Raises Refused for an object that the policy does not let through, LimitExceeded if a replacement does not fit.
        """
        facts = self.facts()
        plan = self._planner.plan
        asked = self._answers.settle(plan, facts)
        self._asked = {**self._asked, **asked} if self._asked else asked
        self._answers.answer_values(plan, self._asked)
        plan.settle()
        self._answers.check_done(plan)

    def may_write(self) -> bool:
        """Is it known by now whether and where there is bulk that decides on the pad in the File Meta Information?"""
        plan = self._planner.plan
        return plan.first_bulk > 0 or plan.size is not None or self._planner.position > _ALIGNED_WITHIN

    def align(self, place: int = 0, size: int = 0) -> bool:
        """Have long Values stand at offsets that are congruent to those in the input modulo 4096, as kernels want it to
        copy or share them. It depends on the object alone: the first of 1 MiB or more has to begin within its first
        MiB. The replacement of the question `place` is taken to have `size` bytes. To be called when all is settled
        and nothing has been written. Is it of consequence?
        """
        plan = self._planner.plan
        if not 0 < plan.first_bulk <= _ALIGNED_WITHIN or self._planner.deflated:
            return False
        amended = self._answers.aligned(plan.growth_before(plan.first_bulk, place, size))
        if amended is None:
            return False
        plan.amend(*amended)
        return True

    def asked(self) -> list[Question]:
        """All questions so far."""
        return list(self._asked.values())
