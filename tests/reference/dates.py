"""Modified dates (PS3.15 E.3.6): all dates of a patient move back by the same number of whole days.

A date without a day (DT allows a year, or a year and a month) is moved from its middle. What is no possible date, or
would leave the years 1 to 9999, is not moved: then None.
"""

from __future__ import annotations

import hmac
import re
from datetime import date, timedelta

from .model import Settings, padded

SECONDS = r"([0-5]\d|60)(\.\d{1,6})?"
TIME = rf"([01]\d|2[0-3])([0-5]\d({SECONDS})?)?"
RETIRED_TIME = rf"([01]\d|2[0-3]):[0-5]\d(:{SECONDS})?"
OFFSET = r"[+-]\d{4}"
DATE_TIME = re.compile(rf"(?P<year>\d{{4}})(?P<month>\d\d)?(?P<day>\d\d)?(?P<rest>({TIME})?({OFFSET})?)", re.ASCII)


def days_of(settings: Settings, patient_id: bytes, study_uid: bytes) -> int:
    """The shift of a patient, or of a study that does not say whose it is: from -window to -1."""
    subject = patient_id.strip(b"\0 ") or study_uid.strip(b"\0 ")
    digest = hmac.new(settings.secret, b"dcmveil/date\0" + subject, "sha256").digest()
    return -(1 + int.from_bytes(digest, "big") % settings.date_window)


def shifted(value: bytes, vr: str, days: int) -> bytes | None:
    """The value of a DA, DT or TM moved; times stay as they are, but must be times."""
    moved = [shifted_text(part.strip(b"\0 ").decode("latin-1"), vr, days) for part in value.split(b"\\")]
    texts = [text for text in moved if text is not None]
    if len(texts) < len(moved):
        return None
    return value if vr == "TM" else padded("\\".join(texts).encode(), vr)


def shifted_text(text: str, vr: str, days: int) -> str | None:
    """One Value of those."""
    if not text:
        return text
    if vr == "TM":
        return text if re.fullmatch(f"{TIME}|{RETIRED_TIME}", text, re.ASCII) else None
    return shifted_date(text, days) if vr == "DA" else shifted_date_time(text, days)


def shifted_date(text: str, days: int) -> str | None:
    """YYYYMMDD, or YYYY.MM.DD as it was once."""
    match = re.fullmatch(r"(\d{4})(\.?)(\d\d)\2(\d\d)", text, re.ASCII)
    day = match and moved_day(int(match[1]), int(match[3]), int(match[4]), days)
    return f"{day.year:04}{match[2]}{day.month:02}{match[2]}{day.day:02}" if match and day else None


def shifted_date_time(text: str, days: int) -> str | None:
    """A DT of any precision, with or without an offset from UTC; only a whole date can have a time."""
    match = DATE_TIME.fullmatch(text)
    if match is None or not has_possible_rest(match):
        return None
    month = int(match["month"] or 7)
    day = moved_day(int(match["year"]), month, int(match["day"] or (15 if match["month"] else 1)), days)
    if day is None:
        return None
    precision = 8 if match["day"] else 6 if match["month"] else 4
    return f"{day.year:04}{day.month:02}{day.day:02}"[:precision] + match["rest"]


def has_possible_rest(match: re.Match[str]) -> bool:
    """A time behind a whole date only; an offset from -1200 to +1400, but not -0000 (PS3.5 6.2)."""
    rest = match["rest"]
    if rest[:1].isdigit() and not match["day"]:
        return False
    offset = re.search(r"[+-]\d{4}$", rest)
    if offset is None:
        return True
    hours, minutes = int(offset[0][1:3]), int(offset[0][3:])
    size = hours * 60 + minutes
    return minutes < 60 and (size <= 14 * 60 if offset[0][0] == "+" else 0 < size <= 12 * 60)


def moved_day(year: int, month: int, day: int, days: int) -> date | None:
    """The day so many days on, if there are both."""
    try:
        return date(year, month, day) + timedelta(days)
    except (ValueError, OverflowError):
        return None


def shifted_timestamp(value: bytes, days: int) -> bytes | None:
    """Frame Origin Timestamp (0034,0007): 48 bits of seconds and 32 of nanoseconds, big-endian."""
    seconds = int.from_bytes(value[:6], "big") + days * 24 * 60 * 60
    return seconds.to_bytes(6, "big") + value[6:] if len(value) == 10 and 0 <= seconds < 1 << 48 else None
