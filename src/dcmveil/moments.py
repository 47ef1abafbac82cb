"""Dates and times in texts, in the notations that people use (PS3.15 E.3.5).

Numbers with points, strokes or hyphens between, with names of months in English, German, French and Spanish, with the
signs of Chinese, Japanese and Korean, and run together as in DICOM. What is found comes with the days that it can mean,
for 01/02/2020 is one of two. A month of a year is a date as well; a year alone is none.
"""

# ruff: noqa: RUF001 - apostrophes and colons as people write them

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["JOINT", "LETTERS", "Moment", "find_dates", "find_moments"]

# Characters that a number may not follow: letters of scripts with spaces between the words, and digits.
LETTERS = r"0-9A-Za-z\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\u0dff\uff10-\uff19"


# What stands between groups of digits that are one number.
JOINT = r"(?:[ \xa0\u3000]?[-–—‐‑/][ \xa0\u3000]?|[ \xa0\u3000]|[.,]|[ ]?\)[ -]?|[ ]?\()"


class Moment(NamedTuple):
    """A date or time at a place, the days (YYYYMMDD) or times (HHMM, HHMMSS) that it can be, none for a month.

    Digits run together are a date only to those who know which; `is_sure` is not said of them.
    """

    start: int
    stop: int
    meanings: tuple[str, ...]
    is_sure: bool = True


_MONTHS = (
    r"jan(?:uary|uar|vier|v)?|jänner|janner|enero|ene",
    r"feb(?:ruary|ruar|rero)?|f[ée]vr?(?:ier)?",
    r"mar(?:ch|zo|s)?|m[äa]e?rz|mrz",
    r"apr(?:il)?|avr(?:il)?|abr(?:il)?",
    r"may|mai|mayo",
    r"june?|juni|juin|junio",
    r"july?|juli|juil(?:let)?|julio",
    r"aug(?:ust)?|ao[uû]t|ago(?:sto)?",
    r"sept?(?:ember|embre|iembre)?|setiembre",
    r"oct(?:ober|obre|ubre)?|okt(?:ober)?",
    r"nov(?:ember|embre|iembre)?",
    r"dec(?:ember)?|dez(?:ember)?|d[ée]c(?:embre)?|dic(?:iembre)?",
)
_IN_MONTHS = re.compile(
    r"j[aäu][nl]|juin|f[eé][bv]|m[aäy][rei]|mrz|mai|may|a[pvb]r|a[uog][ogû]|sep|set|o[ck]t|nov|d[eéi][cz]|ene"
)
_DIGIT = re.compile(r"\d")
_LEAST_NUMERIC = 4  # digits of 1.3.48
_MONTH = re.compile("|".join(f"({names})" for names in _MONTHS), re.IGNORECASE)
_ANY_MONTH = "(?:" + "|".join(_MONTHS) + r")(?![^\W\d_])"
_GAP = r"[\s./-]{0,3}"
_ORDINAL = r"(?:st|nd|rd|th|er|[.ºª])?"
_OF = r"(?:of\s|de\s|del\s|d['’])?"

_NUMERIC = re.compile(
    rf"(?<![{LETTERS}])(?<!\d[.,])\*?"
    r"(?:(?P<y1>\d{4})(?P<s1>\s?[-/._]\s?|\s)(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<s2>\s?[-/._]\s?|\s)(?P<b>\d{1,2})(?P=s2)(?P<y2>\d{4}|\d\d))"
    r"(?!\d|[-/._]\d)"
)
_NAMED = tuple(
    re.compile(rf"(?<![{LETTERS}])(?<!\d[.,])(?:{pattern})(?![{LETTERS}])", re.IGNORECASE)
    for pattern in (
        rf"(?P<d>\d{{1,2}}){_ORDINAL}{_GAP}{_OF}(?P<m>{_ANY_MONTH})(?:{_GAP}{_OF}['’]?(?P<y>\d{{4}}|\d\d))?",
        rf"(?P<m>{_ANY_MONTH}){_GAP}(?P<d>\d{{1,2}}){_ORDINAL}(?:,?{_GAP}(?P<y>\d{{4}}))?",
        rf"(?P<m>{_ANY_MONTH})[\s.,/-]{{0,3}}{_OF}(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}}){_GAP}(?P<m>{_ANY_MONTH})(?:{_GAP}(?P<d>\d{{1,2}}))?",
    )
)
_SIGNED = re.compile(
    r"(?:(?P<y>\d{1,4}|元)\s?[年년]\s?)?(?P<m>\d{1,2})\s?[月월](?:\s?(?P<d>\d{1,2})\s?[日일号號])?|\d{4}\s?[年년]"
)
_MONTH_OF_YEAR = re.compile(
    rf"(?<![{LETTERS}])(?<!\d[.,/-])(?:(?:0?[1-9]|1[0-2])[/-](?:19|20)\d\d|(?:0[1-9]|1[0-2])\.(?:19|20)\d\d"
    rf"|(?:19|20)\d\d[-/](?:0[1-9]|1[0-2]))(?![{LETTERS}]|[-/.]\d)"
)
_TOGETHER = re.compile(r"(?<!\d)(?:\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?!\d)")
_CLOCK = re.compile(
    rf"(?<![\d:.,])(?<![{LETTERS}])(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d|60)(?:[.,]\d+)?)?"
    r"(?:Z|\s?[+-][01]\d:?[0-5]\d)?(?:\s?[ap]\.?m\b\.?|\s?(?:Uhr|hrs?|h)\b)?(?![\d:])",
    re.IGNORECASE,
)
_AFTER_T = re.compile(r"T(?=\d\d:\d\d)")
_HOURS = re.compile(
    rf"(?<![{LETTERS}])(?<!\d[.,])(?:(?P<h1>[01]?\d|2[0-3])[.:]?(?P<m1>[0-5]\d)?\s?(?:Uhr|[ap]\.m\.|(?<=\d)[ap]m\b|(?<=\s)(?-i:[AP]M)\b)"
    r"|(?P<h2>[01]?\d|2[0-3])\s?h(?P<m2>[0-5]\d))(?![^\W_])",
    re.IGNORECASE,
)
_IN_HOURS = re.compile(r"\d(?:\s?uhr|\s?[ap]\.?m|\s?h\d)")
_TIME_TOGETHER = re.compile(r"(?<!\d)\d{6}(?!\d)")

# Names of months that are words, or short for others, as in OCT 15 and MAR 2: without a year they need a capital only.
_AMBIGUOUS = re.compile(r"(?:(?!mai)\w{3}|sept)\Z", re.IGNORECASE)


def _day(year: str | None, month: str, day: str) -> Iterator[str]:
    """A day as YYYYMMDD, in each century that a short year can be of; nothing if there is no such day."""
    if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
        for century in ("",) if year is None or len(year) == 4 else ("19", "20"):
            whole = f"{century}{year or ''}"
            if not whole or "1850" <= whole <= "2150":
                yield f"{whole}{int(month):02}{int(day):02}"


def _month(name: str) -> str:
    match = _MONTH.match(name)
    return str(match.lastindex) if match else "0"


def find_dates(text: str) -> list[Moment]:
    """All dates, at whatever place: some may overlap."""
    digits = len(_DIGIT.findall(text))
    found: list[Moment] = []
    if digits >= _LEAST_NUMERIC:
        found += [*_numeric(text), *_together(text)]
        found += [Moment(*match.span(), ()) for match in _MONTH_OF_YEAR.finditer(text)]
    if digits and _IN_MONTHS.search(text.lower()):
        found += _named(text)
    if digits and not text.isascii():
        found += _signed(text)
    return found


def _numeric(text: str) -> Iterator[Moment]:
    for match in _NUMERIC.finditer(text):
        if match["y1"]:
            days = [*_day(match["y1"], match["m1"], match["d1"])]
        elif match["s2"].isspace() and len(match[0]) < len("31 12 2020"):
            continue  # numbers in a row
        else:
            first, second, year = match["a"], match["b"], match["y2"]
            days = [*_day(year, second, first), *_day(year, first, second)]
            if len(first) == len(year) == 2:
                days += _day(first, second, year)
        if days:
            yield Moment(*match.span(), tuple(days))


def _named(text: str) -> Iterator[Moment]:
    for match in (match for pattern in _NAMED for match in pattern.finditer(text)):
        found = match.groupdict()
        year, name, day = found.get("y"), match["m"], found.get("d")
        if year is None and _AMBIGUOUS.match(name) and not name.istitle():
            continue
        if day is None or any(_day(year, "1", day)):
            yield Moment(*match.span(), tuple(_day(year, _month(name), day)) if day and year else ())


def _signed(text: str) -> Iterator[Moment]:
    for match in _SIGNED.finditer(text):
        year, month, day = match["y"], match["m"], match["d"]
        is_whole = year is not None and len(year) == 4 and day is not None
        yield Moment(*match.span(), tuple(_day(year, month, day)) if is_whole else ())


def _together(text: str) -> Iterator[Moment]:
    """YYYYMMDD and the other orders, YYMMDD and the others, with a time or without."""
    for match in _TOGETHER.finditer(text):
        digits = match[0]
        days: list[str] = []
        if len(digits) in (8, 12, 14):
            days += _day(digits[:4], digits[4:6], digits[6:8])
            days += _day(digits[4:8], digits[2:4], digits[:2])
            days += _day(digits[4:8], digits[:2], digits[2:4])
        if len(digits) in (6, 10, 12):
            one, two, three = digits[:2], digits[2:4], digits[4:6]
            days += [*_day(one, two, three), *_day(three, two, one), *_day(three, one, two)]
        if days:
            yield Moment(*match.span(), tuple(days), is_sure=False)


def find_moments(text: str) -> list[Moment]:
    """All dates and times."""
    return [*find_dates(text), *_times(text)] if _DIGIT.search(text) else []


def _times(text: str) -> list[Moment]:
    found = [*_clocks(text)] if ":" in text else []
    found += [*_hours(text)] if _IN_HOURS.search(text.lower()) else []
    return [*found, *(Moment(*match.span(), (match[0],), False) for match in _TIME_TOGETHER.finditer(text))]


def _clocks(text: str) -> Iterator[Moment]:
    # In 2020-03-15T07:13 there is a letter before the time.
    for match in _CLOCK.finditer(_AFTER_T.sub(" ", text)):
        yield Moment(*match.span(), (f"{int(match['h']):02}{match['m']}{match['s'] or ''}",))


def _hours(text: str) -> Iterator[Moment]:
    for match in _HOURS.finditer(text):
        hour, minute = match["h1"] or match["h2"], match["m1"] or match["m2"] or "00"
        yield Moment(*match.span(), (f"{int(hour):02}{minute}",))
