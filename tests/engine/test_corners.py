"""Objects that only somebody who has read the engine would write: refused, or written as any other."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from dcmveil import Limits, Policy, _tables, edit_file, parse_operation, plan_file
from dcmveil._elements import is_ordered
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil._scanner import Scanner
from dcmveil.editing import Edits
from dcmveil.errors import LimitExceeded, Refused
from dcmveil.options import Options
from dcmveil.resolver import Resolver
from tests.engine import starving
from tests.engine.support import SECRET, execute, feed, pieces, rewritten, segments
from tests.hostile.forms import EXPLICIT as E
from tests.hostile.forms import IMPLICIT, SC_IMAGE, UNDEFINED, meta_element

NAME = E.element(0x00100010, "PN", "VEILME^ONE")
UID = E.element(0x00081155, "UI", "2.999.1")
EMPTY = dict.fromkeys(("patient_id", "patient_name", "accession_number", "study_id"), "empty")
SPECIAL = dict.fromkeys(("private", "unknown", "group_length", "vr", "duplicate", "member", "meta"), 0)


# ---- the wire ----------------------------------------------------------------------------------------------------


def without_syntax(dataset: bytes, *more: bytes) -> bytes:
    """A file whose File Meta Information says no Transfer Syntax."""
    meta = meta_element(0x00020001, "OB", b"\0\1") + meta_element(0x00020002, "UI", SC_IMAGE) + b"".join(more)
    length = meta_element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + dataset


@pytest.mark.parametrize("form", [E, IMPLICIT], ids=lambda form: form.name)
@pytest.mark.parametrize("more", [[], [meta_element(0x00020010, "UI", "")]], ids=["absent", "empty"])
def test_a_transfer_syntax_that_is_not_said_is_detected(form, more) -> None:  # type: ignore[no-untyped-def]
    """And so it is if the first header comes byte by byte."""
    data = without_syntax(form.common() + form.element(0x00100010, "PN", "VEILME^ONE"), *more)
    policy = Policy(secret=SECRET)
    output = execute(data, segments([data], policy))
    assert b"VEILME" not in output
    assert form.syntax.encode() in output
    assert execute(data, segments(pieces(data, range(1, len(data))), policy)) == output


def test_a_transfer_syntax_that_encodes_no_data_set_is_refused_when_given() -> None:
    for uid in ("1.2.840.10008.1.2.6.1", "1.2.3", ""):
        with pytest.raises(Refused, match="Transfer Syntax"):
            Policy(secret=SECRET).planner(transfer_syntax=uid)


def test_sequences_of_undefined_length_are_counted_as_those_of_defined_length() -> None:
    counts = [
        Scanner.count(E.file(E.common() + E.sequence(0x00081140, E.item(UID), open_end=end))) for end in (False, True)
    ]
    assert counts == [4, 4]


def test_encapsulated_pixel_data_may_be_un() -> None:
    """Fragments are no Items with elements in them, whatever is said of them (PS3.5 A.4); they go for their VR."""
    fragments = E.item(b"") + E.item(b"VEILME PIXELS XX") + E.item(tag=0xFFFEE0DD)
    for vr in ("OB", "UN"):
        pixels = E.header(0x7FE00010, vr, UNDEFINED) + fragments
        data = E.file(E.common() + NAME + pixels, syntax="1.2.840.10008.1.2.4.50")
        assert (pixels in rewritten(data, Policy(secret=SECRET))) == (vr == "OB")


# ---- bounds ------------------------------------------------------------------------------------------------------


def test_a_sequence_that_would_outgrow_its_length_is_an_error() -> None:
    """4 GiB of it are passed over unseen, as from a file with a hole."""
    bulk = 0xFFFFFFFE - 8 - len(UID) - 12
    table = E.element(0x00281201, "OW", b"", length=bulk)
    size = 8 + len(UID) + len(table) + bulk
    data = E.file(E.common() + E.header(0x00081115, "SQ", size) + E.item(UID + table, length=size - 8))
    policy = Policy(secret=SECRET)
    planner = Planner(policy.compiled.table, hold_limit=1 << 33)
    feed(planner, data)
    planner.advance(planner.ahead)
    planner.finish()
    resolver = Resolver(planner, policy.answers())
    with pytest.raises(LimitExceeded, match="a Value Length into 32 bits"):
        resolver.answer()


def uids_within(pairs: Iterable[tuple[int, int]]) -> bytes:
    """A file that has these (tag, tag of a Sequence): as many questions."""
    rows: dict[int, list[int]] = {}
    for tag, parent in sorted(pairs):
        rows.setdefault(parent, []).append(tag)
    sequences = [
        E.sequence(
            parent,
            E.item(b"".join(E.element(tag, _tables.dictionary_vr(tag) or "UN", b"") for tag in rows[parent])),
            open_end=True,
        )
        for parent in sorted(rows)
    ]
    return E.file(E.common() + b"".join(sequences))


@cache
def all_pairs() -> list[tuple[int, int]]:
    """UIDs that are mapped, in Sequences that are looked into, whatever the Profile says of either elsewhere."""
    ruled = {tag for tag, *_rest in _tables.confidentiality()}
    single = [(tag, vrs) for tag, mask, vrs in _tables.attributes() if mask == 0xFFFFFFFF and tag > 0x00080018]
    sequences = [tag for tag, vrs in single if vrs == 1 << _tables.vr_index("SQ") and tag not in ruled]
    uids = [tag for tag, mask, basic, _options in _tables.confidentiality() if basic == "U" and mask == 0xFFFFFFFF]
    return [(tag, parent) for parent in sequences for tag in uids]


def test_as_many_questions_as_a_key_can_tell_apart_and_no_more() -> None:
    pairs = all_pairs()
    feed(Policy(secret=SECRET).planner(), uids_within(pairs[:60_000]))
    accession_numbers = {(0x00080050, parent) for _tag, parent in pairs}
    with pytest.raises(LimitExceeded, match="more edits or Values"):
        feed(Policy(secret=SECRET).planner(), uids_within({*pairs, *accession_numbers}))


def test_questions_made_to_collide_are_refused() -> None:
    """Those whose places in the table are close together: each new one would be compared with all before it."""
    planner = Policy(secret=SECRET).planner()
    feed(planner, uids_within([(0x00081155, 0x00081140)]))
    (asked,) = [question for question in planner.plan.questions() if question[2] == 0x00081155]
    _key, rule, _tag, _parent, vr, _encoding, kind, *_rest = asked

    def place(pair: tuple[int, int]) -> int:
        """In a table of 2048, as for 600 questions."""
        mixed = (pair[0] * 0x9E3779B1 ^ pair[1] * 0x85EBCA77) % (1 << 32)
        mixed = (mixed ^ rule << 8 ^ vr ^ kind << 16) * 0xC2B2AE3D % (1 << 32)
        return (mixed ^ mixed >> 15) & 2047

    close = [pair for pair in all_pairs() if 100 <= place(pair) < 140]
    assert len(close) > 600
    with pytest.raises(LimitExceeded, match="more edits or Values"):
        feed(Policy(secret=SECRET).planner(), uids_within(close[:1000]))
    feed(Policy(secret=SECRET).planner(), uids_within(all_pairs()[:1000]))


def test_more_private_creators_at_once_than_there_is_room_for_are_refused() -> None:
    """Those of all enclosing Items count: 240 a level."""
    creators = b"".join(E.element(0x00190010 + number, "LO", "SIEMENS MR HEADER") for number in range(240))
    level = creators + E.header(0x00191099, "SQ", UNDEFINED) + E.item(length=UNDEFINED)
    planner = Policy(secret=SECRET, options=Options(retain_safe_private=True)).planner()
    feed(planner, E.file(E.common() + level * 270))
    planner = Policy(secret=SECRET, options=Options(retain_safe_private=True)).planner()
    with pytest.raises(LimitExceeded, match="more edits or Values"):
        feed(planner, E.file(E.common() + level * 275))


def test_the_order_of_more_elements_than_are_looked_at_is_not_told() -> None:
    elements = b"".join(E.element(0x00200001 + (number << 4), "LO", b"") for number in range((1 << 16) + 1))
    with pytest.raises(LimitExceeded, match="65536 Attributes"):
        is_ordered(elements)


# ---- plans -------------------------------------------------------------------------------------------------------


def test_identity_leaves_long_sequences_as_they_are() -> None:
    """Nothing is held for the sake of a length that cannot change."""
    data = starving.deep()
    planner = Planner(Policy.identity().compiled.table, hold_limit=0)
    feed(planner, data)
    plan = planner.finish()
    assert len(plan) == 0
    plan.settle()
    assert execute(data, plan.segments()) == data


def test_an_item_that_goes_is_told_by_its_place(tmp_path: Path) -> None:
    source = tmp_path / "in"
    state = E.element(0x00080100, "SH", "109054") + E.element(0x00080102, "SH", "DCM")
    name = E.element(0x0040A040, "CS", "TEXT") + E.sequence(0x0040A043, E.item(state))
    content = E.sequence(0x0040A730, E.item(name + E.element(0x0040A160, "UT", "VEILME")))
    source.write_bytes(E.file(E.common() + content))
    report = plan_file(source, Policy(secret=SECRET, options=Options(clean_structured_content=True)))
    (line,) = [line for line in report.edits if line.tag == 0xFFFEE000]
    assert (line.decision, line.new_length) == ("remove", 0)
    assert "[1]" in line.path


def test_the_first_element_of_a_bare_data_set_is_edited_like_any_other(tmp_path: Path) -> None:
    """It begins where File Meta Information would, and is none."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(E.element(0x00080005, "CS", "ISO_IR 100") + E.common() + NAME)
    edit_file(source, target, Edits([parse_operation("remove", "(0008,0005)")]))
    assert target.read_bytes() == E.common() + NAME


@pytest.mark.parametrize(
    "make", [starving.wide, starving.deep, starving.private, starving.report], ids=lambda m: m.__name__
)
def test_what_is_needed_of_the_input_only_goes_forward(make) -> None:  # type: ignore[no-untyped-def]
    """In rounds, in pieces of any size: nothing is asked for that was said not to be."""
    data = make()
    policy = Policy(secret=SECRET, limits=Limits(drain_at=1, hold_limit=64), **EMPTY)
    expected = rewritten(data, policy)
    for step in (16, 64):
        planner, before, found = policy.planner(), 0, []
        resolver = Resolver(planner, policy.answers())
        for piece in pieces(data, range(step, len(data), step)):
            feed(planner, piece)
            assert before <= planner.needed <= planner.position
            before = planner.needed
            assert not planner.is_idle or planner.can_cut
            if planner.crowded and planner.cut() and resolver.may_write() and resolver.is_ready():
                resolver.answer()
                if not found:
                    resolver.align()
                segment_list = planner.plan.segments()
                assert all(part[1] >= before for part in segment_list if part[0] == "copy")
                found += segment_list
                planner.drop()
        planner.finish()
        resolver.answer()
        if not found:
            resolver.align()
        assert execute(data, found + planner.plan.segments()) == expected


# ---- tables ------------------------------------------------------------------------------------------------------


def test_a_flag_of_a_repeating_group_is_one_of_all_its_groups() -> None:
    """And what no dictionary has gets no type of Value."""
    table = RuleTable(
        behaviours=["keep"],
        special=SPECIAL,
        flags=[(0x60000010, 0xFF00FFFF, "watched")],
        value_types=[b"TEXT", b"TEXT"],
        value_tags={0x0040A160: b"TEXT", 0x00A00001: b"TEXT"},
    )
    planner = Planner(table)
    rows = [E.element(tag, "US", b"\1\0") for tag in (0x60000010, 0x60020010, 0x60020011)]
    feed(planner, E.file(E.common() + b"".join(rows)))
    watched = [tag for tag, *_rest in planner.finish().watched() if tag >> 16 >= 0x6000]
    assert watched == [0x60000010, 0x60020010]


def planned(dataset: bytes, places: list[list[tuple[int, int | None, bool, bool, int | None]]]) -> int:
    """How many edits there are where all is kept, but what is not as the dictionary says."""
    table = RuleTable(behaviours=["keep", "remove"], special={**SPECIAL, "vr": 1}, places=places)
    planner = Planner(table, private=PrivateTable([], sequences=None))
    feed(planner, E.file(E.common() + dataset))
    return len(planner.finish())


def test_a_rule_that_keeps_what_no_dictionary_has_keeps_nothing() -> None:
    """Of an element that nobody knows it cannot be said that it is as it should be."""
    assert planned(E.element(0x00A00001, "LO", "VEILME"), [[(0x00A00001, 0, False, False, None)]]) == 1
    assert planned(E.element(0x00A00001, "LO", "VEILME"), [[]]) == 0


def test_what_has_no_items_is_not_looked_into_for_a_place_that_has() -> None:
    places: list[list[tuple[int, int | None, bool, bool, int | None]]]
    places = [
        [(0x00A00001, None, False, False, 1)],
        [(0, None, False, False, 2)],
        [(0x00100010, 1, False, False, None)],
    ]
    assert planned(E.element(0x00A00001, "LO", "VEILME"), places) == 0
    assert planned(E.sequence(0x00A00001, E.item(NAME)), places) > 0


def test_private_elements_may_stay_without_a_creator() -> None:
    """Where a rule keeps them: one that stays is no creator whose fate hangs on others."""
    assert planned(E.element(0x00090010, "LO", "ACME") + E.element(0x00091001, "LO", "X"), [[]]) == 0
    assert planned(E.element(0x00091001, "LO", "X") + E.element(0x00110010, "LO", "ACME"), [[]]) == 0
