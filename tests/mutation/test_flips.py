"""A share of the bytes of small objects, each changed to eight others; all: `python -m tests.mutation bytes`."""

from __future__ import annotations

import pytest

from dcmveil import Deidentifier
from tests.hostile.forms import EXPLICIT
from tests.mutation.flips import (
    CHANGES,
    MARK,
    MODES,
    POLICY,
    Counts,
    counted,
    given,
    has_marker,
    made,
    may_stay,
    objects,
    others,
)

FULL = {"-e": 1.0, "--dumb": 1.0, "-d": 1.0, "-d, sealed": 0.25}  # the last one decrypts for each byte


def check(counts: Counts) -> None:
    assert counts.wrong == ()
    assert counts.changed > counts.accepted > 0
    assert counts.kept <= counts.changed // 200


def test_twenty_objects_are_changed() -> None:
    assert len(objects()) == 20
    assert all(MARK in data or "deflated" in name or name == "sealed" for name, data in objects().items())
    for name, data in objects().items():
        output = made(Deidentifier(POLICY), data)
        assert output is not None, name
        assert not has_marker(output), name


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "-d, sealed"])
def test_a_few_bytes(mode: str) -> None:
    check(counted(mode, 0.01))


@pytest.mark.ci
@pytest.mark.parametrize("mode", MODES)
def test_many_bytes(mode: str) -> None:
    check(counted(mode, 0.25 * FULL[mode]))


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_every_byte(mode: str) -> None:
    counts = counted(mode, FULL[mode])
    check(counts)
    assert counts.changed >= CHANGES * int(FULL[mode] * sum(map(len, given(mode).values()))) - CHANGES * 20


@pytest.mark.parametrize("byte", [0, 1, 0x1F, 0x20, 0x21, 0x7F, 0x80, 0xFE, 0xFF])
def test_a_byte_becomes_eight_others(byte: int) -> None:
    for at in range(50):
        found = others(byte, at)
        assert len(set(found)) == CHANGES
        assert byte not in found
        assert {0x00, 0xFF, 0x20, byte ^ 1, byte ^ 0x80} - {byte} <= set(found)


def test_a_marker_may_stay_only_where_the_profile_keeps_an_attribute() -> None:
    def file(tag: int, vr: str) -> bytes:
        return EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(tag, vr, MARK))

    assert may_stay(file(0x00280004, "CS"))  # Photometric Interpretation: not in Table E.1-1
    assert not may_stay(file(0x00280004, "LO"))  # not the VR of the dictionary
    assert not may_stay(file(0x00100010, "PN"))
    assert not may_stay(file(0x00291010, "LO"))
    assert not may_stay(file(0x00280004, "CS") + EXPLICIT.element(0x00291010, "LO", MARK))
