"""Modified dates: all of a patient's dates moved by the same number of days (PS3.15 E.3.6).

The number is keyed: HMAC-SHA256 with the secret over ``b"dcmveil/date\\0" + subject``, from one day back to the whole
window, any of them as likely. There is no table to keep, and it is the same in every file, run and machine. Days are
whole, so times of day, time zones and all intervals stay as they are; what has no day (a year, or a year and a month)
is moved from its middle, so that nothing comes to stand before what it was after.

What is no possible date is not moved but told, for whatever it is instead may identify.
"""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from dcmveil.encode import pad
from dcmveil.memos import Remembering
from dcmveil.uids import MIN_SECRET_BYTES

__all__ = ["DEFAULT_WINDOW", "DateShifter", "shift_timestamp", "shift_value"]

DEFAULT_WINDOW = 365
MAX_WINDOW = 36500
MEMO_ENTRIES = 4096
SECONDS_PER_DAY = 86400

_PADDING = b"\0 "
_SECONDS = rb"(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?"  # 60 is a leap second
_TIME = rb"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:%s)?)?" % _SECONDS
_RETIRED_TIME = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::%s)?" % _SECONDS
# From -1200 to +1400; -0000 does not exist (PS3.5 6.2).
_OFFSET = rb"(?:\+(?:0[0-9]|1[0-3])[0-5][0-9]|\+1400|-(?!0000)(?:0[0-9]|1[01])[0-5][0-9]|-1200)"

_A_TIME = re.compile(rb"%s|%s" % (_TIME, _RETIRED_TIME))
# The date and the rest, which begins with a time only if the date is whole.
_A_DATE_TIME = re.compile(rb"([0-9]{4}(?:[0-9]{2}){0,2})((?:(?<=[0-9]{8})%s)?%s?)" % (_TIME, _OFFSET))
_MIDDLES = {len("YYYY"): b"0701", len("YYYYMM"): b"15", len("YYYYMMDD"): b""}


def _days(secret: bytes, window: int, subject: bytes) -> int:
    import hmac  # here: loading OpenSSL takes milliseconds

    digest = hmac.digest(secret, b"dcmveil/date\0" + subject, "sha256")
    return -1 - int.from_bytes(digest, "big") % window  # of 256 bits: no bias that could be measured


class DateShifter:
    """Says by how many days the dates of a patient move, with a secret of at least 16 bytes and a window of days.

    ValueError for a window outside 1..36500 and for a secret that is too short. May be used by several threads.
    """

    def __init__(self, secret: bytes, window: int = DEFAULT_WINDOW) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret must have at least {MIN_SECRET_BYTES} bytes")
        if not 1 <= window <= MAX_WINDOW:
            raise ValueError(f"the window for dates must be of 1 to {MAX_WINDOW} days")
        self._days = Remembering(MEMO_ENTRIES, partial(_days, bytes(secret), window))

    def __repr__(self) -> str:
        return "DateShifter(...)"

    def days(self, subject: bytes) -> int:
        """The shift for a patient, from -window to -1; `subject` is what names the patient, padding aside."""
        return self._days(subject.strip(_PADDING))


def shift_value(vr: str, value: bytes, days: int) -> bytes | None:
    """The new Value field, padded to even length, for that of a DA, DT or TM element with any number of Values.

    Times of VR TM come back as they are. None if a Value is none that its VR can have, or would leave the years 0001
    to 9999, and for every other VR. Empty Values stay empty.
    """
    values = [component.strip(_PADDING) for component in value.split(b"\\")]
    try:
        if vr == "DA":
            return pad(vr, b"\\".join([text and _shift_date(text, days) for text in values]))
        if vr == "DT":
            return pad(vr, b"\\".join([text and _shift_date_time(text, days) for text in values]))
    except (ValueError, OverflowError):
        return None
    if vr == "TM" and all(not text or _A_TIME.fullmatch(text) for text in values):
        return pad(vr, value)
    return None


def shift_timestamp(value: bytes, days: int) -> bytes | None:
    """The new Value of Frame Origin Timestamp (0034,0007): seconds in 48 bits, big-endian, and nanoseconds in 32.

    None if this is not its form, or if the seconds would leave their range.
    """
    if len(value) != 10:
        return None
    seconds = int.from_bytes(value[:6], "big") + days * SECONDS_PER_DAY
    return seconds.to_bytes(6, "big") + value[6:] if 0 <= seconds < 1 << 48 else None


def _shift_date(text: bytes, days: int) -> bytes:
    """A DA moved: YYYYMMDD, or YYYY.MM.DD as it was before DICOM 3.0. ValueError if it is none."""
    if len(text) == 10 and text[4:5] == text[7:8] == b".":
        moved = _shift_digits(text[:4] + text[5:7] + text[8:], days)
        return b"%s.%s.%s" % (moved[:4], moved[4:6], moved[6:])
    return _shift_digits(text, days)


def _shift_date_time(text: bytes, days: int) -> bytes:
    """A DT moved, as precise as it was. ValueError if it is none."""
    match = _A_DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    digits, rest = match.groups()
    return _shift_digits(digits + _MIDDLES[len(digits)], days)[: len(digits)] + rest


def _shift_digits(digits: bytes, days: int) -> bytes:
    """YYYYMMDD moved. ValueError, or OverflowError, if there is no such day or none to come to."""
    if len(digits) != 8 or not digits.isdigit():  # the parser knows ordinal weeks as well
        raise ValueError("not eight digits")
    day = date.fromisoformat(digits.decode("ascii")).toordinal()
    return date.fromordinal(day + days).isoformat().replace("-", "").encode("ascii")
