"""The forms in which an identifying Value can stand in bytes: what `dcmveil.verifying` looks for.

A Value is read in every character set of its object and written in each of them, in UTF-8 and in Latin-1; of a person's
name (PS3.5 6.2.1) also groups, components and what people make of them: "Family Given", "Given Family", "Family,
Given". A form that is short, or a number, counts only where it stands alone. All forms are in lower case as far as they
are ASCII, and so must be the bytes they are looked for in.

Times, ages, codes and numbers (TM, AS, CS, DS, IS and binary VRs) have no forms: alone they tell of nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.charsets import TextError, decode_text, encode_text
from dcmveil.memos import LONGEST_MEMO, Remembering

__all__ = ["LONGEST", "Guard", "Needle", "needles_of", "stands_alone"]

LONGEST = 256  # bytes of a form: a text of more is found by its beginning
_ALWAYS = (b"ISO_IR 192", b"ISO_IR 100")
_MEMO_ENTRIES = 4096  # the objects of a study have most of their Values in common
_PADDING = " \0"
_LEAST_LETTERS, _LEAST_DIGITS, _LEAST_IDEOGRAPHS = 4, 5, 2
_LEAST_BINARY = 16
_UNMISTAKABLE = 8  # characters from which a text counts within a word too
_IDEOGRAPHS = re.compile("[\u2e80-\U0010ffff]")
_NAME_SEPARATORS = re.compile("[ ,=^]")
_NOT_A_DIGIT = re.compile("[^0-9]")
_DATE_DIGITS = 8

_Sets = tuple[bytes | None, ...]


class Guard(Enum):
    """Where a form counts."""

    NONE = auto()
    KANJI = auto()  # between escape sequences that make bytes below 0x80 ideographs
    WORD = auto()  # no letter or digit beside it
    NUMBER = auto()  # no digit beside it, nor one behind a point


class Needle(NamedTuple):
    """What a form stands for: the tag that the Value had, and where the form counts."""

    original: int
    guard: Guard


def needles_of(values: Iterable[tuple[int, str, bytes]], character_sets: Iterable[bytes | None]) -> dict[bytes, Needle]:
    """All forms of the `values`: tag, VR and bytes; `character_sets` are the Values of (0008,0005) in the object."""
    sets = tuple(dict.fromkeys([*character_sets, *_ALWAYS]))
    forms = _known_forms if sum(map(len, filter(None, sets))) <= LONGEST_MEMO else _forms
    needles: dict[bytes, Needle] = {}
    for tag, vr, value in values:
        for form, guard in forms(value, vr, sets):
            needles.setdefault(form, Needle(tag, guard))
    return needles


def _forms(value: bytes, vr: str, sets: _Sets) -> tuple[tuple[bytes, Guard], ...]:
    delimiters = "\\^=" if vr == "PN" else "\\"
    return tuple(
        form
        for text in _readings(value, sets, delimiters)
        for part, guard in _parts(vr, text)
        for form in _written(part, guard, sets, delimiters)
    )


_known_forms = Remembering(_MEMO_ENTRIES, _forms)

# ---- what is said --------------------------------------------------------------------------------------------------


def _readings(value: bytes, sets: _Sets, delimiters: str) -> Iterator[str]:
    """What the Value says, if it is in the one set or the other."""
    if value.isascii() and b"\x1b" not in value:
        yield value.decode("ascii")
        return
    for one in sets:
        try:
            yield decode_text(value, one, delimiters=delimiters)
        except TextError:
            continue
    yield value.decode("latin_1")  # byte by byte: whatever it says, it may stand so elsewhere


def _parts(vr: str, text: str) -> Iterator[tuple[str, Guard]]:
    """The texts that would give away what a Value says, and where they would."""
    split = _SPLIT.get(vr)
    if split is None:
        return
    for value in text.split("\\") if vr not in _SINGLE else [text]:
        for part in dict.fromkeys(split(value.strip(_PADDING))):
            guard = Guard.NUMBER if vr == "UI" else _guard(part, is_name=vr == "PN")
            if guard is not None:
                yield part, guard


def _guard(text: str, *, is_name: bool) -> Guard | None:
    """None if the text is too short to be looked for."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    if ideographs:
        return Guard.NONE if ideographs >= _LEAST_IDEOGRAPHS else None
    digits = sum(character.isdigit() for character in text)
    if digits and not any(map(str.isalpha, text)):
        return Guard.NUMBER if digits >= _LEAST_DIGITS else None
    if len(text) < _LEAST_LETTERS:
        return None
    is_one_word = is_name and not _NAME_SEPARATORS.search(text)
    return Guard.WORD if is_one_word or len(text) < _UNMISTAKABLE else Guard.NONE


def _name(value: str) -> Iterator[str]:
    yield value.strip(_PADDING + "^=")
    for group in value.split("="):
        yield group.strip(_PADDING + "^")
        components = [component.strip() for component in group.split("^")]
        yield from filter(_is_telling, components)
        said = list(filter(None, components))
        if len(said) > 1:
            yield from (" ".join(said), " ".join(reversed(said)), " ".join(said[:2]), " ".join(said[1::-1]))
            yield ", ".join(said[:2])


def _is_telling(component: str) -> bool:
    return sum(map(str.isalpha, component)) >= _LEAST_LETTERS or len(_IDEOGRAPHS.findall(component)) > 1


def _date(value: str) -> Iterator[str]:
    """The day alone, and with a time if there is one."""
    day = _NOT_A_DIGIT.sub("", value)[:_DATE_DIGITS]
    if len(day) == _DATE_DIGITS:
        yield from (day, value)


def _uid(value: str) -> Iterator[str]:
    if len(value) > _LEAST_DIGITS and not _tables.is_well_known_uid(value.encode("latin_1")):
        yield value


def _unknown(value: str) -> Iterator[str]:
    """Of VR UN: text, or enough bytes not to be found by chance."""
    if len(value) >= _LEAST_BINARY or value.isprintable():
        yield value


_SPLIT = {
    **dict.fromkeys(["AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT"], lambda value: iter([value])),
    **dict.fromkeys(["DA", "DT"], _date),
    "PN": _name,
    "UI": _uid,
    "UN": _unknown,
}
_SINGLE = frozenset({"LT", "ST", "UN", "UR", "UT"})


# ---- how it is written ---------------------------------------------------------------------------------------------

_ESCAPES = re.compile(rb"(?:\x1b[ -/]+[0-~])+")
_ESCAPE_END = re.compile(rb"\x1b[ -/]+[0-~]\Z")


def _written(text: str, guard: Guard, sets: _Sets, delimiters: str) -> Iterator[tuple[bytes, Guard]]:
    if text.isascii():
        yield _form(text.encode("ascii"), guard)
        return
    for one in sets:
        try:
            data = encode_text(text, one, delimiters=delimiters)
        except TextError:
            continue
        yield _form(data, guard)
        if b"\x1b" in data:
            yield from _within_a_run(data, guard)


def _form(data: bytes, guard: Guard) -> tuple[bytes, Guard]:
    return (data.lower(), guard) if len(data) <= LONGEST else (data[:LONGEST].lower(), Guard.NONE)


def _within_a_run(data: bytes, guard: Guard) -> Iterator[tuple[bytes, Guard]]:
    """The same where the sets are designated already: the codes alone, if they are of one set."""
    codes = [run for run in _ESCAPES.split(data) if run]
    if len(codes) == 1:
        yield _form(codes[0], Guard.KANJI if codes[0].isascii() else guard)


# ---- where it stands -----------------------------------------------------------------------------------------------

_NUMBER_BEFORE = re.compile(rb"[0-9]\.?\Z")
_NUMBER_AFTER = re.compile(rb"\.?[0-9]")


def stands_alone(piece: bytes, start: int, stop: int, guard: Guard) -> bool:
    """Does the form that is at `piece[start:stop]` count there? `piece` is a Value, or part of one."""
    if guard is Guard.NONE:
        return True
    if guard is Guard.KANJI:
        escape = piece.rfind(b"\x1b", 0, start)
        return escape >= 0 and piece[escape + 1 : escape + 2] == b"$"
    before, after = piece[max(0, start - 4) : start], piece[stop : stop + 2]
    if guard is Guard.NUMBER:
        return not _NUMBER_BEFORE.search(before) and not _NUMBER_AFTER.match(after)
    is_within = before[-1:].isalnum() and not _ESCAPE_END.search(before)
    return not is_within and not after[:1].isalnum()
