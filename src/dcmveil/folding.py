"""Text without case, accents, widths and separators, for comparing what is the same to a reader (PS3.15 E.3.5).

Each character is folded by itself, so every character of the folded text is of one character of the original. The words
of a text are the same before and after: runs of characters that are not separators, where scripts that are written
without spaces (Han, Kana, Hangul, Thai and their kin) and all others are never in one word.
"""

# ruff: noqa: RUF001 - letters of many scripts, some alike

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right

__all__ = ["SPACELESS", "WORD", "Layout", "Span", "fold", "in_order", "is_spaceless"]

Span = tuple[int, int]

_SEPARATORS = (
    r"\0-/:-@\[-`{-\xa9\xab\xac\xae-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7"
    r"\u037e\u0387\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05f3\u05f4\u060c\u061b\u061e\u061f\u066a-\u066d\u06d4"
    r"\u0964\u0965\u0e2f\u1680\u2000-\u200a\u2010-\u2029\u202f-\u205f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f"
    r"\u3000-\u3004\u3008-\u3020\u3030\u303d\u30fb\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40"
    r"\uff5b-\uff65"
)
SPACELESS = (
    r"\u0e01-\u0e2e\u0e30-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u302f\u3031-\u303c"
    r"\u3040-\u30fa\u30fc-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    r"\uff66-\uffdc\U00020000-\U0003ffff"
)
WORD = re.compile(f"[{SPACELESS}]+|[^{_SEPARATORS}{SPACELESS}]+")
_SEPARATOR = re.compile(f"[{_SEPARATORS}]")
_SPACELESS = re.compile(f"[{SPACELESS}]")

# What Unicode does not decompose, but people write in place of each other; invisible characters; an apostrophe.
_ALIKE = {
    "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "æ": "ae", "Æ": "ae", "œ": "oe",
    "Œ": "oe", "þ": "th", "Þ": "th", "ı": "i", "ħ": "h", "Ħ": "h", "ة": "ه", "ى": "ي", "ـ": "", "ʼ": "", "\xad": "",
    **dict.fromkeys(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]), ""),
}  # fmt: skip
_MOST_FOLDS = 1 << 14


def _fold(character: str) -> str | int | None:
    """A character folded, as str.translate wants it: ASCII as a number, nothing as None."""
    if _SEPARATOR.match(character):
        return None
    plain = unicodedata.normalize("NFKD", _ALIKE.get(character, character))
    kept = (one for one in plain if not unicodedata.combining(one) and not _SEPARATOR.match(one))
    folded = "".join(str(unicodedata.decimal(one, one)) for one in kept).casefold()
    return ord(folded) if len(folded) == 1 and folded.isascii() else folded or None


class _Folds(dict[int, "str | int | None"]):
    """Folded characters by their numbers, made when they are first met; not all are remembered."""

    def __missing__(self, code: int) -> str | int | None:
        folded = _fold(chr(code))
        if len(self) < _MOST_FOLDS:
            self[code] = folded
        return folded


_FOLDS = _Folds({code: _fold(chr(code)) for code in range(128)})


_ASCII = bytes(range(128))
_ASCII_LOWER = _ASCII.lower() + bytes(range(128, 256))
_ASCII_SEPARATORS = bytes(code for code in _ASCII if _FOLDS[code] is None)


def fold(text: str) -> str:
    """The text folded: letters and digits only, one behind the other."""
    if text.isascii():  # most are, and this is many times faster
        return text.encode("ascii").translate(_ASCII_LOWER, _ASCII_SEPARATORS).decode("ascii")
    return text.translate(_FOLDS)


def is_spaceless(text: str) -> bool:
    """Whether a character of a script without spaces is in the text."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def in_order(spans: list[Span]) -> list[Span]:
    """Spans sorted, and those that touch or overlap made one."""
    ordered: list[Span] = []
    for start, stop in sorted(spans):
        if ordered and start <= ordered[-1][1]:
            ordered[-1] = (ordered[-1][0], max(stop, ordered[-1][1]))
        else:
            ordered.append((start, stop))
    return ordered


class Layout:
    """Where the words of a text are in it (`words`), and where in the folded text they start (`starts` and end)."""

    __slots__ = ("_places", "folded", "starts", "text", "words")

    def __init__(self, text: str, folded: str) -> None:
        self.text = text
        self.folded = folded
        self.words = [match.span() for match in WORD.finditer(text)]
        self.starts = [0]
        for start, stop in self.words:
            self.starts.append(self.starts[-1] + len(fold(text[start:stop])))
        self._places: dict[int, dict[int, int]] = {}

    def word_at(self, place: int) -> int:
        """The number of the word that a place in the folded text is in."""
        return bisect_right(self.starts, place) - 1

    def word_before(self, place: int) -> int:
        """The number of the word that ends at a place in the folded text or has it within."""
        return bisect_left(self.starts, place) - 1

    def span(self, first: int, last: int) -> Span:
        """Where in the text words are."""
        return self.words[first][0], self.words[last][1]

    def characters(self, first: int, last: int, start: int, stop: int) -> Span | None:
        """Where in the text a part of the folded text is, within the words given; None if it cuts a character apart.

        Of words of other scripts the whole.
        """
        begin = self._character(first, start) if self._is_spaceless(first) else self.words[first][0]
        end = self._character(last, stop) if self._is_spaceless(last) else self.words[last][1]
        return None if begin is None or end is None else (begin, end)

    def _is_spaceless(self, word: int) -> bool:
        return _SPACELESS.match(self.text, self.words[word][0]) is not None

    def _character(self, word: int, place: int) -> int | None:
        """The character of a word whose folded form begins at a place, or the end of the word."""
        if word not in self._places:
            self._places[word] = self._places_of(word)
        return self._places[word].get(place)

    def _places_of(self, word: int) -> dict[int, int]:
        """Characters that begin at places of the folded text. What folds to nothing belongs to what is before it."""
        at, (start, stop) = self.starts[word], self.words[word]
        places = {}
        for index in range(start, stop):
            length = len(fold(self.text[index]))
            if length:
                places[at] = index
            at += length
        places[at] = stop
        return places
