"""The engine called out of turn, or with less room than an object needs: an error, and never a part of an output."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from dcmveil import Policy
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil.errors import LimitExceeded
from dcmveil.resolver import Resolver
from tests.engine import starving
from tests.engine.starving import ALL
from tests.engine.support import SECRET, execute, feed
from tests.hostile.forms import EXPLICIT as E

NAME = E.element(0x00100010, "PN", "VEILME^ONE")
UID = E.element(0x0020000D, "UI", "2.999.1")
OTHER_UID = E.element(0x0020000D, "UI", "2.999.2")
SPECIAL = dict.fromkeys(("private", "unknown", "group_length", "vr", "duplicate", "member", "meta"), 0)


def planned(policy: Policy, data: bytes) -> Planner:
    planner = policy.planner()
    feed(planner, data)
    planner.finish()
    return planner


def asked(data: bytes = NAME + UID) -> Plan:
    """A Plan with questions, and with Values of these."""
    return planned(Policy(secret=SECRET), E.file(E.common() + data)).plan


def settled(data: bytes = NAME + UID) -> Plan:
    planner = planned(policy := Policy(secret=SECRET), E.file(E.common() + data))
    resolver = Resolver(planner, policy.answers())
    resolver.answer()
    resolver.align()
    return planner.plan


def test_a_question_is_answered_before_all_is_settled_and_if_there_is_one() -> None:
    plan = asked()
    last = max(key for key, *_rest in plan.questions())
    for key in (0, last + 1000):
        with pytest.raises(ValueError, match="no such question"):
            plan.answer(key, "remove")
        with pytest.raises(ValueError, match="no such question"):
            plan.amend(key, b"")
    for index in (-1, 1000):
        with pytest.raises(ValueError, match="no such Value"):
            plan.answer_value(index, b"")
    plan = settled()
    with pytest.raises(ValueError, match="the plan is settled"):
        plan.answer(last, "remove")
    with pytest.raises(ValueError, match="the plan is settled"):
        plan.answer_value(0, b"")


def test_nothing_is_written_before_every_question_is_answered() -> None:
    plan = asked()
    keys = [key for key, *_rest in plan.questions()]
    assert plan.pending() == keys
    steps: list[Callable[[], object]] = [
        plan.settle,
        plan.script,
        plan.originals,
        lambda: plan.growth_before(0),
    ]
    for step in steps:
        with pytest.raises(ValueError, match=r"settle first|questions left"):
            step()
    for key in keys:
        plan.answer(key, "values")
    assert plan.pending() == [index for index, *_rest in plan.values()] != []
    with pytest.raises(ValueError, match="questions left"):
        plan.settle()
    with pytest.raises(ValueError, match="questions left, or settled before"):
        settled().settle()


def test_a_value_too_long_to_be_captured_goes_unless_something_replaces_it() -> None:
    data = E.file(E.common() + UID)
    for replacement in (b"", OTHER_UID):
        planner = Planner(Policy(secret=SECRET).compiled.table, capture_limit=4)
        feed(planner, data)
        plan = planner.finish()
        assert list(plan.values()) == []
        for key, _rule, tag, *_rest in plan.questions():
            plan.answer(key, "values", replacement if tag == 0x0020000D else b"")
        plan.settle()
        output = execute(data, plan.segments())
        assert UID not in output
        assert (OTHER_UID in output) == bool(replacement)


def test_only_a_replacement_at_top_level_is_amended_and_only_before_it_is_written() -> None:
    plan = settled()
    keys = {key: decision for _steps, _tag, _rule, key, decision, *_rest in plan.edits()}
    removed = [key for key, decision in keys.items() if decision == "remove"]
    replaced = [key for key, decision in keys.items() if decision == "replace"]
    for key in removed:
        with pytest.raises(ValueError, match="not a replacement at top level"):
            plan.amend(key, b"")
    plan.amend(replaced[0], UID)
    plan.script()
    with pytest.raises(ValueError, match="written already"):
        plan.amend(replaced[0], UID)


def test_what_has_been_dropped_cannot_be_said_again() -> None:
    policy = Policy(secret=SECRET)
    planner = planned(policy, E.file(E.common() + NAME + UID))
    with pytest.raises(ValueError, match="only what has been settled"):
        planner.drop()
    planner.cut()
    resolver = Resolver(planner, policy.answers())
    resolver.answer()
    resolver.align()
    planner.plan.segments()
    planner.drop()
    with pytest.raises(ValueError, match="some of it has been dropped"):
        planner.plan.restart()
    planner.plan.settle()
    with pytest.raises(ValueError, match="only before anything is written"):
        planner.plan.growth_before(0)


def test_a_planner_that_holds_edits_lets_nothing_flow() -> None:
    planner = Policy(secret=SECRET).planner()
    assert planner.transfer_syntax is None
    feed(planner, E.file(E.common() + NAME))
    assert not planner.is_idle
    with pytest.raises(ValueError, match="there are edits to be written"):
        planner.flow()


def test_what_is_made_is_made_once() -> None:
    table = RuleTable(behaviours=["keep"], special=SPECIAL)
    private = PrivateTable([], sequences=None)
    planner = Planner(table)
    with pytest.raises(ValueError, match="made before"):
        table.__init__(behaviours=["keep"], special=SPECIAL)  # type: ignore[misc]
    with pytest.raises(ValueError, match="made before"):
        private.__init__([], sequences=None)  # type: ignore[misc]
    with pytest.raises(ValueError, match="a Planner plans one object"):
        planner.__init__(table)  # type: ignore[misc]


def test_tables_say_what_does_not_fit_into_them() -> None:
    with pytest.raises(ValueError, match="too many rules"):
        RuleTable(behaviours=["keep"] * 5000, special=SPECIAL)
    for concepts in ({b"A" * 300: 2}, {b"A": 0}, {b"A": 1 << 16}):
        with pytest.raises(ValueError, match="too long, or its number out of range"):
            RuleTable(behaviours=["keep"], special=SPECIAL, concepts=concepts)


# ---- less room than is needed ------------------------------------------------------------------------------------

OBJECTS = [starving.wide, starving.deep, starving.private, starving.report, starving.image]


@pytest.mark.parametrize("make", OBJECTS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("limit", ["max_edits", "max_held"])
def test_one_edit_or_byte_too_few_is_an_error_wherever_it_is_missed(make: Callable[[], bytes], limit: str) -> None:
    """The least that will do is found, and whatever is less will not; what is written is always the same."""
    data, policy = make(), Policy(secret=SECRET, options=ALL)

    def written(**limits: int) -> bytes | None:
        tables = policy.compiled
        planner = Planner(tables.table, private=tables.private_table, hold_limit=64, **limits)
        try:
            feed(planner, data)
            planner.finish()
            resolver = Resolver(planner, policy.answers())
            resolver.answer()
            resolver.align()
            return execute(data, planner.plan.segments())
        except LimitExceeded:
            return None

    expected = written()
    enough = next(1 << power for power in range(24) if written(**{limit: 1 << power}) is not None)
    found = [written(**{limit: most}) for most in range(0, enough, max(1, enough // 64))]
    assert found[0] is None
    assert found == sorted(found, key=lambda output: output is not None)
    assert {output for output in found if output is not None} <= {expected}


def test_a_script_said_in_pieces_of_any_size_is_the_same() -> None:
    """Delimiters that are still to be said at the end of the input are not passed over: the last edit is nested."""
    uid = E.element(0x00081155, "UI", "2.999.1")
    sequence = E.sequence(0x00081115, E.item(E.sequence(0x00081140, E.item(uid))))
    data = E.file(E.common() + sequence + E.element(0x00200010, "SH", "behind it"))
    table = RuleTable(behaviours=["keep", "remove"], special=SPECIAL, overrides=[(0x00081155, 0xFFFFFFFF, 1)])
    planner = Planner(table, hold_limit=0)
    feed(planner, data)
    plan = planner.finish()
    for key, *_rest in plan.questions():
        plan.answer(key, "remove")
    plan.settle()
    whole = plan.script(1 << 20)
    for limit in range(1, 80):
        plan.restart()
        said = execute(data, segments_of(b"".join(iter(lambda limit=limit: plan.script(limit), b""))))  # type: ignore[misc]
        assert said == execute(data, segments_of(whole)), limit


def segments_of(script: bytes) -> list[tuple[str, int, int] | tuple[str, bytes]]:
    """The records of a script."""
    found: list[tuple[str, int, int] | tuple[str, bytes]] = []
    at = 0
    while at < len(script):
        head, second = struct.unpack("=QQ", script[at : at + 16].ljust(16, b"\0"))
        if head >> 63:
            start = head & ~(1 << 63)
            found.append(("copy", start, start + second))
            at += 16
        else:
            found.append(("data", script[at + 8 : at + 8 + head]))
            at += 8 + head
    return found
