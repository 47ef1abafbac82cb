"""What identifies in a text by the way it is written, whoever it is about (PS3.15 E.3.5).

Dates and times, telephone and other long numbers, addresses of mail, web and network, names behind a title or a label.
Measurements, ranges, sizes and lists of parameters are numbers as well, and stay.

Every pattern is linear in the text: what can begin anywhere in a run begins only where the run does, and what repeats
has either one way to match or a bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dcmveil.folding import Span
from dcmveil.moments import JOINT, LETTERS, Moment
from dcmveil.namings import find_namings

__all__ = ["find_traces"]

_DIGIT = re.compile(r"\d")


def find_traces(text: str, moments: Iterable[Moment]) -> list[Span]:
    """All places of a text that go by rule, the dates and times in it among them; some may overlap."""
    found = [(moment.start, moment.stop) for moment in moments if moment.is_sure]
    if len(_DIGIT.findall(text)) >= _MIN_GLUED:
        found += _numbers(text)
    found += [match.span() for sign, pattern in _NETWORK if sign in text for match in pattern.finditer(text)]
    return [*found, *find_namings(text)]


# ---- numbers -------------------------------------------------------------------------------------------------------

_MIN_GLUED, _MIN_RUN, _MIN_GROUPED = 5, 6, 7  # digits
_GLUED = re.compile(rf"(?<![{LETTERS}])(?=[{LETTERS}]*?\d{{{_MIN_GLUED}}})[{LETTERS}]+")
_SETTING = re.compile(r"(?:tr|te|ti|b)?\d{2,3}00(?:ms|us|µs|hz|khz|mm)?", re.IGNORECASE)
_CLUSTER = re.compile(rf"(?<![{LETTERS}])(?:\+|\(\+?)?\d+(?:{JOINT}\d+)*(?![{LETTERS}])")
_GROUP = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d{1,5}[.,]\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,4}")
_BETWEEN_NUMBERS = re.compile(r"[^\d.,]+")
_PART = re.compile(r"[^ \xa0\u3000]*\d[^ \xa0\u3000]*")
_TELEPHONE = re.compile(r"(?:\+|\(|0\d)")


def _numbers(text: str) -> Iterator[Span]:
    for match in _GLUED.finditer(text):
        if not match[0].isdigit() and not _SETTING.fullmatch(match[0]):
            yield match.span()
    for match in _CLUSTER.finditer(text):
        if len(match[0]) >= _MIN_RUN and _identifies(match[0]):
            yield from _parts(match)


def _parts(cluster: re.Match[str]) -> Iterator[Span]:
    """The whole, or of other numbers in a row those parts that identify by themselves."""
    own = [] if _TELEPHONE.match(cluster[0]) else [part for part in _PART.finditer(cluster[0]) if _identifies(part[0])]
    for part in own or [cluster]:
        at = 0 if part is cluster else cluster.start()
        yield at + part.start(), at + part.end()


def _identifies(cluster: str) -> bool:
    """Whether digits, in groups or not, are a number that somebody or something has."""
    groups = _GROUP.findall(cluster)
    longest, digits = max(map(len, groups)), sum(map(len, groups))
    if digits < _MIN_RUN or _are_measures(cluster):
        return False
    if longest >= _MIN_RUN:
        return True
    if len(groups) >= 4 and cluster.count(".") == len(groups) - 1:
        return True  # of a network, or a UID
    return digits >= _MIN_GROUPED and (
        longest == 5 or bool(_TELEPHONE.match(cluster)) or _is_telephone(groups, cluster)
    )


def _are_measures(cluster: str) -> bool:
    """Decimal numbers, alone or in a row with others that are short."""
    numbers = [number for number in _BETWEEN_NUMBERS.split(cluster) if number]
    has_decimals = any("." in number or "," in number for number in numbers)
    return has_decimals and all(map(_DECIMAL.fullmatch, numbers))


def _is_telephone(groups: list[str], cluster: str) -> bool:
    """Round numbers and years in a row are settings; with strokes between, other short numbers are as well."""
    sizes = [*map(len, groups)]
    if all(group.endswith("0") or (len(group) == 4 and group[:2] in ("19", "20")) for group in groups):
        return False
    if len(set(groups)) < len(groups):
        return False  # a matrix
    if "/" in cluster:
        return sizes == [3, 3, 4]
    return 2 <= len(groups) <= 4 and max(sizes) >= 3


# ---- addresses of mail, web and network ---------------------------------------------------------------------------

_DOMAIN = r"[\w-]+(?:\.[\w-]+)*"
_NO_BREAK = r"[^\s<>\"'()]"
_COUNTRIES = "de|fr|uk|ch|at|nl|be|it|es|pt|jp|cn|kr|ru|au|ca|br|se|dk|fi|pl|gr|eu|local|lan|intern"
# Each with a sign that it never is without.
_NETWORK = (
    ("@", re.compile(rf"(?<![\w.+%@-])[\w.+%-]++@(?:\[[^\]\s]{{0,64}}\]|{_DOMAIN})")),
    (":", re.compile(rf"(?<![^\W_])(?:https?|s?ftp|file|dicom|tel|mailto):(?://)?{_NO_BREAK}+", re.IGNORECASE)),
    (".", re.compile(rf"(?<![^\W_])www\d?\.{_NO_BREAK}+", re.IGNORECASE)),
    (
        ".",
        re.compile(
            r"(?<![\w.-])(?:(?:[a-z0-9][\w-]{0,62}\.){1,6}(?:com|org|net|edu|gov|mil|info|biz|invalid)"
            rf"|(?:[a-z][\w-]{{1,62}}\.){{2,6}}(?:{_COUNTRIES}))(?![\w-])(?:/{_NO_BREAK}*)?",
            re.IGNORECASE,
        ),
    ),
    (".", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?(?!\w|\.\d)")),
    (":", re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4})?(?::[0-9a-f]{0,4}){3,7}(?![\w:])", re.IGNORECASE)),
    ("-", re.compile(r"(?<![\w-])[0-9a-f]{2}(?:-[0-9a-f]{2}){5}(?![\w-])", re.IGNORECASE)),
)
