"""Scanner, Planner and Plan on any bytes, with any answers: the fast target.

Questions are answered by a hash of what they are about, so that two Planners that have seen the same give the same.
An object in pieces must end as the whole does, with the same output or the same error; so must one that is written in
rounds. A script must go through the input in order and be as long as was said, and what comes out must be readable.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from dcmveil import Limits, Policy
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil._tables import dictionary_vr
from dcmveil.editing import Edits
from dcmveil.errors import DcmveilError, LimitExceeded
from dcmveil.reidentifying import locating
from dcmveil.rulesfile import load_rules
from tests.fuzz.inputs import HEAD, Choices, chosen
from tests.fuzz.terms import CLEANS, DEFLATED, OPERATIONS, RETAINS, RULES, SECRET

FILE_META = 0x00020000
NO_VR = 0xFF
MOST_PIECES = 32


class Table(NamedTuple):
    """What a Planner goes by; of one that `removes` what it does not know, whatever comes out can be read."""

    rules: RuleTable
    private: PrivateTable | None
    removes: bool


def _of(policy: Policy, *, removes: bool = True) -> Table:
    return Table(policy.compiled.table, policy.compiled.private_table, removes)


def _tables() -> list[Table]:
    terms: dict[str, Any] = {"secret": SECRET, "existing_encrypted": "keep", "allow_embedded_overlays": True}
    return [
        _of(Policy(**terms)),
        _of(Policy(options=CLEANS, **terms)),
        _of(Policy(options=RETAINS, **terms)),
        _of(Policy(options=CLEANS, rules=load_rules(RULES), **terms)),
        Table(Edits(OPERATIONS)._editing._table, None, removes=False),
        Table(locating(), None, removes=False),
        _of(Policy.identity(), removes=False),
    ]


TABLES = _tables()
_LIMITS = [
    Limits(),
    Limits(hold_limit=0),
    Limits(hold_limit=40),
    Limits(max_depth=3),
    Limits(max_edits=8),
    Limits(max_held=64),
    Limits(max_depth=2, max_edits=5, max_held=40, hold_limit=10),
    Limits(max_held=300, hold_limit=1000),
]
LIMITS = [limits._asdict() for limits in _LIMITS]
IN_ROUNDS = [limits._replace(drain_at=1)._asdict() for limits in _LIMITS]


def one(data: memoryview) -> None:
    """One execution."""
    if len(data) <= HEAD:
        return
    choices, body = chosen(data)
    table = TABLES[choices.kind % len(TABLES)]
    limits = LIMITS[choices.variant & 7]
    whole = Course(choices, table, limits, len(body), len(body))
    whole.see(body)
    if choices.seed & 1:
        pieces = Course(choices, table, limits, choices.step, len(body))
        pieces.see(body)
        assert pieces.end == whole.end, (whole.end, pieces.end)
    if choices.seed & 6 == 2:
        rounds = Rounds(choices, table, IN_ROUNDS[choices.variant & 7], choices.step, len(body))
        rounds.see(body)
        # What is held at a time is less, so that no limit may be reached, or one only that comes later.
        assert whole.limited or rounds.limited or rounds.end == whole.end, (whole.end, rounds.end)
    if choices.seed & 6 == 4 and table.removes and whole.output is not None:
        whole.reread()


class Course:
    """One object through one Planner, in pieces of `step` bytes; what it ends with is its output or its error."""

    __slots__ = ("asked", "choices", "end", "limited", "needed", "output", "parts", "planner", "step")

    def __init__(self, choices: Choices, table: Table, limits: dict[str, Any], step: int, size: int) -> None:
        self.choices = choices
        self.step = max(step, size // MOST_PIECES + 1)
        self.limited = False
        self.needed = 0  # of what is written in rounds: what comes before will not be asked for any more
        self.output: bytes | None = None
        self.end: object = None
        self.parts: list[bytes | memoryview] = []
        self.asked: dict[int, tuple[int, bool]] = {}  # encoding of what a question is about, may it stay?
        self.planner = Planner(
            table.rules,
            private=table.private,
            capture_limit=16 if choices.variant & 8 else 1 << 16,
            notes_bulk=bool(choices.flags & 4),
            transfer_syntax=choices.syntax,
            **limits,
        )

    def see(self, body: memoryview | bytes) -> None:
        """All of it, and what comes of it."""
        try:
            self._feed(body)
            self.planner.finish()
            self._settle(body)
        except LimitExceeded:  # at an offset that depends on the pieces
            self.limited = True
        except DcmveilError as error:
            self.end = str(error)
        else:
            self.end = self.output = b"".join(self.parts)

    def _feed(self, body: memoryview | bytes) -> None:
        planner, at, size, step = self.planner, 0, len(body), self.step
        skips = self.choices.flags & 1 and step < size
        while at < size:
            at += planner.feed(body[at : at + step])
            if skips and not planner.deflated:
                unseen = min(planner.ahead, size - at)
                planner.advance(unseen)
                at += unseen
            self._after_piece(body)
        assert planner.position == size

    def _after_piece(self, body: memoryview | bytes) -> None:
        """For those that write in rounds."""

    def _settle(self, body: memoryview | bytes) -> None:
        plan = self.planner.plan
        self._answer(plan)
        growth = plan.settle()
        if self.choices.flags & 8:
            look_at(plan)
        if type(self) is Course:
            assert plan.growth_before(len(body) + 1) == growth
        self._write(plan, body)
        if type(self) is Course:
            assert sum(map(len, self.parts)) == len(body) + growth

    def _write(self, plan: Plan, body: memoryview | bytes) -> None:
        while script := plan.script(64 if self.choices.flags & 16 else 1 << 16):
            self.parts += executed(script, body, self.needed)

    def _answer(self, plan: Plan) -> None:
        for asked in plan.questions():
            self.asked[asked[0]] = asked[5], may_stay(asked)
            plan.answer(asked[0], *answer(asked, self.choices.seed))
        for index, key, value, _uses in plan.values():
            plan.answer_value(index, answer_value(value, *self.asked[key], self.choices.seed))

    def reread(self) -> None:
        """What has been written is a Data Set again."""
        assert self.output is not None
        planner = self.planner
        syntax = planner.transfer_syntax or ""
        dataset = self.output[planner.plan.prefix_size(planner.dataset_start) :]
        if dataset:
            again = Planner(locating(), transfer_syntax="1.2.840.10008.1.2.1" if syntax == DEFLATED else syntax)
            again.feed(dataset[again.feed(dataset) :])
            again.finish()


class Rounds(Course):
    """The same, written as early as can be."""

    __slots__ = ()

    def _after_piece(self, body: memoryview | bytes) -> None:
        planner = self.planner
        if planner.crowded and planner.cut():
            self._answer(planner.plan)
            planner.plan.settle()
            self._write(planner.plan, body)
            planner.drop()
        elif self.parts and planner.is_idle:
            start, stop = planner.flow()
            assert self.needed <= start or start == stop
            self.parts.append(body[start:stop])
        self.needed = max(self.needed, planner.needed)


def look_at(plan: Plan) -> None:
    """What reports and the reversible form ask of a Plan."""
    assert all(old >= 0 and new >= 0 for *_rest, old, new in plan.edits())
    plan.summary()
    plan.watched()
    plan.identifying()
    plan.bulk()
    pairs = struct.iter_unpack("=QQ", plan.originals())
    assert all(start < stop for start, stop in pairs)


# ---- answers -----------------------------------------------------------------------------------------------------

_LEAF, _LEAF_UNDEFINED, _INSERTED, _CONTAINED, _APPENDED, _CONTENT_ITEM = range(6)
_DECISIONS = ("keep", "remove", "replace", "values")
_ITEM = b"\xfe\xff\x00\xe0\0\0\0\0", b"\xff\xfe\xe0\x00\0\0\0\0"


def answer(asked: tuple[int, ...], seed: int) -> tuple[str, bytes]:
    """By a hash of all but the number of the question."""
    _key, rule, tag, parent, vr, encoding, kind, _set, name, value_type = asked
    mixed = (rule * 31 + tag * 7 + parent * 13 + vr * 3 + kind + name * 5 + value_type + seed * 101) * 2654435761 >> 7
    choice = _DECISIONS[mixed & 3]
    if not tag:  # a rule that removes
        return "remove", b""
    if kind == _APPENDED:
        return "replace", _ITEM[encoding == 2]
    if kind == _CONTENT_ITEM or tag == FILE_META:
        return ("remove" if choice == "remove" and tag != FILE_META else "keep"), b""
    if choice == "values" and kind != _LEAF:
        choice = "keep"
    if choice == "remove" and kind == _INSERTED:
        return "replace", b""
    if choice == "keep" and not may_stay(asked):
        choice = "remove"
    if choice in ("keep", "remove"):
        return choice, b""
    return choice, element(tag, encoding, 0 if dictionary_vr(tag) == "SQ" else mixed >> 3 & 0x1E)


def may_stay(asked: tuple[int, ...]) -> bool:
    """Not a Sequence that nobody has looked into, nor what has no VR: as a first element that could not be read."""
    kind, tag, vr = asked[6], asked[2], asked[4]
    if kind == _LEAF:
        return dictionary_vr(tag) != "SQ" and vr != NO_VR
    return kind != _LEAF_UNDEFINED


def answer_value(value: bytes, encoding: int, stays: bool, seed: int) -> bytes | None:
    """By a hash of the Value."""
    mixed = sum(value) * 31 + len(value) + seed
    if mixed % 4 == 0 and stays:
        return None
    return b"" if mixed % 4 == 1 else element(0x00081030, encoding, mixed & 0x3E)


def element(tag: int, encoding: int, size: int) -> bytes:
    """A Data Element: Explicit VR Little Endian (0), Implicit (1), Big Endian (2)."""
    if encoding == 1:
        return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, size) + b"A" * size
    return struct.pack("<HH2sH" if encoding == 0 else ">HH2sH", tag >> 16, tag & 0xFFFF, b"LO", size) + b"A" * size


def executed(script: bytes, body: memoryview | bytes, needed: int) -> list[bytes | memoryview]:
    """The parts that a script says. Those of the input are in order, within it, and not before what is needed."""
    parts: list[bytes | memoryview] = []
    at, before = 0, needed
    while at < len(script):
        (head,) = struct.unpack_from("=Q", script, at)
        if head >> 63:
            start = head & ~(1 << 63)
            (length,) = struct.unpack_from("=Q", script, at + 8)
            assert before <= start
            assert 0 < length <= len(body) - start
            before = start + length
            parts.append(body[start:before])
            at += 16
        else:
            assert 0 < head <= len(script) - at - 8
            parts.append(script[at + 8 : at + 8 + head])
            at += 8 + head
    return parts
