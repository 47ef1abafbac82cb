"""Shifts of dates against a computation of their own: constant, spread, and true to intervals and order."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dcmveil import dates
from dcmveil.dates import DEFAULT_WINDOW, DateShifter, shift_timestamp, shift_value

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
PATIENTS = [b"PATIENT-%05d" % number for number in range(10_000)]

# A process of its own, with another hash seed: says the shifts of all patients.
SHIFTS_ELSEWHERE = """
import json
from dcmveil.dates import DateShifter
shifter = DateShifter(bytes(range(32)))
print(json.dumps([shifter.days(b"PATIENT-%05d" % number) for number in range(10_000)]))
"""

shifts = st.integers(-36500, -1)
# Far enough from both ends of the calendar for any shift.
days = st.dates(date(200, 1, 1), date(9999, 12, 31))
times = st.builds(
    lambda text, digits, length: f"{text}.{digits[: length - 6]}" if length > 6 else text[:length],
    st.times().map(lambda time: f"{time:%H%M%S}") | st.just("235960"),
    st.text("0123456789", min_size=6, max_size=6),
    st.sampled_from([0, 2, 4, 6, 7, 9, 12]),
)
offsets = st.sampled_from(["", "+0000", "-0001", "+0545", "-1200", "+1400", "+1359", "-1159"])


def expected_days(subject: bytes, window: int, secret: bytes = SECRET) -> int:
    digest = hmac.new(secret, b"dcmveil/date\x00" + subject, hashlib.sha256).hexdigest()
    return -(int(digest, 16) % window) - 1


def yyyymmdd(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def shifted(vr: str, value: str, shift: int) -> str:
    new = shift_value(vr, value.encode(), shift)
    assert new is not None
    assert len(new) % 2 == 0
    return new.decode().rstrip(" ")


# ---- how far ---------------------------------------------------------------------------------------------------


def test_a_shift_is_a_frozen_value() -> None:
    """R52: what was shifted once must be shifted so by every later version."""
    assert DateShifter(SECRET).days(b"PATIENT-00000") == -20
    assert DateShifter(SECRET, 36500).days(b"PATIENT-00000") == -6590


def test_ten_thousand_patients_keep_their_shifts_anywhere() -> None:
    """R52: one shift per patient, in repeated calls, other runs and other processes."""
    shifter = DateShifter(SECRET)
    found = [shifter.days(patient) for patient in PATIENTS]
    assert found == [shifter.days(patient) for patient in PATIENTS]
    fresh = DateShifter(bytearray(SECRET), DEFAULT_WINDOW)
    assert found[::-1] == [fresh.days(patient) for patient in reversed(PATIENTS)]
    elsewhere = subprocess.run([sys.executable, "-c", SHIFTS_ELSEWHERE], capture_output=True, check=True)
    assert found == json.loads(elsewhere.stdout)


@pytest.mark.parametrize("window", [1, 2, 7, 365, 36500])
def test_shifts_are_within_the_window(window: int) -> None:
    """R52"""
    shifter = DateShifter(SECRET, window)
    found = [shifter.days(patient) for patient in PATIENTS]
    assert found == [expected_days(patient, window) for patient in PATIENTS]
    assert -window <= min(found)
    assert max(found) <= -1


@pytest.mark.parametrize("window", [10, 30, 365])
def test_shifts_are_spread_over_the_window(window: int) -> None:
    """R52: every day is hit, and as often as chance has it (chi-square, five standard deviations)."""
    shifter = DateShifter(SECRET, window)
    found = Counter(shifter.days(patient) for patient in PATIENTS)
    assert found.keys() == set(range(-window, 0))
    mean = len(PATIENTS) / window
    chi_square = sum((count - mean) ** 2 / mean for count in found.values())
    freedom = window - 1
    assert abs(chi_square - freedom) < 5 * (2 * freedom) ** 0.5


def test_another_secret_gives_other_shifts() -> None:
    """R52: without the secret a shift is not better than guessed."""
    one, other = DateShifter(SECRET), DateShifter(OTHER_SECRET)
    same = sum(one.days(patient) == other.days(patient) for patient in PATIENTS)
    assert same < 3 * len(PATIENTS) / DEFAULT_WINDOW


@pytest.mark.parametrize("padded", [b"PATIENT-00000 ", b"PATIENT-00000\0", b"  PATIENT-00000"])
def test_padding_of_the_patient_does_not_matter(padded: bytes) -> None:
    assert DateShifter(SECRET).days(padded) == -20


def test_memo_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dates, "MEMO_ENTRIES", 8)
    shifter = DateShifter(SECRET)
    first = [shifter.days(patient) for patient in PATIENTS[:50]]
    assert first == [shifter.days(patient) for patient in PATIENTS[:50]]
    assert shifter._days.cache_info().currsize == 8


def test_threads_agree() -> None:
    shifter, found = DateShifter(SECRET), []
    threads = [threading.Thread(target=lambda: found.append([shifter.days(p) for p in PATIENTS[:500]])) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[expected_days(patient, DEFAULT_WINDOW) for patient in PATIENTS[:500]]] * 4


@pytest.mark.parametrize("window", [0, -1, 36501])
def test_refuses_windows_that_are_none(window: int) -> None:
    with pytest.raises(ValueError, match="1 to 36500 days"):
        DateShifter(SECRET, window)


def test_refuses_short_secrets_and_never_shows_one() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        DateShifter(b"fifteen bytes!!")
    assert re.fullmatch(r"DateShifter\(\.\.\.\)", repr(DateShifter(b"a secret that is long", 77)))


# ---- ten thousand histories ------------------------------------------------------------------------------------


def history(patient: bytes) -> list[date]:
    """Some days in the life of a patient, in order."""
    chance = random.Random(patient)
    first = date(1940, 1, 1) + timedelta(days=chance.randrange(25_000))
    return sorted(first + timedelta(days=int(chance.expovariate(1 / 900))) for _ in range(4))


def test_intervals_of_ten_thousand_patients_are_kept_to_the_day() -> None:
    """R52, R54: between any two dates of a patient, in DA and DT alike."""
    shifter = DateShifter(SECRET)
    for patient in PATIENTS:
        shift, old = shifter.days(patient), history(patient)
        as_da = shifted("DA", "\\".join(map(yyyymmdd, old)), shift).split("\\")
        as_dt = shifted("DT", "\\".join(f"{yyyymmdd(day)}1200+0100" for day in old), shift).split("\\")
        new = [datetime.strptime(text, "%Y%m%d").date() for text in as_da]
        assert [day - new[0] for day in new] == [day - old[0] for day in old]
        assert new[0] - old[0] == timedelta(days=expected_days(patient, DEFAULT_WINDOW))
        assert as_dt == [f"{text}1200+0100" for text in as_da]


def test_order_of_ten_thousand_patients_is_kept_also_of_partial_dates() -> None:
    """R52, R54: what was before another date, as far as both are precise, is not after it."""
    shifter = DateShifter(SECRET, 3650)
    for patient in PATIENTS:
        shift, chance = shifter.days(patient), random.Random(patient)
        old = [yyyymmdd(day)[: chance.choice([4, 6, 8])] for day in history(patient)]
        new = shifted("DT", "\\".join(old), shift).split("\\")
        assert [len(text) for text in new] == [len(text) for text in old]
        for one in range(len(old)):
            for other in range(one):
                common = min(len(old[one]), len(old[other]))
                if old[other][:common] < old[one][:common]:
                    assert new[other][:common] <= new[one][:common]


# ---- DA --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shift", "new"),
    [
        (b"20240301", -1, b"20240229"), (b"20230301", -1, b"20230228"), (b"20240101", -1, b"20231231"),
        (b"20240229", -365, b"20230301"), (b"00010102", -1, b"00010101"), (b"99991230", 1, b"99991231"),
        (b"2024.03.01", -1, b"2024.02.29"), (b"20240301\\2024.03.01", -1, b"20240229\\2024.02.29 "),
        (b" 20240301\0", -1, b"20240229"), (b"\\20240301 \\ ", -1, b"\\20240229\\"),
        (b"", -1, b""), (b"  ", -1, b""), (b"\\", -1, b"\\ "),
    ],
)  # fmt: skip
def test_dates_are_shifted_in_their_form(value: bytes, shift: int, new: bytes) -> None:
    """R52, R54"""
    assert shift_value("DA", value, shift) == new


@given(st.lists(days, min_size=1, max_size=4), shifts)
def test_dates_move_as_the_calendar_says(old: list[date], shift: int) -> None:
    """R52"""
    new = [yyyymmdd(day + timedelta(days=shift)) for day in old]
    assert shifted("DA", "\\".join(map(yyyymmdd, old)), shift) == "\\".join(new)


IMPOSSIBLE_DATES = [
    b"00000000", b"20231301", b"20230229", b"20230001", b"20230100", b"20230132", b"2023", b"202301", b"2023010",
    b"202301011", b"JOHN DOE", b"2023W011", b"2023-W01", b"2023-001", b"20230101-20240101", b"2023-01-01",
    b"2023/01/01", b"2023.01/01", b"2023/01.01", b"2023.0101", b"2023..101", b"202.30.101", b"+2023101", b"2023 101",
    b"2_023101", b"\xb2\xb0230101", b"2023010\xb2",
    b"20230101\n", b"20230101\0 20230101", "\u0662\u0660230101".encode(),
]  # fmt: skip


@pytest.mark.parametrize("vr", ["DA", "DT"])
@pytest.mark.parametrize("value", [value for value in IMPOSSIBLE_DATES if len(value) not in (4, 6)])
def test_what_is_no_possible_date_is_told(vr: str, value: bytes) -> None:
    """R1, R52: one of several is enough."""
    assert shift_value(vr, value, -1) is None
    assert shift_value(vr, b"20230101\\" + value, -1) is None
    assert shift_value(vr, value + b"\\\\20230101", -1) is None


@pytest.mark.parametrize("value", [b"2023", b"202301"])
def test_a_da_is_precise_to_the_day(value: bytes) -> None:
    assert shift_value("DA", value, -1) is None
    assert shift_value("DT", value, -1) is not None


@pytest.mark.parametrize("vr", ["DA", "DT"])
@pytest.mark.parametrize(
    ("value", "shift"), [(b"00010101", -1), (b"00011231", -365), (b"99991231", 1), (b"20230101", 2**40)]
)
def test_dates_do_not_leave_the_calendar(vr: str, value: bytes, shift: int) -> None:
    assert shift_value(vr, value, shift) is None


@pytest.mark.parametrize("vr", ["LO", "SH", "UI", "SQ", "OB", "UN", "AS", "da"])
def test_other_vrs_hold_no_dates(vr: str) -> None:
    assert shift_value(vr, b"20230101", -1) is None


# ---- DT --------------------------------------------------------------------------------------------------------


@given(days, times, offsets, shifts)
@example(date(2024, 3, 1), "235960.000001", "-1200", -1)
def test_times_and_offsets_of_a_dt_are_kept(day: date, time: str, offset: str, shift: int) -> None:
    """R52, R54: precision, time of day and UTC suffix, byte for byte."""
    new = yyyymmdd(day + timedelta(days=shift))
    assert shifted("DT", f"{yyyymmdd(day)}{time}{offset}", shift) == f"{new}{time}{offset}"


@given(days, offsets, shifts)
def test_partial_dates_move_from_their_middle(day: date, offset: str, shift: int) -> None:
    """R52, R54"""
    middle_of_year, middle_of_month = date(day.year, 7, 1), date(day.year, day.month, 15)
    year, month = middle_of_year + timedelta(days=shift), middle_of_month + timedelta(days=shift)
    assert shifted("DT", f"{day.year:04}{offset}", shift) == f"{year.year:04}{offset}"
    assert shifted("DT", f"{yyyymmdd(day)[:6]}{offset}", shift) == f"{yyyymmdd(month)[:6]}{offset}"


@given(days, days, st.sampled_from([4, 6, 8]), st.sampled_from([4, 6, 8]), shifts)
def test_order_is_kept_whatever_the_precision(
    one: date, other: date, length: int, other_length: int, shift: int
) -> None:
    """R52, R54"""
    common = min(length, other_length)
    before, after = sorted([yyyymmdd(one)[:length], yyyymmdd(other)[:other_length]], key=lambda text: text[:common])
    assume(before[:common] != after[:common])
    assert shifted("DT", before, shift)[:common] <= shifted("DT", after, shift)[:common]


@pytest.mark.parametrize(
    "rest",
    [
        b"24", b"1", b"1260", b"125", b"125961", b"12595", b"125959.", b"125959.1234567", b"12.5", b"1259.5", b"12:59",
        b"+1401", b"+1360", b"+14", b"-1201", b"-0000", b"-0060", b"+100", b"Z", b"1200Z", b"12+0100+0100", b" 12",
        b"12 +0100", b"+0100 DOE",
    ],
)  # fmt: skip
def test_what_is_no_possible_time_of_a_dt_is_told(rest: bytes) -> None:
    """R1, R52: the rest of a DT is kept, so it must be one."""
    assert shift_value("DT", b"20230101" + rest, -1) is None


@pytest.mark.parametrize(
    "value", [b"202", b"20230", b"2023010", b"20230112.5", b"000001", b"0000", b"202300", b"202313"]
)
def test_what_is_no_beginning_of_a_dt_is_told(value: bytes) -> None:
    assert shift_value("DT", value, -1) is None


def test_dt_values_are_stripped_and_padded() -> None:
    assert shift_value("DT", b" 2023010112\0\\\\2023 ", -1) == b"2022123112\\\\2023"
    assert shift_value("DT", b"20230101123456.5", -1) == b"20221231123456.5"
    assert shift_value("DT", b"20230101123456.12", -1) == b"20221231123456.12 "


# ---- TM --------------------------------------------------------------------------------------------------------


@given(times.filter(bool), shifts)
def test_times_come_back_as_they_are(time: str, shift: int) -> None:
    """R52, R54"""
    value = f"{time}\\\\{time} ".encode()
    new = shift_value("TM", value, shift)
    assert new == value + b" " * (len(value) % 2)


@pytest.mark.parametrize(
    "value", [b"", b"  ", b"12:34", b"12:34:56", b"23:59:60.123456", b"\0\x001234", b"235960", b"07 "]
)
def test_times_may_be_padded_retired_or_leap_seconds(value: bytes) -> None:
    assert shift_value("TM", value, -1) == value + b" " * (len(value) % 2)


@pytest.mark.parametrize(
    "value",
    [
        b"24", b"1", b"123", b"1260", b"123461", b"123456.", b"123456.1234567", b"12:3456", b"1234:56", b"12:",
        b"12:34:", b"12:34:5", b"1:34:56", b"12:34:56:78", b"JOHN DOE", b"1234+0100", b"12\n", b"12 34", b"20230101",
    ],
)  # fmt: skip
def test_what_is_no_possible_time_is_told(value: bytes) -> None:
    """R1, R52: what is kept must be a time."""
    assert shift_value("TM", value, -1) is None
    assert shift_value("TM", b"1234\\" + value, -1) is None


# ---- (0034,0007) -----------------------------------------------------------------------------------------------


@given(st.integers(36500 * 86400, 2**48 - 1), st.binary(min_size=4, max_size=4), shifts)
def test_a_timestamp_moves_by_whole_days(seconds: int, nanoseconds: bytes, shift: int) -> None:
    """R52, R54: also the temporal Attributes whose VR is no date."""
    new = shift_timestamp(seconds.to_bytes(6, "big") + nanoseconds, shift)
    assert new == (seconds + shift * 24 * 60 * 60).to_bytes(6, "big") + nanoseconds


def test_a_timestamp_does_not_leave_its_range() -> None:
    day = (86400).to_bytes(6, "big") + b"NANO"
    assert shift_timestamp(day, -1) == b"\0\0\0\0\0\0NANO"
    assert shift_timestamp(day, -2) is None
    assert shift_timestamp(b"\xff" * 10, 1) is None


@pytest.mark.parametrize("length", [0, 2, 8, 9, 11, 12, 20])
def test_what_is_no_timestamp_is_told(length: int) -> None:
    """R1, R52"""
    assert shift_timestamp(b"\1" * length, -1) is None
