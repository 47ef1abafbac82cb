"""Objects that are answered and written in several rounds, or in forms where one would go wrong."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pydicom
import pytest

from dcmveil import Limits, Policy, deidentify_file, plan_file
from dcmveil._plan import Plan
from dcmveil.errors import LimitExceeded, ParseError, Refused
from dcmveil.resolver import Facts
from tests.engine.support import SECRET, execute, feed, pieces, segments
from tests.engine.wire import BIG, END_ITEM, END_SEQUENCE, EXPLICIT, IMPLICIT, UNDEFINED, delimiter, element, file, item

COMMON = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0") + element(0x00080018, "UI", b"1.2.3\0")
PRIVATE = element(0x00090010, "LO", b"X ")
MARKER = b"VEILME01"


def run(data: bytes, folder: Path, policy: Policy | None = None) -> bytes:
    (folder / "in.dcm").write_bytes(data)
    deidentify_file(folder / "in.dcm", folder / "out.dcm", policy or Policy(secret=SECRET))
    return (folder / "out.dcm").read_bytes()


@pytest.mark.parametrize("fillings", [0, 33_000, 36_000, 45_000])
def test_an_encrypted_attributes_sequence_is_refused_in_whatever_round_it_comes(fillings: int, tmp_path: Path) -> None:
    """R37: the question may be asked in one round and settled in another."""
    encrypted = element(0x04000500, "SQ", item(element(0x04000520, "OB", MARKER)))
    group = item(PRIVATE * fillings + END_ITEM, length=UNDEFINED) + item(encrypted)
    data = file(COMMON + element(0x52009230, "SQ", group + END_SEQUENCE, length=UNDEFINED))
    with pytest.raises(Refused) as caught:
        run(data, tmp_path)
    assert caught.value.reason == "encrypted-attributes"
    assert not (tmp_path / "out.dcm").exists()


def test_an_overlay_group_is_judged_when_all_of_it_is_known(tmp_path: Path) -> None:
    """A round may end between Overlay Bit Position and Overlay Data."""
    position, data = element(0x60000102, "US", b"\1\0"), element(0x60003000, "OW", b"\1\0")
    filled = file(COMMON + PRIVATE * 40_000 + position + PRIVATE * 40_000 + data)
    assert run(filled, tmp_path)
    for overlay in (position, position + element(0x60003000, "OW")):
        with pytest.raises(Refused) as caught:
            run(file(COMMON + overlay), tmp_path)
        assert caught.value.reason == "embedded-overlay"


@pytest.mark.parametrize("outer", ["SQ", "UN"])
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, IMPLICIT])
def test_a_recoded_sequence_can_be_read(syntax: str, outer: str, tmp_path: Path) -> None:
    """The delimiter is in the order of the content, which for UN is little endian in any file (PS3.5 6.2.2)."""
    order = ">" if syntax == BIG else "<"
    inside = "<" if outer == "UN" else order

    def encoded(tag: int, vr: str, value: bytes, order: str, implicit: bool) -> bytes:
        return element(tag, None if implicit else vr, value, order=order)

    implicit = syntax == IMPLICIT
    name = encoded(0x00100010, "PN", MARKER, inside, implicit or outer == "UN")
    label = encoded(0x00080104, "LO", b"kept", inside, implicit or outer == "UN")
    sequence = encoded(0x00082218, outer, item(label + name, order=inside), order, implicit)
    common = [encoded(tag, "UI", b"1.2.840.10008.5.1.4.1.1.2\0", order, implicit) for tag in (0x00080016, 0x00080018)]
    written = run(
        file(b"".join(common) + sequence, syntax), tmp_path, Policy(secret=SECRET, limits=Limits(hold_limit=0))
    )
    assert MARKER not in written
    dataset = pydicom.dcmread(io.BytesIO(written))
    if (syntax, outer) == (BIG, "UN"):  # which pydicom reads as if it were big endian
        assert 0x00082218 not in dataset
    else:
        assert delimiter(0xE0DD, order=inside) in written
        assert [str(each.CodeMeaning) for each in dataset[0x00082218].value] == ["kept"]
    again = segments(pieces(written, [len(written) // 2]), Policy.identity())
    assert execute(written, again) == written


@pytest.mark.parametrize("limit", [1, 40, 64, 100])
@pytest.mark.parametrize("step", [1, 60, 150])
def test_a_script_may_be_said_in_any_pieces_in_any_round(step: int, limit: int) -> None:
    """A piece may end where a Sequence does that is written with undefined length: its delimiter comes first."""
    code = item(element(0x00080100, "SH", b"X ") + PRIVATE)
    nested = element(0x00082218, "SQ", item(element(0x00082218, "SQ", code * 2)))
    kept = element(0x00280010, "US", b"\1\0") * 3
    data = file(COMMON + (nested + kept) * 4 + element(0x00100010, "PN", MARKER))
    planner = Policy(secret=SECRET, limits=Limits(hold_limit=0, drain_at=1)).planner()
    written, rounds = b"", 0
    for piece in pieces(data, range(step, len(data), step)):
        feed(planner, piece)
        if planner.crowded and planner.cut():
            written += said(planner.plan, data, limit)
            planner.drop()
            rounds += 1
    assert rounds > 2
    whole = Policy(secret=SECRET, limits=Limits(hold_limit=0)).planner()
    feed(whole, data)
    assert written + said(planner.finish(), data, limit) == said(whole.finish(), data, 1 << 16)


def said(plan: Plan, data: bytes, limit: int) -> bytes:
    """What a Plan says in pieces of about `limit` bytes, if all it asks about goes."""
    for asked in plan.questions():
        plan.answer(asked[0], "remove")
    plan.settle()
    written = b""
    while script := plan.script(limit):
        at = 0
        while at < len(script):
            (head,) = struct.unpack_from("=Q", script, at)
            if head >> 63:
                (length,) = struct.unpack_from("=Q", script, at + 8)
                start = head & ~(1 << 63)
                assert length <= len(data) - start
                written += data[start : start + length]
                at += 16
            else:
                written += script[at + 8 : at + 8 + head]
                at += 8 + head
    return written


def test_a_method_that_is_too_long_to_keep_is_replaced(tmp_path: Path) -> None:
    """R17: the text is there in the end, whatever was there before."""
    for vr, size in ((None, 70_000), ("LO", 65_500)):
        common = element(0x00080018, vr and "UI", b"1.2.3\0")
        syntax = EXPLICIT if vr else IMPLICIT
        written = run(file(common + element(0x00120063, vr, b"x" * size), syntax), tmp_path)
        assert str(pydicom.dcmread(io.BytesIO(written)).DeidentificationMethod).startswith("dcmveil")


def test_a_deflated_file_shorter_than_a_preamble_is_no_dicom(tmp_path: Path) -> None:
    uid = element(0x00020010, "UI", b"1.2.840.10008.1.2.1.99")
    with pytest.raises((Refused, ParseError)):
        run(uid + b"\x63\x60\x80", tmp_path)


def test_the_dry_run_says_which_letter_a_compound_action_came_to(tmp_path: Path) -> None:
    """R9; and an Item that is added is told as an edit of its Sequence."""
    enhanced = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2.1")
    dates = element(0x00080012, "DA", b"20200101") + element(0x00080023, "DA", b"20200101")
    codes = element(0x00120064, "SQ", item(element(0x00080100, "SH", b"X ")))
    (tmp_path / "in.dcm").write_bytes(file(enhanced + dates + codes))
    edits = {edit.path: edit.action for edit in plan_file(tmp_path / "in.dcm", Policy(secret=SECRET)).edits}
    assert (edits["(0008,0012)"], edits["(0008,0023)"]) == ("X", "D")
    assert "(0012,0064)" in edits
    assert not any(path.startswith("(0012,0064)[0]") for path in edits)


def test_facts_show_no_value() -> None:
    planner = Policy(secret=SECRET).planner()
    feed(planner, file(COMMON.replace(b"1.2.3\0", MARKER[:6])))
    facts = Facts.of(planner.finish(), EXPLICIT)
    assert facts.sop_instance == MARKER[:6]
    assert MARKER[:6].decode() not in repr(facts)


def test_a_planner_that_failed_or_was_never_made_refuses_to_go_on() -> None:
    policy = Policy(secret=SECRET, limits=Limits(max_edits=3))
    planner = policy.planner()
    with pytest.raises(LimitExceeded):
        feed(planner, file(COMMON + PRIVATE * 9))
    empty = type(planner).__new__(type(planner), policy.compiled.table)
    for broken in (planner, empty):
        for use in (lambda it: it.feed(PRIVATE), lambda it: it.finish(), lambda it: it.cut(), lambda it: it.drop()):
            with pytest.raises(ValueError, match="failed before"):
                use(broken)


def test_only_what_is_settled_is_dropped() -> None:
    planner = Policy(secret=SECRET).planner()
    planner.feed(file(b""))
    planner.cut()
    with pytest.raises(ValueError, match="settled"):
        planner.drop()


@pytest.mark.parametrize("limits", [Limits(max_depth=1 << 31), Limits(max_edits=-1), Limits(hold_limit=1 << 40)])
def test_limits_have_limits(limits: Limits) -> None:
    with pytest.raises(ValueError, match="must be from 0"):
        Policy(limits=limits)
