"""Sequences nested to the limit and beyond it, in every way in which they can be nested."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import LimitExceeded
from tests.hostile.forms import EXPLICIT, FORMS, IMPLICIT, UNDEFINED, Form

SEQUENCE = 0x0040A043  # kept, and looked into
PRIVATE = 0x00091001
NAME = 0x00100010
POLICY = Policy(secret=b"a secret of sixteen bytes or more")
LIMIT = 1024


def nested(form: Form, depth: int, *, tag: int, vr: str, is_open: bool) -> bytes:
    """`depth` Sequences within each other, and a Patient's Name in the innermost Item. Takes linear time.

    Within UN all is Implicit VR Little Endian (PS3.5 6.2.2)."""
    inner = IMPLICIT if vr == "UN" else form
    leaf = inner.element(NAME, "PN", "VEILME0001")
    level = len(inner.header(tag, vr, 0)) + 8
    if is_open:
        front = inner.header(tag, vr, UNDEFINED) + inner.item(length=UNDEFINED)
        first = form.header(tag, vr, UNDEFINED) + inner.item(length=UNDEFINED)
        end = inner.item(tag=0xFFFEE00D) + inner.item(tag=0xFFFEE0DD)
        return first + front * (depth - 1) + leaf + end * depth
    parts = []
    for number in range(depth):
        size = (depth - 1 - number) * level + len(leaf)
        header = (form if number == 0 else inner).header(tag, vr, size + 8)
        parts.append(header + inner.item(length=size))
    return b"".join(parts) + leaf


def kept_open(form: Form, depth: int) -> bytes:
    return nested(form, depth, tag=SEQUENCE, vr="SQ", is_open=True)


def kept_defined(form: Form, depth: int) -> bytes:
    return nested(form, depth, tag=SEQUENCE, vr="SQ", is_open=False)


def unknown_vr_open(form: Form, depth: int) -> bytes:
    return nested(form, depth, tag=SEQUENCE, vr="UN", is_open=True)


def unknown_vr_defined(form: Form, depth: int) -> bytes:
    return nested(form, depth, tag=SEQUENCE, vr="UN", is_open=False)


def private_open(form: Form, depth: int) -> bytes:
    return nested(form, depth, tag=PRIVATE, vr="SQ", is_open=True)


WAYS = [kept_open, kept_defined, unknown_vr_open, unknown_vr_defined, private_open]
Way = Callable[[Form, int], bytes]


def outcome(data: bytes, folder: Path) -> bytes:
    (folder / "in.dcm").write_bytes(data)
    deidentify_file(folder / "in.dcm", folder / "out.dcm", POLICY)
    return (folder / "out.dcm").read_bytes()


def goes_unread(way: Way, form: Form) -> bool:
    """A Sequence as UN in Big Endian is removed, since readers do not agree on what it holds."""
    return form.big and way is unknown_vr_defined


UNKNOWN = (unknown_vr_open, unknown_vr_defined)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("way", WAYS)
def test_a_depth_of_1024_is_accepted(way: Way, form: Form, tmp_path: Path) -> None:
    """R2: the rules apply in the 1024th Sequence as in the first."""
    out = outcome(form.file(form.common() + way(form, LIMIT)), tmp_path)
    assert b"VEILME" not in out
    if way is not private_open and not form.deflated and not (form.big and way in UNKNOWN):
        assert out.count(form.pack("HH", 0x0040, 0xA043)) >= 1
        assert out.count(form.pack("HH", 0x0040, 0xA043)) + out.count(struct.pack("<HH", 0x40, 0xA043)) >= LIMIT


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("depth", [LIMIT + 1, 100_000])
@pytest.mark.parametrize("way", WAYS)
def test_more_is_refused_at_once(way: Way, depth: int, form: Form, tmp_path: Path) -> None:
    data = form.file(form.common() + way(form, depth))
    before = time.process_time()
    if goes_unread(way, form):
        assert b"VEILME" not in outcome(data, tmp_path)
        return
    with pytest.raises(LimitExceeded, match=f"nested deeper than {LIMIT}") as error:
        outcome(data, tmp_path)
    assert time.process_time() - before < 2
    assert error.value.offset is not None
    assert not (tmp_path / "out.dcm").exists()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_depth_of_what_is_not_looked_into_does_not_count(form: Form, tmp_path: Path) -> None:
    """R43: a private Sequence of defined length is removed unseen."""
    data = form.file(form.common() + nested(form, 100_000, tag=PRIVATE, vr="SQ", is_open=False))
    before = time.process_time()
    assert len(outcome(data, tmp_path)) < 2000
    assert time.process_time() - before < 2


def test_100_000_siblings_take_linear_time(tmp_path: Path) -> None:
    items = EXPLICIT.open_item(EXPLICIT.sequence(SEQUENCE, EXPLICIT.item())) * 100_000
    before = time.process_time()
    outcome(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.sequence(SEQUENCE, items)), tmp_path)
    assert time.process_time() - before < 4
