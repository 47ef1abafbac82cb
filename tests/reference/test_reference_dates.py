"""Modified dates in the reference: what a date is, and where it moves (R52, R54)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest

from .dates import days_of, shifted
from .trees import SECRET, SETTINGS


def test_days_are_keyed_by_the_patient() -> None:
    """R52: against the digest computed by hand; the study stands in for a patient that has no ID."""
    number = int.from_bytes(hmac.digest(SECRET, b"dcmveil/date\0P1", hashlib.sha256), "big")
    assert days_of(SETTINGS, b" P1\0", b"1.2.3\0") == days_of(SETTINGS, b"", b"P1") == -1 - number % 365
    assert days_of(replace(SETTINGS, date_window=7), b"P1", b"") == -1 - number % 7
    assert {days_of(replace(SETTINGS, date_window=3), bytes([65 + n]), b"") for n in range(26)} == {-1, -2, -3}


@pytest.mark.parametrize(
    ("vr", "value", "moved"),
    [
        ("DA", b"20200301", b"20200220"),
        ("DA", b"20200110\\ \\2020.03.01", b"20191231\\\\2020.02.20"),
        ("DA", b"", b""),
        ("DT", b"20200301", b"20200220"),
        ("DT", b"20200301235960.123456+0100", b"20200220235960.123456+0100"),
        ("DT", b"2020030123\0\0", b"2020022023"),
        ("DT", b"2020", b"2020"),
        ("DT", b"202003-1200 ", b"202003-1200 "),
        ("TM", b"1230 \\23:59:59", b"1230 \\23:59:59"),
    ],
)
def test_dates_move_by_whole_days(vr: str, value: bytes, moved: bytes) -> None:
    """R54: times, offsets and precision stay."""
    assert shifted(value, vr, -10) == moved


def test_what_has_no_day_moves_from_its_middle() -> None:
    """R54."""
    assert shifted(b"2020", "DT", -200) == b"2019"
    assert shifted(b"2020", "DT", -180) == b"2020"
    assert shifted(b"202003", "DT", -15) == b"202002"
    assert shifted(b"202003", "DT", -14) == b"202003"


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("DA", b"20200230"),
        ("DA", b"2020030"),
        ("DA", b"202003011"),
        ("DA", b"2020.0301 "),
        ("DA", b"20200301\\DOE"),
        ("DA", b"00010105"),
        ("DA", b"\xb2\xb0200301"),
        ("DT", b"202003012460"),
        ("DT", b"2020030112+1500"),
        ("DT", b"2020030112-0000"),
        ("DT", b"2020030112-1201"),
        ("DT", b"202013"),
        ("DT", b"20200301 1200 "),
        ("TM", b"2400"),
        ("TM", b"DOE "),
        ("TM", b"12:30:"),
    ],
)
def test_what_is_no_date_does_not_move(vr: str, value: bytes) -> None:
    """R52: it may be anything, so it is not kept either."""
    assert shifted(value, vr, -10) is None
