"""Retain Safe Private in bytes: what stays of private blocks, and Private Creators with it (PS3.15 E.3.10)."""

from __future__ import annotations

import struct
from functools import cache

import pytest

from dcmveil import Limits, Policy
from dcmveil.errors import Refused
from dcmveil.options import Options
from dcmveil.userrules import parse_rules
from tests.engine.support import SECRET, drained, execute, feed, pieces, rewritten, segments
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, PLAIN_FORMS, Form

OPTIONS = Options(retain_safe_private=True)
# Nothing that has to be known of the patient first: what can be written is written.
EMPTY = dict.fromkeys(("patient_id", "patient_name", "accession_number", "study_id"), "empty")
POLICY = Policy(secret=SECRET, options=OPTIONS, **EMPTY)
KEEPING_UIDS = Policy(secret=SECRET, options=OPTIONS._replace(retain_uids=True), **EMPTY)
E, LITTLE = EXPLICIT, b"\x05\0"
SIEMENS, GE, PHILIPS, SC2000, NQ = (
    "SIEMENS MR HEADER",
    "GEMS_ACQU_01",
    "Philips Imaging DD 001",
    "SIEMENS Ultrasound SC2000",
    "NQHeader",
)
SEQUENCE = 0x00082218  # kept by the Profile
NO_OVERLAY = 0x60000010


@cache
def frame(form: Form = E, policy: Policy = POLICY) -> tuple[bytes, bytes]:
    """What stands before and behind what is put between groups 0012 and 0028."""
    written = rewritten(form.file(form.common()), policy)
    at = written.rindex(form.header(0x00280303, "CS", 8))
    return written[:at], written[at:]


def kept(content: bytes, expected: bytes, *, form: Form = E, policy: Policy = POLICY) -> None:
    """Of `content`, between groups 0012 and 0028, just this is left; in any chunks, and in rounds as well."""
    data = form.file(form.common() + content)
    before, behind = frame(form, policy)
    assert rewritten(data, policy) == before + expected + behind
    for limits in (Limits(drain_at=1), Limits(drain_at=1, hold_limit=1 << 16)):
        eager = Policy(secret=SECRET, options=policy.options, limits=limits, **EMPTY)
        for step in (1, 7, 64):
            chunks = pieces(data, range(step, len(data), step))
            assert execute(data, drained(chunks, eager)) == before + expected + behind


def creator(name: str, block: int = 0x10, group: int = 0x0019, form: Form = E) -> bytes:
    return form.element(group << 16 | block, "LO", name)


def value(
    low: int, block: int = 0x10, group: int = 0x0019, form: Form = E, vr: str = "IS", text: str = "1000"
) -> bytes:
    return form.element(group << 16 | block << 8 | low, vr, text)


# ---- blocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("block", [0x10, 0x11, 0x7F, 0x80, 0xE1, 0xFF])
def test_a_block_is_known_by_its_creator_wherever_it_is(form: Form, block: int) -> None:
    """R64: any of the blocks gg10-ggFF."""
    first = creator(SIEMENS, block, form=form)
    safe, other = value(0x0C, block, form=form), value(0x0B, block, form=form)
    kept(first + other + safe, first + safe, form=form)


def test_a_creator_goes_if_nothing_of_its_block_stays() -> None:
    """R59, R65: and so does one that nobody knows, with all that is in its block."""
    for name in (SIEMENS, "ACME 1.0"):
        kept(creator(name), b"")
        kept(creator(name) + value(0x0B), b"")
    kept(creator("ACME 1.0") + value(0x0C), b"")


def test_without_a_creator_nothing_stays() -> None:
    """R65: nor with one of another group or block, or behind the element."""
    kept(value(0x0C), b"")
    kept(creator(SIEMENS, 0x11) + value(0x0C, 0x10), b"")
    kept(value(0x0C) + creator(SIEMENS), b"")
    kept(creator(SIEMENS, group=0x0017) + value(0x0C), b"")
    kept(value(0x0C, 0x00) + value(0x0C, 0x0F), b"")


def test_the_same_creator_may_have_several_blocks() -> None:
    """R64: each of them stays for what is in it."""
    one, other, empty = (creator(SIEMENS, block) for block in (0x10, 0x12, 0x20))
    safe, more = value(0x0C, 0x10), value(0x0E, 0x12, vr="FD", text="12345678")
    kept(one + other + empty + safe + more, one + other + safe + more)


@pytest.mark.parametrize("second", [SIEMENS, "ACME 1.0", "", "x" * 70])
@pytest.mark.parametrize("vr", ["LO", "UN", "SH", "OB"])
def test_a_block_that_is_claimed_twice_is_nobodys(second: str, vr: str) -> None:
    """R65: who of the two has put the elements there, nobody can say, in whatever form the claims are."""
    claim = E.element(0x00190010, vr, second)
    kept(creator(SIEMENS) + claim + value(0x0C), b"")
    kept(claim + creator(SIEMENS) + value(0x0C), b"")


def test_a_claim_behind_elements_of_the_block_does_not_change_those() -> None:
    first, safe = creator(SIEMENS), value(0x0C)
    kept(first + safe + creator("ACME 1.0") + value(0x0D, vr="CS", text="NONE"), first + safe)


def test_blocks_of_groups_that_come_back_are_nobodys() -> None:
    """What is out of order finds no creator; what has stayed keeps its own."""
    first, safe = creator(SIEMENS), value(0x0C)
    kept(first + safe + creator(GE, group=0x0021) + value(0x0D, vr="CS", text="NONE"), first + safe)
    kept(creator(SIEMENS) + creator(GE, group=0x0021) + value(0x0C), b"")


@pytest.mark.parametrize("padding", [b"", b" ", b"\0", b"   ", b"\0\0", b" \0 "])
def test_padding_of_a_creator_means_nothing(padding: bytes) -> None:
    """R64: spaces and NULs at either end, up to the length of an LO."""
    for name in (SIEMENS.encode() + padding, padding + SIEMENS.encode()):
        first = E.element(0x00190010, "LO", name)
        kept(first + value(0x0C), first + value(0x0C))


@pytest.mark.parametrize("name", ["siemens mr header", "SIEMENS MR HEADER2", "SIEMENS  MR HEADER", SIEMENS + " " * 60])
def test_another_name_is_another_creator(name: str) -> None:
    kept(creator(name) + value(0x0C), b"")


def test_vr_of_a_creator() -> None:
    """It is an LO; UN is what those write who do not know, and any other is none."""
    unknown = E.element(0x00190010, "UN", SIEMENS)
    kept(unknown + value(0x0C), unknown + value(0x0C))
    for vr in ("SH", "OB", "UT", "CS"):
        kept(E.element(0x00190010, vr, SIEMENS) + value(0x0C), b"")
    entered = E.sequence(0x00190010, E.item(), vr="UN", open_end=True)
    kept(entered + value(0x0C), b"")


# ---- elements ----------------------------------------------------------------------------------------------------


def test_vr_of_an_element() -> None:
    """That of the table, or UN (PS3.5 6.2.2)."""
    first = creator(SIEMENS)
    unknown = value(0x0C, vr="UN")
    kept(first + unknown, first + unknown)
    for vr in ("LO", "OB", "DS", "SQ"):
        kept(first + value(0x0C, vr=vr, text=""), b"")
    kept(first + E.sequence(0x0019100C, E.item(), vr="UN", open_end=True), b"")


def test_uids_are_mapped() -> None:
    """S9: in a row for UI, in one without VR, in UN and in Implicit VR, but not if UIDs are retained."""
    first = creator(NQ, group=0x0099)
    uid = value(0x02, group=0x0099, vr="UI", text="2.999.1234.5678")
    written = rewritten(E.file(E.common() + first + uid), POLICY)
    assert first in written
    assert b"2.999.1234.5678" not in written
    assert first + uid in rewritten(E.file(E.common() + first + uid), KEEPING_UIDS)
    for form, vr in ((E, "UN"), (IMPLICIT, "UI"), (BIG, "UI")):
        content = creator(NQ, group=0x0099, form=form)
        content += value(0x02, group=0x0099, vr=vr, text="2.999.1234.5678", form=form)
        assert b"2.999.1234.5678" not in rewritten(form.file(form.common() + content), POLICY)
    any_vr = creator(SC2000, group=0x0119)
    any_vr += value(0x11, group=0x0119, vr="UI", text="2.999.1234.5678") + value(0x12, group=0x0119, text="77")
    written = rewritten(E.file(E.common() + any_vr), POLICY)
    assert b"2.999.1234.5678" not in written
    assert creator(SC2000, group=0x0119) in written
    assert value(0x12, group=0x0119, text="77") in written


# ---- Sequences ---------------------------------------------------------------------------------------------------

MODALITY = E.element(0x00080060, "CS", "MR")


@pytest.mark.parametrize("open_end", [False, True])
@pytest.mark.parametrize("vr", ["SQ", "UN"])
def test_a_private_sequence_is_looked_into(open_end: bool, vr: str) -> None:
    """R62: listed or not, each element in it on its own merits. UN is implicit in it, and one of a length a Value."""
    form = IMPLICIT if vr == "UN" else E
    address, modality = form.element(0x00101040, "LO", "MARKER 1"), form.element(0x00080060, "CS", "MR")
    first = creator(PHILIPS, group=0x2001, form=E)
    for low in (0x5F, 0xFE):

        def sequence(*items: bytes, low: int = low) -> bytes:
            return E.sequence(0x20011000 | low, *items, vr=vr, open_end=open_end)

        data = E.file(E.common() + first + sequence(form.item(modality + address), form.item(address)))
        written = rewritten(data, POLICY)
        assert b"MARKER" not in written
        if low == 0xFE and (vr, open_end) == ("UN", False):
            assert first not in written  # nobody can say that it is one
        else:
            assert first + sequence(form.item(modality), form.item()) in written


def test_a_private_sequence_of_nobody_goes_whole() -> None:
    """R62: whoever does not know the creator does not know what its elements are for."""
    for open_end in (False, True):
        sequence = E.sequence(0x00191099, E.item(MODALITY), open_end=open_end)
        kept(creator("ACME 1.0") + sequence, b"")
        kept(sequence, b"")
        kept(creator(SIEMENS) + sequence, creator(SIEMENS) + sequence)


def test_creators_are_those_of_the_same_item() -> None:
    """PS3.5 7.8.1: a block is reserved in one Data Set or Item, not in what is nested in it or around it."""
    first, safe = creator(SIEMENS), value(0x0C)
    nested = E.sequence(0x00191099, E.item(safe))
    kept(first + nested, first + E.sequence(0x00191099, E.item()))
    nested = E.sequence(0x00191099, E.item(first + safe), E.item(safe), E.item(first), E.item(first + safe))
    expected = E.sequence(0x00191099, E.item(first + safe), E.item(), E.item(), E.item(first + safe))
    kept(first + nested, first + expected)
    inner = E.sequence(0x00191099, E.item(first + safe), open_end=True)
    kept(first + inner + safe, first + inner + safe)
    kept(creator("ACME 1.0") + value(0x0C) + nested, b"")


def test_creators_within_public_sequences() -> None:
    first, safe = creator(SIEMENS), value(0x0C)
    for open_end in (False, True):
        written = rewritten(
            E.file(
                E.common() + E.sequence(SEQUENCE, E.item(first + safe), E.item(first + value(0x0B)), open_end=open_end)
            ),
            POLICY,
        )
        assert E.sequence(SEQUENCE, E.item(first + safe), E.item(), open_end=open_end) in written


def test_an_encrypted_attributes_sequence_has_no_private_elements() -> None:
    """R32: its Items have their two Attributes and nothing else, however safe."""
    own = E.element(0x04000510, "UI", "1.2.840.10008.1.2.1") + E.element(0x04000520, "OB", b"12345678")
    content = E.sequence(0x04000500, E.item(creator(SIEMENS) + value(0x0C) + own))
    policy = Policy(secret=SECRET, options=OPTIONS, existing_encrypted="keep")
    assert E.sequence(0x04000500, E.item(own)) in rewritten(E.file(E.common() + content), policy)


def test_what_goes_within_what_goes_keeps_no_creator() -> None:
    """A creator of an Item is of no concern to the block around that."""
    inner = E.sequence(0x00191001, E.item(creator(SIEMENS) + value(0x0C)))
    kept(creator("ACME 1.0") + inner + value(0x0C), b"")


# ---- what the object says itself ---------------------------------------------------------------------------------


def numbers(form: Form, tag: int, *values: int) -> bytes:
    return form.element(tag, "US", form.pack(f"{len(values)}H", *values))


def said(
    status: str = "",
    *,
    name: str = SIEMENS,
    group: int = 0x0019,
    fine: tuple[int, ...] = (),
    actions: dict[str, tuple[int, ...]] | None = None,
    form: Form = E,
) -> bytes:
    """An Item of (0008,0300)."""
    content = numbers(form, 0x00080301, group) + form.element(0x00080302, "LO", name)
    content += form.element(0x00080303, "CS", status)
    content += numbers(form, 0x00080304, *fine) if fine else b""
    items = [
        form.item(numbers(form, 0x00080306, *lows) + form.element(0x00080307, "CS", action))
        for action, lows in (actions or {}).items()
    ]
    return form.item(content + (form.sequence(0x00080305, *items) if items else b""))


SAFE, OTHER = value(0x0C), value(0x0B, vr="LO", text="SOMETHING ")


def outcome(items: bytes, content: bytes, *, form: Form = E, behind: bool = False, policy: Policy = POLICY) -> bytes:
    """What is left of `content` of group 0019."""
    sequence = form.sequence(0x00080300, items)
    parts = [content, sequence] if behind else [sequence, content]
    written = rewritten(form.file(form.common() + b"".join(parts)), policy)
    before, after = (
        written.rindex(form.element(0x00080104, "LO", "")[:4]),
        written.rindex(form.header(0x00280303, "CS", 8)),
    )
    return written[before:after]


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_the_object_may_say_what_is_safe(form: Form) -> None:
    """R60: a block, or elements by their lowest 8 bits, in the numbers of its byte order."""
    first = creator("ACME 1.0", 0x11, form=form)
    one, two = (value(low, 0x11, form=form, vr="LO", text="SOMETHING ") for low in (0x01, 0xFE))
    for items, expected in (
        (said("SAFE", name="ACME 1.0", form=form), first + one + two),
        (said("MIXED", name="ACME 1.0", fine=(0xFE,), form=form), first + two),
        (said("UNSAFE", name="ACME 1.0", fine=(0x01,), form=form), first + one),
        (said("", name="ACME 1.0", fine=(0x1101, 0x10FE), form=form), first + one + two),
        (said("MIXED", name="ACME 1.0", form=form), b""),
        (said("UNSAFE", name="ACME 1.0", form=form), b""),
        (said("SAFE", name="ACME 2.0", form=form), b""),
        (said("SAFE", name="ACME 1.0", group=0x0021, form=form), b""),
        (said("SAFE", name="ACME 1.0", fine=(0x01,), actions={"X": (0x01,)}, form=form), first + two),
    ):
        assert outcome(items, first + one + two, form=form).endswith(expected)
        assert (one in outcome(items, first + one + two, form=form)) == (one in expected)
        assert (two in outcome(items, first + one + two, form=form)) == (two in expected)
        assert (first in outcome(items, first + one + two, form=form)) == (first in expected)


def test_the_object_may_say_what_is_not() -> None:
    """R60: that goes before Table E.3.10-1."""
    first = creator(SIEMENS)
    more = value(0x0D, vr="CS", text="NONE")
    assert outcome(said("UNSAFE"), first + SAFE).count(first) == 0
    assert outcome(said("UNSAFE", fine=(0x0C,)), first + SAFE + more).endswith(first + SAFE)
    assert outcome(said("MIXED", actions={"X": (0x0C,)}), first + SAFE + more).endswith(first + more)
    assert outcome(said("SAFE", actions={"X": (0x0C,)}), first + SAFE + more).endswith(first + more)
    assert SAFE not in outcome(said("MIXED", actions={"K": (0x0C,)}), first + SAFE)


def test_deidentification_actions() -> None:
    """R59: D, Z, X and U of (0008,0307); any other is X."""
    first = creator(SIEMENS)
    text = value(0x0B, vr="LO", text="SOMETHING ")
    uid = value(0x0B, vr="UI", text="2.999.1234.5678")
    assert outcome(said("SAFE", actions={"Z": (0x0B,)}), first + text).endswith(first + value(0x0B, vr="LO", text=""))
    dummy = outcome(said("SAFE", actions={"D": (0x0B,)}), first + text)
    assert b"SOMETHING" not in dummy
    assert first in dummy
    assert E.header(0x0019100B, "LO", 0) not in dummy
    mapped = outcome(said("SAFE", actions={"U": (0x0B,)}), first + uid, policy=KEEPING_UIDS)
    assert first in mapped
    assert b"2.999.1234.5678" not in mapped
    for action in ("X", "C", "", "K"):
        assert b"SOMETHING" not in outcome(said("SAFE", actions={action: (0x0B,)}), first + text)


@pytest.mark.parametrize("action", ["D", "Z", "X", "U"])
def test_a_sequence_that_identifies_is_not_kept_for_what_is_in_it(action: str) -> None:
    """R59: whatever the action, nothing of it stays."""
    for open_end in (False, True):
        sequence = E.sequence(0x0019100B, E.item(E.element(0x00080060, "CS", "MARKER")), open_end=open_end)
        found = outcome(said("SAFE", actions={action: (0x0B,)}), creator(SIEMENS) + sequence + SAFE)
        assert b"MARKER" not in found
        assert found.endswith(creator(SIEMENS) + SAFE)


def test_items_that_contradict_each_other() -> None:
    """The more private one counts, whatever their order; what is named goes before what is said of the block."""
    first = creator(SIEMENS)
    for one, other, is_kept in (
        (said("SAFE"), said("UNSAFE"), False),
        (said("SAFE"), said("MIXED", actions={"X": (0x0C,)}), False),
        (said("", fine=(0x0C,)), said("", actions={"X": (0x0C,)}), False),
        (said("", actions={"U": (0x0C,)}), said("", actions={"X": (0x0C,)}), False),
        (said("", actions={"D": (0x0C,)}), said("", actions={"X": (0x0C,)}), False),
        (said("", actions={"D": (0x0C,), "X": (0x0C,)}), said("SAFE"), False),
        (said("", actions={"X": (0x0C,), "D": (0x0C,)}), said("SAFE"), False),
        (said("UNSAFE"), said("", fine=(0x0C,)), True),
    ):
        for items in (one + other, other + one):
            found = outcome(items, first + SAFE)
            assert (SAFE in found) is is_kept
            assert (first in found) is is_kept


def test_what_is_said_counts_wherever_it_stands() -> None:
    """R60: behind the private elements, in Items of undefined length, repeated; but at top level only."""
    first = creator(SIEMENS, group=0x0007)
    safe, other = value(0x0C), OTHER
    content = E.sequence(0x00080300, said("UNSAFE"))
    data = E.file(E.common() + creator(SIEMENS) + safe + content)
    assert safe not in rewritten(data, POLICY)
    data = E.file(E.common() + creator(SIEMENS) + other + E.sequence(0x00080300, said("SAFE"), open_end=True))
    assert creator(SIEMENS) + other in rewritten(data, POLICY)
    nested = E.sequence(SEQUENCE, E.item(E.sequence(0x00080300, said("SAFE"))))
    assert other not in rewritten(E.file(E.common() + nested + creator(SIEMENS) + other), POLICY)
    twice = E.sequence(0x00080300, said("SAFE")) + E.sequence(0x00080300, said("UNSAFE"))
    assert other not in rewritten(E.file(E.common() + twice + creator(SIEMENS) + other), POLICY)
    assert first not in rewritten(E.file(E.common() + creator(SIEMENS) + other), POLICY)


@pytest.mark.parametrize("broken", ["odd", "long"])
def test_a_list_of_what_identifies_that_cannot_be_read_makes_the_block_unsafe(broken: str) -> None:
    """Fail closed: it names something, but nobody can say what."""
    lows = b"\x0c\0" + b"\0" if broken == "odd" else b"\x0c\0" * 700
    inner = E.sequence(
        0x00080305, E.item(E.element(0x00080306, "US", lows, length=len(lows)) + E.element(0x00080307, "CS", "X"))
    )
    own = numbers(E, 0x00080301, 0x0019) + E.element(0x00080302, "LO", SIEMENS) + E.element(0x00080303, "CS", "SAFE")
    assert SAFE not in outcome(E.item(own + inner), creator(SIEMENS) + SAFE)


def test_said_too_late_is_refused() -> None:
    """R60: what has been written in an earlier round cannot be taken back."""
    late = E.sequence(0x00080300, said("UNSAFE"))
    content = E.element(0x00100020, "LO", "ID") + creator(SIEMENS) + SAFE + E.element(0x001021B0, "LT") * 300_000
    policy = Policy(secret=SECRET, options=OPTIONS, limits=Limits(drain_at=8))
    data = E.file(E.common() + content + late)
    with pytest.raises(Refused, match="too late"):
        rewritten(data, policy)


# ---- rules of the user's own -------------------------------------------------------------------------------------


def ruled(action: str, element: str = "01", **more: object) -> Policy:
    private = {"creator": "ACME 1.0", "group": "0019", "element": element}
    rules = parse_rules([{"private": private, "action": action, **more}])
    return Policy(secret=SECRET, rules=rules)


def test_a_creator_stays_only_for_what_stays_in_the_end() -> None:
    """R65: by rules of the user's own as by the table."""
    first, text = creator("ACME 1.0"), value(0x01, vr="LO", text="SOMETHING ")
    data = E.file(E.common() + first + text)
    assert first + text in rewritten(data, ruled("keep"))
    assert first not in rewritten(data, ruled("remove"))


@pytest.mark.parametrize("action", ["remove", "empty", "dummy"])
def test_a_private_sequence_that_has_to_go_is_not_looked_into(action: str) -> None:
    sequence = E.sequence(0x00191001, E.item(E.element(0x00080060, "CS", "MARKER")))
    for open_end in (False, True):
        sequence = E.sequence(0x00191001, E.item(E.element(0x00080060, "CS", "MARKER")), open_end=open_end)
        data = E.file(E.common() + creator("ACME 1.0") + sequence)
        assert b"MARKER" not in rewritten(data, ruled(action))
        assert b"MARKER" in rewritten(data, ruled("keep"))


def test_a_creator_is_not_written_before_its_block_is_known() -> None:
    """In rounds: it is as soon as something of its block is kept, or its group has ended."""
    for behind in (SAFE, E.element(0x00200013, "IS", "1")):
        planner = POLICY.planner()
        feed(planner, E.file(E.common() + creator(SIEMENS) + OTHER))
        assert planner.cut() == len(planner.plan) - 2
        feed(planner, behind)
        assert planner.cut() == len(planner.plan)


def test_segments_are_those_of_the_whole() -> None:
    """In whatever pieces a file with private blocks comes."""
    nested = E.sequence(0x00191099, E.item(creator(SIEMENS) + SAFE), open_end=True)
    data = E.file(E.common() + creator("ACME 1.0") + creator(SIEMENS, 0x11) + value(0x0C) + value(0x0C, 0x11) + nested)
    whole = segments([data], POLICY)
    assert all(segments(pieces(data, [cut]), POLICY) == whole for cut in range(1, len(data)))
    assert struct.pack("<HH", 0x0019, 0x1011) not in rewritten(data, POLICY)
