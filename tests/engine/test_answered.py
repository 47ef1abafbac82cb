"""Answers that are given to Plans that ask the same, and what makes two objects alike."""

from __future__ import annotations

import pytest

from dcmveil import Policy
from dcmveil._answered import Answered, answer_values, first_value, likeness, tally
from dcmveil._plan import Plan
from dcmveil.errors import LimitExceeded
from tests.engine.support import SECRET, feed
from tests.engine.test_out_of_turn import asked, planned, settled
from tests.hostile.forms import EXPLICIT as E
from tests.hostile.forms import INSTANCE

UIDS = (E.element(0x0020000D, "UI", "2.999.1"), E.element(0x0020000E, "UI", "2.999.2"))


def keys_of(plan: Plan) -> list[int]:
    return [key for key, *_rest in plan.questions()]


def test_what_was_answered_is_given_as_a_whole() -> None:
    first, other = asked(), asked()
    keys = keys_of(first)
    for key in keys:
        first.answer(key, "replace", b"\x10\0\x20\0LO%c\0" % (key % 7 * 2) + b"x" * (key % 7 * 2))
    answered = Answered(first, keys)
    answered.give(other)
    assert other.pending() == []
    assert first.settle() == other.settle()
    assert first.segments() == other.segments()
    assert "x" not in repr(answered).partition("object")[0]


def test_answers_are_of_questions_that_have_some() -> None:
    plan = asked()
    keys = keys_of(plan)
    with pytest.raises(ValueError, match="a question without an answer"):
        Answered(plan, keys)
    with pytest.raises(ValueError, match="no such question"):
        Answered(plan, [max(keys) + 1])
    for key in keys:
        plan.answer(key, "remove")
    answered = Answered(plan, keys)
    with pytest.raises(ValueError, match="no such question"):
        answered.give(planned(Policy(secret=SECRET), E.file(UIDS[0])).plan)
    with pytest.raises(ValueError, match="the plan is settled"):
        answered.give(settled())


def test_what_does_not_fit_is_a_limit() -> None:
    plan = asked()
    for key in (keys := keys_of(plan)):
        plan.answer(key, "replace", bytes(1 << 12))
    policy = Policy(secret=SECRET)
    planner = type(policy.planner())(policy.compiled.table, max_held=1 << 12)
    feed(planner, E.file(E.common() + b"".join(UIDS)))
    planner.finish()
    with pytest.raises(LimitExceeded):
        Answered(plan, keys).give(planner.plan)


def test_known_values_are_not_asked_for() -> None:
    plan = asked(UIDS[0] + UIDS[1])
    for key in keys_of(plan):
        plan.answer(key, "values")
    waiting = {(key, value): uses for _index, key, value, uses in plan.values()}
    (key, value), *_others = sorted(waiting)
    said = []

    def ask(key: int, value: bytes, uses: int) -> None:
        said.append((key, value, uses))

    answer_values(plan, {(7, key, value): b"", (8, key, b"another"): b"never"}, 7, ask)
    assert said == [(*each, uses) for each, uses in waiting.items() if each != (key, value)]
    assert list(plan.values()) == []
    plan.settle()
    with pytest.raises(ValueError, match="the plan is settled"):
        answer_values(plan, {}, 7, ask)
    assert tally(plan) == tally(plan) != tally(settled())


def test_an_answer_is_bytes_or_none() -> None:
    plan = asked()
    for key in keys_of(plan):
        plan.answer(key, "values")
    with pytest.raises(TypeError):
        answer_values(plan, {}, 1, lambda _key, _value, _uses: "text")  # type: ignore[arg-type, return-value]


def like(data: bytes) -> bytes:
    return likeness(planned(Policy(secret=SECRET, verifies=True), E.file(data)).plan)


def test_objects_are_alike_that_differ_in_their_sop_instance_uids_only() -> None:
    common = E.common() + E.element(0x00100020, "LO", "VEILME")
    assert like(common) == like(common.replace(INSTANCE.encode(), INSTANCE.encode()[:-1] + b"9"))
    assert like(common) != like(E.common() + E.element(0x00100020, "LO", "VEILED"))
    assert like(common) != like(common + E.element(0x0020000D, "UI", "2.999.1"))


def test_the_first_value_of_a_tag_is_without_padding() -> None:
    plan = planned(Policy(secret=SECRET), E.file(E.common() + E.element(0x00100020, "LO", " VEILME "))).plan
    assert first_value(plan, 0x00100020) == b"VEILME"
    assert first_value(plan, 0x00100010) is None
