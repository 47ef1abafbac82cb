"""Specific Character Set (0008,0005): text as the bytes of a Value and back (PS3.5 6.1, PS3.3 C.12.1.1.2).

One set without code extensions is a codec of Python. With code extensions (ISO 2022) a set is designated by an escape
sequence when a character of it comes. The Japanese sets of 94 x 94 characters take the place of ASCII (G0), all others
are beside it (G1, bytes from 0xA0). What value 1 of (0008,0005) names is active again before every delimiter, before
TAB, LF, FF and CR, and at the end (PS3.5 6.1.2.5.3). ASCII is always written as ASCII, any other character in the
active set or, if that lacks it, in the first of (0008,0005) that has it.

What a set does not have is an error: nothing is replaced by question marks or by characters that look alike. What is
read may be less exact than what is written: any escape sequence that is known here counts, declared or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["DEFINED_TERMS", "TextError", "decode_text", "encode_text", "same_sets"]

# Defined Terms without code extensions, and what Python calls them.
_CODECS = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4", "ISO_IR 126": "iso8859_7", "ISO_IR 127": "iso8859_6", "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5", "ISO_IR 148": "iso8859_9", "ISO_IR 166": "tis_620", "ISO_IR 203": "iso8859_15",
    "ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
_CODE_EXTENSION = "ISO 2022 IR "
_CONTROLS = "\t\n\f\r"
_ESCAPE = b"\x1b"
_TO_ASCII = b"\x1b(B"
_TO_JIS_ROMAN = b"\x1b(J"
_FIRST_RIGHT = 0xA0  # the first code of the right half, G1
_TO_RIGHT = bytes(byte | 0x80 for byte in range(256))


class TextError(ValueError):
    """Why a text cannot be written or read, without the text."""


class _Set(NamedTuple):
    """A character set of ISO 2022: how it is designated, and where in a codec of Python its characters are found."""

    escape: bytes
    codec: str
    lead: bytes = b""
    width: int = 1
    is_g0: bool = False

    def write(self, character: str) -> bytes:
        """The code of a character, empty if the set does not have it."""
        try:
            code = character.encode(self.codec)
            if code.decode(self.codec) != character:  # such as the yen sign, which shift_jis makes a backslash
                return b""
        except UnicodeError:
            return b""
        own = code.removeprefix(self.lead)
        if len(own) != self.width or len(code) - len(own) != len(self.lead) or own[0] < _FIRST_RIGHT:
            return b""
        return bytes(byte & 0x7F for byte in own) if self.is_g0 else own

    def read(self, own: bytes) -> str:
        """The characters of codes of this set alone."""
        code = own.translate(_TO_RIGHT) if self.is_g0 else own
        if self.lead:
            code = b"".join(self.lead + code[at : at + self.width] for at in range(0, len(code), self.width))
        try:
            text = code.decode(self.codec)
        except UnicodeDecodeError:
            raise _illegible() from None
        if self.width == 1 and len(text) != len(own):  # a kanji: shift_jis has more than JIS X 0201
            raise _illegible()
        return text


# By the number in ISO 2022 IR nnn (PS3.3 Tables C.12-3 and C.12-4). ISO-IR 6 has nothing beside ASCII.
_KATAKANA = _Set(b"\x1b)I", "shift_jis")
_SETS: dict[str, _Set | None] = {
    "6": None,
    "13": _KATAKANA,
    "58": _Set(b"\x1b$)A", "gb2312", width=2),
    "87": _Set(b"\x1b$B", "euc_jp", width=2, is_g0=True),
    "100": _Set(b"\x1b-A", "latin_1"),
    "101": _Set(b"\x1b-B", "iso8859_2"),
    "109": _Set(b"\x1b-C", "iso8859_3"),
    "110": _Set(b"\x1b-D", "iso8859_4"),
    "126": _Set(b"\x1b-F", "iso8859_7"),
    "127": _Set(b"\x1b-G", "iso8859_6"),
    "138": _Set(b"\x1b-H", "iso8859_8"),
    "144": _Set(b"\x1b-L", "iso8859_5"),
    "148": _Set(b"\x1b-M", "iso8859_9"),
    "149": _Set(b"\x1b$)C", "euc_kr", width=2),
    "159": _Set(b"\x1b$(D", "euc_jp", lead=b"\x8f", width=2, is_g0=True),
    "166": _Set(b"\x1b-T", "tis_620"),
    "203": _Set(b"\x1b-b", "iso8859_15"),
}

DEFINED_TERMS = tuple(
    term.encode() for term in (*_CODECS, "ISO_IR 13", *(_CODE_EXTENSION + number for number in _SETS))
)
"""What a Value of (0008,0005) can be, even if together they make no sense."""


def encode_text(text: str, character_set: bytes | None, *, delimiters: str = "") -> bytes:
    """The bytes of `text` in the character sets that `character_set`, the Value of (0008,0005), names.

    `delimiters` are the characters that end a component, such as backslash. TextError if the sets lack a character of
    the text, or are unknown here and the text is not ASCII alone.
    """
    terms = _terms(character_set)
    if len(terms) == 1 and terms[0] in _CODECS:
        return _encode_with_codec(text, _CODECS[terms[0]])
    sets = _sets_of(terms)
    if sets is not None:
        return _Writer(sets, delimiters + _CONTROLS).encode(text)
    if not text.isascii():
        raise TextError("only ASCII can be written: the file's Specific Character Set is unknown to this program")
    return text.encode("ascii")


def decode_text(data: bytes, character_set: bytes | None, *, delimiters: str = "") -> str:
    """The text that `data` is in the character sets that `character_set` names: what `encode_text` takes, given back.

    TextError if bytes or an escape sequence have no meaning in the sets, or if these are unknown here and the bytes are
    not ASCII alone. 0x7E is a tilde everywhere, also where JIS X 0201 has its overline.
    """
    terms = _terms(character_set)
    if len(terms) == 1 and terms[0] in _CODECS and _ESCAPE not in data:
        return _decode_with_codec(data, _CODECS[terms[0]])
    sets = _sets_of(terms)
    if sets is not None:
        return _Reader(sets, delimiters + _CONTROLS).decode(data)
    if _ESCAPE in data:
        raise _illegible()
    return _decode_with_codec(data, "ascii")


def same_sets(one: bytes | None, other: bytes | None) -> bool:
    """Do two Values of (0008,0005) name the same sets? With and without code extensions a set is the same."""
    return _numbers(_terms(one)) == _numbers(_terms(other))


def _encode_with_codec(text: str, codec: str) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        raise _missing() from None  # its message would show the character


def _decode_with_codec(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        raise _illegible() from None


def _missing() -> TextError:
    return TextError("a character is not in the file's Specific Character Set")


def _illegible() -> TextError:
    return TextError("a text is not in the Specific Character Set that is given for it")


def _terms(character_set: bytes | None) -> list[str]:
    return [term.strip(" \0") for term in (character_set or b"").decode("latin_1").split("\\")]


def _numbers(terms: Sequence[str]) -> list[str]:
    """What is left of Defined Terms when with and without code extensions are the same, such as 100."""
    first, *others = (term.removeprefix(_CODE_EXTENSION).removeprefix("ISO_IR ") for term in terms)
    return [first or "6", *others]


def _sets_of(terms: Sequence[str]) -> list[_Set | None] | None:
    """The sets that (0008,0005) names, None if it cannot be understood.

    ISO_IR 100 for ISO 2022 IR 100 is wrong where there are several Values, but common. A multi-byte set is not allowed
    as value 1, but found there: it is then beside ASCII.
    """
    if not all(term in _CODECS or term == "ISO_IR 13" or term.startswith(_CODE_EXTENSION) for term in terms):
        return None
    numbers = _numbers(terms)
    if any(number not in _SETS for number in numbers):
        return None
    sets = [_SETS[number] for number in numbers]
    return [None, *sets] if sets[0] is not None and sets[0].width > 1 else sets


class _Writer:
    """Writes one text with code extensions. The first of `sets` is what is active at the start and after a reset."""

    def __init__(self, sets: Sequence[_Set | None], resetting: str) -> None:
        self.initial = sets[0]
        self.sets = [one for one in sets if one is not None]
        self.resetting = resetting
        self.roman = self.initial == _KATAKANA  # JIS X 0201: Katakana come with JIS Roman in the place of ASCII
        self.active = self.g1 = self.initial
        self.written = bytearray()

    def encode(self, text: str) -> bytes:
        for character in text:
            if character in self.resetting:
                self.reset()
            if character.isascii():
                self.write_ascii(character)
            else:
                self.write_other(character)
        self.reset()
        return bytes(self.written)

    def write_ascii(self, character: str) -> None:
        if self.roman and character == "~":  # an overline there
            raise _missing()
        self.leave_g0()
        self.written += character.encode("ascii")

    def write_other(self, character: str) -> None:
        code = self.active.write(character) if self.active is not None else b""
        if not code:
            code = self.enter_set_with(character)
        self.written += code

    def enter_set_with(self, character: str) -> bytes:
        """Designate the first set that has the character; its code there."""
        for one in self.sets:
            code = one.write(character)
            if code:
                self.leave_g0()
                self.written += one.escape
                self.active = one
                self.g1 = self.g1 if one.is_g0 else one
                return code
        raise _missing()

    def leave_g0(self) -> None:
        """Back to ASCII. What is in G1 counts as unknown then: not every reader remembers it over the escape."""
        if self.active is not None and self.active.is_g0:
            self.written += _TO_JIS_ROMAN if self.roman else _TO_ASCII
            self.active = None

    def reset(self) -> None:
        """What is active at the start is so again."""
        self.leave_g0()
        if self.initial is not None and self.g1 != self.initial:
            self.written += self.initial.escape
        self.active = self.g1 = self.initial


# Designations to be read. The first three mean the same to us, and nearly the same to their makers: JIS X 0208 of 1978,
# of 1983, and of 1983 with the longer escape sequence that the rule of ISO 2022 would give it.
_DESIGNATIONS: dict[bytes, _Set | None] = {
    b"\x1b$@": _SETS["87"],
    b"\x1b$(B": _SETS["87"],
    **{one.escape: one for one in _SETS.values() if one is not None},
    _TO_ASCII: None,
    _TO_JIS_ROMAN: None,
}
_RUNS = re.compile(rb"\x1b[ -/]*[0-~]?|[\x80-\xff]+|[^\x1b\x80-\xff]+")
_LINE_ENDS = re.compile(f"[{_CONTROLS}]".encode())


class _Reader:
    """Reads one text with code extensions, run by run: escape sequences, bytes from 0x80, and bytes below.

    Bytes from 0x80 where nothing is designated for them are not right, but common: where (0008,0005) has one set only
    that they can be of, they are of that.
    """

    def __init__(self, sets: Sequence[_Set | None], resetting: str) -> None:
        beside = {one for one in sets if one is not None and not one.is_g0}
        self.initial = sets[0] or (beside.pop() if len(beside) == 1 else None)
        self.resetting = re.compile(f"[{re.escape(resetting)}]".encode())
        self.g0: _Set | None = None  # ASCII
        self.g1 = self.initial
        self.found: list[str] = []

    def decode(self, data: bytes) -> str:
        for match in _RUNS.finditer(data):
            run = match[0]
            if run.startswith(_ESCAPE):
                self.designate(run)
            elif run.isascii():
                self.read_left(run)
            else:
                self.read_right(run)
        return "".join(self.found)

    def designate(self, escape: bytes) -> None:
        if escape not in _DESIGNATIONS:
            raise _illegible()
        one = _DESIGNATIONS[escape]
        if one is None or one.is_g0:
            self.g0 = one
        else:
            self.g1 = one

    def read_right(self, run: bytes) -> None:
        if self.g1 is None:
            raise _illegible()
        self.found.append(self.g1.read(run))

    def read_left(self, run: bytes) -> None:
        """Delimiters count in ASCII only; among the codes of kanji they are halves of these."""
        if self.g0 is not None:
            run = self.read_kanji(run, self.g0)
        if self.resetting.search(run):
            self.g1 = self.initial
        self.found.append(run.decode("ascii"))

    def read_kanji(self, run: bytes, kanji: _Set) -> bytes:
        """Up to the end of the line, which ends them too; what is left of the run. A space is a space among them."""
        end = _LINE_ENDS.search(run)
        stop = end.start() if end else len(run)
        self.found.append(" ".join(map(kanji.read, run[:stop].split(b" "))))
        if end:
            self.g0 = None
        return run[stop:]
