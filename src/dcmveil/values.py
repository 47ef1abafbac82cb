"""Text as the Value field of a Data Element, validated against its VR (PS3.5 6.2, Table 6.2-1).

Text VRs hold what their repertoire allows, in the file's Specific Character Set; their lengths are in characters.
Numbers are decimal. OB and OW to OV are hexadecimal, byte by byte or word by word, and AT is a tag; a Value
of UN is taken as text. Several Values are separated by backslash where the VR allows it. An empty text is an empty
Value of any VR but SQ.

What cannot be a Value is an error that names tag and VR and says what is expected, never what was given.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Literal, NamedTuple

from dcmveil import _tables
from dcmveil.charsets import TextError, encode_text
from dcmveil.encode import Encoding
from dcmveil.errors import DcmveilError
from dcmveil.tags import format_tag, parse_tag
from dcmveil.uids import is_well_formed

__all__ = ["ValueProblem", "choose_vr", "encode_value"]

_UNDECODABLE = re.compile("[\ud800-\udfff]")


class ValueProblem(DcmveilError):
    """A text that cannot be the Value of an element; `what` is expected there instead."""

    def __init__(self, tag: int, vr: str, what: str) -> None:
        super().__init__(f"{format_tag(tag)} {vr}: {what}")
        self.tag = tag
        self.vr = vr
        self.what = what


def encode_value(tag: int, vr: str, text: str, *, character_set: bytes | None, encoding: Encoding) -> bytes:
    """The Value field for `text`, not padded, in the byte order of `encoding`.

    `character_set` is the Value of (0008,0005) that holds at this place, None for none. Raises ValueProblem.
    """
    encode = _ENCODERS.get(vr)
    if encode is None:
        raise ValueProblem(tag, vr, "a Sequence has no text Value" if vr == "SQ" else "is no VR with a text Value")
    if _UNDECODABLE.search(text):
        raise ValueProblem(tag, vr, "the text is not in the encoding of the command line")
    try:
        return encode(text, character_set, encoding) if text else b""
    except _Unfit as unfit:
        raise ValueProblem(tag, vr, str(unfit)) from None


def choose_vr(tag: int, text: str) -> str | None:
    """The VR of an element that is to be inserted with this text; None if the tag is unknown.

    Of the dictionary's alternatives it is the first that the text is a Value of, else the first of all. A private
    creator is LO, any other private element UN.
    """
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    first = _tables.dictionary_vr(tag)
    if first is None:
        return None
    vrs = _tables.dictionary_vrs(tag)
    others = [_tables.vr_name(index) for index in range(vrs.bit_length()) if vrs >> index & 1]
    return next((vr for vr in [first, *others] if _fits(tag, vr, text)), first)


def _fits(tag: int, vr: str, text: str) -> bool:
    try:
        encode_value(tag, vr, text, character_set=b"ISO_IR 192", encoding=Encoding.EXPLICIT_LE)
    except ValueProblem:
        return False
    return True


class _Unfit(ValueError):
    """What is expected instead of this text."""


# ---- strings of the Default Character Repertoire ------------------------------------------------------------------

_TIME = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_DATE_TIME = re.compile(rf"([0-9]{{4}}(?:[0-9]{{2}}){{0,2}}|[0-9]{{8}}{_TIME})([+-][0-9]{{4}})?", re.ASCII)
_OFFSETS = (-1200, 1400)


class _Form(NamedTuple):
    """What a string looks like: a pattern for the whole, and what that cannot say."""

    what: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = bool
    single: bool = False


def _is_date(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6] or "1"), int(text[6:8] or "1"))
    except ValueError:
        return False
    return True


def _is_date_time(text: str) -> bool:
    """The offset from UTC: -0000 does not exist, and there are no more than 59 minutes."""
    match = _DATE_TIME.fullmatch(text)
    if match is None or not _is_date(match[1]):
        return False
    offset = match[2]
    in_range = offset is None or (_OFFSETS[0] <= int(offset) <= _OFFSETS[1] and int(offset[3:]) < 60)
    return in_range and offset != "-0000"


def _is_integer(text: str) -> bool:
    return -(2**31) <= int(text) < 2**31


_FORMS = {
    "AE": _Form("up to 16 ASCII characters expected, not only spaces", re.compile(r"(?! *\Z)[ -\[\]-~]{1,16}")),
    "AS": _Form("an age such as 018M expected, in D, W, M or Y", re.compile(r"[0-9]{3}[DWMY]")),
    "CS": _Form("up to 16 capitals, digits, spaces and underscores expected", re.compile(r"[A-Z0-9 _]{1,16}")),
    "DA": _Form("a date YYYYMMDD expected", re.compile(r"[0-9]{8}"), _is_date),
    "DS": _Form(
        "a decimal number of up to 16 characters expected",
        re.compile(r"(?=.{1,16}\Z) *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]+)? *"),
    ),
    "DT": _Form("a date and time YYYYMMDDHHMMSS.FFFFFF+ZZXX expected, or its beginning", _DATE_TIME, _is_date_time),
    "IS": _Form(
        "an integer of up to 12 characters from -2147483648 to 2147483647 expected",
        re.compile(r"(?=.{1,12}\Z) *[+-]?[0-9]+ *"),
        _is_integer,
    ),
    "TM": _Form("a time HHMMSS.FFFFFF expected, or its beginning", re.compile(_TIME)),
    "UI": _Form(
        "a UID expected: numbers without leading zeros, separated by dots, of up to 64 characters",
        re.compile(r"[0-9.]+"),
        lambda text: is_well_formed(text.encode("ascii")),
    ),
    "UR": _Form(
        "a URI expected, in ASCII and without spaces",
        re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"),
        single=True,
    ),
}


def _encode_string(form: _Form, text: str, _character_set: bytes | None, _encoding: Encoding) -> bytes:
    for value in [text] if form.single else text.split("\\"):
        if value and not (form.pattern.fullmatch(value) and form.check(value)):
            raise _Unfit(form.what)
    return text.encode("ascii")


# ---- text in the Specific Character Set ---------------------------------------------------------------------------

_ANY_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_OTHER_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_MAX_GROUP, _MAX_GROUPS, _MAX_COMPONENTS = 64, 3, 5  # of a PN


class _Text(NamedTuple):
    """How long one Value may be, in characters, and what ends it; with lines, it is a single Value of several."""

    most: int | None
    delimiters: str = "\\"
    lines: bool = False


_TEXTS = {
    "LO": _Text(64),
    "LT": _Text(10240, "", lines=True),
    "PN": _Text(None, "\\^="),
    "SH": _Text(16),
    "ST": _Text(1024, "", lines=True),
    "UC": _Text(None),
    "UN": _Text(None, lines=True),
    "UT": _Text(None, "", lines=True),
}


def _encode_text(rule: _Text, text: str, character_set: bytes | None, _encoding: Encoding) -> bytes:
    if (_OTHER_CONTROL if rule.lines else _ANY_CONTROL).search(text):
        raise _Unfit("text without control characters expected")
    values = text.split("\\") if "\\" in rule.delimiters else [text]
    if rule.most is not None and max(map(len, values)) > rule.most:
        raise _Unfit(f"up to {rule.most} characters expected")
    if "^" in rule.delimiters and not all(map(_is_person_name, values)):
        raise _Unfit("a name expected: up to 3 groups of 64 characters, with = between, each of up to 5 components")
    try:
        return encode_text(text, character_set, delimiters=rule.delimiters)
    except TextError as error:
        raise _Unfit(str(error)) from None


def _is_person_name(value: str) -> bool:
    groups = value.split("=")
    return len(groups) <= _MAX_GROUPS and all(
        len(group) <= _MAX_GROUP and group.count("^") < _MAX_COMPONENTS for group in groups
    )


# ---- binary -------------------------------------------------------------------------------------------------------

_INTEGER = re.compile(r" *[+-]?[0-9]{1,40} *")
_REAL = re.compile(r" *[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[Ee][+-]?[0-9]{1,9})? *")
_INTEGERS = {"SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_REALS = {"FD": "d", "FL": "f"}
_WORD_BYTES = {"OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2}


def _encode_integers(code: str, text: str, _character_set: bytes | None, encoding: Encoding) -> bytes:
    bits = 8 * struct.calcsize(f"={code}")
    low, high = (0, 2**bits) if code.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    values = text.split("\\")
    if not all(_INTEGER.fullmatch(value) and low <= int(value) < high for value in values):
        raise _Unfit(f"an integer from {low} to {high - 1} expected")
    return struct.pack(f"{encoding.order}{len(values)}{code}", *map(int, values))


def _encode_reals(code: str, text: str, _character_set: bytes | None, encoding: Encoding) -> bytes:
    values = text.split("\\")
    if not all(map(_REAL.fullmatch, values)):
        raise _Unfit("a decimal number expected")
    numbers = [float(value) for value in values]
    try:
        if float("inf") in map(abs, numbers):
            raise OverflowError
        return struct.pack(f"{encoding.order}{len(numbers)}{code}", *numbers)
    except OverflowError:
        raise _Unfit(f"a number that fits into {8 * struct.calcsize(f'={code}')} bits expected") from None


def _encode_words(size: int, text: str, _character_set: bytes | None, encoding: Encoding) -> bytes:
    words = text.split("\\")
    pattern = re.compile(f"[0-9A-Fa-f]{{{2 * size}}}")
    if not all(map(pattern.fullmatch, words)):
        raise _Unfit(f"{2 * size} hexadecimal digits expected, or several such separated by backslash")
    order: Literal["big", "little"] = "big" if encoding is Encoding.EXPLICIT_BE else "little"
    return b"".join(int(word, 16).to_bytes(size, order) for word in words)


def _encode_tags(text: str, _character_set: bytes | None, encoding: Encoding) -> bytes:
    try:
        tags = [parse_tag(value) for value in text.split("\\")]
    except ValueError as error:
        raise _Unfit(str(error)) from None
    return b"".join(struct.pack(f"{encoding.order}HH", tag >> 16, tag & 0xFFFF) for tag in tags)


_Encoder = Callable[[str, bytes | None, Encoding], bytes]
_ENCODERS: dict[str, _Encoder] = {
    "AT": _encode_tags,
    **{vr: partial(_encode_string, form) for vr, form in _FORMS.items()},
    **{vr: partial(_encode_text, rule) for vr, rule in _TEXTS.items()},
    **{vr: partial(_encode_integers, code) for vr, code in _INTEGERS.items()},
    **{vr: partial(_encode_reals, code) for vr, code in _REALS.items()},
    **{vr: partial(_encode_words, size) for vr, size in _WORD_BYTES.items()},
}
