"""Clean Descriptors: text that keeps what it says of the body and loses who it is about (PS3.15 E.3.5).

A Cleaner cuts out of a text what identifies in the object (`identity`), what identifies by the way it is written
(`traces`), and the words that its user wants dropped. Words that the user wants kept stay, unless they are a name or
an identifier of the object or are to be dropped as well: privacy goes first. Of the words of a text those that are left
are what they were, in their order; the white space and punctuation around a cut is made good.
"""

# ruff: noqa: RUF001 - punctuation of many scripts

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from dcmveil.errors import ResourceError, show_path
from dcmveil.folding import SPACELESS, WORD, Span, fold, in_order, is_spaceless
from dcmveil.identity import Identity
from dcmveil.memos import LONGEST_MEMO
from dcmveil.moments import Moment, find_moments
from dcmveil.textfiles import read_text
from dcmveil.traces import find_traces

__all__ = ["Cleaner", "read_words"]

MAX_BYTES = 16 << 20  # of a list of words

MEMO_ENTRIES = 4096
# Cutting can bring together what identifies then. A text that still changes after so many rounds is given up.
MOST_ROUNDS = 8


class _Reading(NamedTuple):
    """What a text is, whatever object it is of: folded, and what goes or stays in it."""

    text: str
    folded: str
    dropped: list[Span]
    kept: list[Span]
    moments: list[Moment]
    traces: list[Span]


class Cleaner:
    """Cleans the texts of any number of objects. Immutable; may be used by several threads.

    `keep_words` and `drop_words`: words and phrases, whatever their case and accents.
    """

    def __init__(self, *, keep_words: Iterable[str] = (), drop_words: Iterable[str] = ()) -> None:
        self._kept = _Phrases(keep_words)
        self._dropped = _Phrases(drop_words)
        self._remembered: Callable[[str], _Reading] = lru_cache(MEMO_ENTRIES)(self._read)

    def __repr__(self) -> str:
        return "Cleaner(...)"

    def clean(self, text: str, identity: Identity) -> str:
        """The text without what identifies, by the object's Values and by rule, and without words to drop.

        The same text if nothing has to go; empty if no word is left, and where finding out would take too long.
        """
        return self._clean(text, identity, lambda reading: reading.traces)

    def clean_identity(self, text: str, identity: Identity) -> str:
        """The same by the object's Values and the words to drop only, for texts that are full of numbers."""
        return self._clean(text, identity, lambda reading: _moments_of(reading.text, reading.moments, identity))

    def leaves(self, text: str, identity: Identity, *, by_rule: bool) -> bool:
        """Is it soon clear that `clean`, or without `by_rule` `clean_identity`, leaves the text as it is?"""
        if len(text) > LONGEST_MEMO:
            return False
        reading = self._remembered(text)
        if reading.dropped or (reading.traces if by_rule else reading.moments):
            return False
        return not identity.may_be_in(reading.folded)

    def _clean(self, text: str, identity: Identity, others: Callable[[_Reading], list[Span]]) -> str:
        for _round in range(MOST_ROUNDS):
            reading = self._remembered(text) if len(text) <= LONGEST_MEMO else self._read(text)
            found = identity.find(text, reading.folded)
            if found is None:
                return ""
            names, phrases = found
            spans = [*reading.dropped, *names, *_without_kept(phrases, reading.kept), *others(reading)]
            if not spans:
                return text
            text = _cut(text, in_order(spans))
        return ""

    def _read(self, text: str) -> _Reading:
        kept = in_order(self._kept.find(text))
        moments = find_moments(text)
        traces = _without_kept(_as_words(text, find_traces(text, moments)), kept)
        return _Reading(text, fold(text), self._dropped.find(text), kept, moments, traces)


def _moments_of(text: str, moments: list[Moment], identity: Identity) -> list[Span]:
    """Where dates and times of the object stand."""
    found = [moment for moment in moments if not identity.moments.isdisjoint(moment.meanings)]
    return _as_words(text, [(moment.start, moment.stop) for moment in found])


def _as_words(text: str, spans: list[Span]) -> list[Span]:
    """Spans with the whole of each word that they have a part of; in scripts without spaces nobody knows words."""
    if not spans:
        return spans
    words = (match for match in WORD.finditer(text) if not is_spaceless(match[0]))
    whole, at = in_order(spans), 0
    touched = []
    for word in words:
        while at < len(whole) and whole[at][1] <= word.start():
            at += 1
        if at < len(whole) and whole[at][0] < word.end():
            touched.append(word.span())
    return in_order([*whole, *touched])


def _without_kept(spans: list[Span], kept: list[Span]) -> list[Span]:
    """What is left of spans outside of others, which are in order."""
    if not kept or not spans:
        return spans
    ends = [end for _begin, end in kept]
    left = []
    for start, stop in spans:
        at = bisect_right(ends, start)
        while at < len(kept) and kept[at][0] < stop:
            begin, end = kept[at]
            if start < begin:
                left.append((start, begin))
            start, at = end, at + 1
        if start < stop:
            left.append((start, stop))
    return left


# ---- words of the user's own ---------------------------------------------------------------------------------


class _Phrases:
    """Words and phrases to be found as whole words; in scripts without spaces, wherever they are."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._signs: list[str] = []
        self._by_first: dict[str, list[list[str]]] = {}
        for phrase in phrases:
            words = [fold(word) for word in WORD.findall(phrase)]
            if len(words) == 1 and is_spaceless(phrase):
                self._signs.append(phrase.strip())
            elif words:
                self._by_first.setdefault(words[0], []).append(words)

    def find(self, text: str) -> list[Span]:
        found = [match.span() for signs in self._signs for match in re.finditer(re.escape(signs), text)]
        if self._by_first:
            places = [match.span() for match in WORD.finditer(text)]
            words = [fold(text[start:stop]) for start, stop in places]
            for at, word in enumerate(words):
                phrases = (phrase for phrase in self._by_first.get(word, ()) if words[at : at + len(phrase)] == phrase)
                found += [(places[at][0], places[at + len(phrase) - 1][1]) for phrase in phrases]
        return found


def read_words(path: str) -> list[str]:
    """The words and phrases of a file in UTF-8, one a line; lines that begin with # say what they like.

    ResourceError, with file and line and nothing of what is in it, if the file cannot be read or is not text.
    """
    lines = read_text(path, MAX_BYTES).splitlines()
    words = (_word_of(path, number, line.strip()) for number, line in enumerate(lines, 1))
    return [word for word in words if word]


def _word_of(path: str, number: int, text: str) -> str:
    if text.startswith("#"):
        return ""
    if text and not WORD.search(text):
        raise ResourceError(f"{show_path(path)}:{number}: no letter or digit")
    return text


# ---- cutting -------------------------------------------------------------------------------------------------

_STOPS = ",;:.、。，：；،؛"
_LOOSE = rf"{_STOPS}/|_\-–—=&#·・^"
_BEFORE_CUT = frozenset(_LOOSE.replace("\\", "") + " \t\xa0\u3000\r\n\f")
_AFTER_CUT = re.compile(rf"[{_LOOSE}]*+(?:\s++(?:[{_LOOSE}]++(?=\s|\Z))?+)*+")
_BREAKS = re.compile(r"\r\n|[\r\n\f]")
_MARK = re.compile(r"[,;.、。，；،؛/|_\-–—&·・]")  # a colon or equals sign tells of what has gone
_BRACKETS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "<": ">",
    "「": "」",
    "『": "』",
    "（": "）",
    "【": "】",
    '"': '"',
    "“": "”",
    "«": "»",
}
_CLOSING = frozenset(_BRACKETS.values())
_IS_SPACELESS = re.compile(f"[{SPACELESS}]")


class _Core(NamedTuple):
    """What stays between two cuts, without what is loose at its ends; `gap` is that, up to what stays before it."""

    start: int
    stop: int
    gap: str


def _cut(text: str, spans: list[Span]) -> str:
    """The text without spans, which are in order."""
    cores: list[_Core] = []
    gap = ""
    for start, stop in _between(spans, len(text)):
        core = _core(text, start, stop)
        if core.start >= core.stop:
            gap += text[start:stop]
            continue
        cores.append(core._replace(gap=gap + core.gap))
        gap = text[core.stop : stop]
        if len(cores) > 1:
            gap = _without_brackets(text, cores, gap)
    parts = [text[cores[0].start : cores[0].stop]] if cores else []
    for before, core in pairwise(cores):
        parts += [_joint(text[before.stop - 1], core.gap, text[core.start]), text[core.start : core.stop]]
    whole = "".join(parts).strip()
    return whole if WORD.search(whole) else ""


def _between(spans: list[Span], size: int) -> list[Span]:
    starts = [0, *(stop for _start, stop in spans)]
    return [*zip(starts, [*(start for start, _stop in spans), size], strict=True)]


def _core(text: str, start: int, stop: int) -> _Core:
    """Of what stays; at the ends of the text nothing is loose."""
    first, last = start, stop
    if start > 0:
        match = _AFTER_CUT.match(text, start, stop)
        first = match.end() if match else start
    while stop < len(text) and last > first and text[last - 1] in _BEFORE_CUT:
        last -= 1
    return _Core(first, last, text[start:first])


def _without_brackets(text: str, cores: list[_Core], gap: str) -> str:
    """Take away brackets with nothing left between them; what is loose behind the last core then."""
    while len(cores) > 1:
        before, after = cores[-2:]
        if _BRACKETS.get(text[before.stop - 1]) != text[after.start]:
            break
        head = before.stop - 1
        while head > before.start and text[head - 1] in _BEFORE_CUT:
            head -= 1
        tail = min(_AFTER_CUT.match(text, after.start + 1, after.stop).end(), after.stop)  # type: ignore[union-attr]
        inner = "".join(_BREAKS.findall(after.gap))
        loose = text[head : before.stop - 1] + inner + text[after.start + 1 : tail]
        del cores[-2:]
        if head > before.start:
            cores.append(before._replace(stop=head))
        else:
            loose = before.gap + loose
        if tail >= after.stop:
            return loose + gap
        cores.append(_Core(tail, after.stop, loose))
    return gap


def _joint(before: str, gap: str, after: str) -> str:
    """What stands between two parts that stay, made of what was loose between them."""
    breaks = "".join(_BREAKS.findall(gap))
    if breaks or before in _BRACKETS or after in _CLOSING:
        return breaks
    spaces = [character for character in gap if character.isspace()]
    marks: list[str] = _MARK.findall(gap)
    if not marks:
        return spaces[0] if spaces else _blank(before, after)
    mark = marks[-1]
    if mark in _STOPS:
        return f"{mark} " if spaces and mark.isascii() else mark
    if not spaces:
        return mark
    before, _mark, after = gap.rpartition(mark)
    return f" {mark} " if before[-1:].isspace() and after[:1] in ("", *spaces) else " "


def _blank(before: str, after: str) -> str:
    """A space where two words would become one."""
    is_one_word = WORD.fullmatch(before + after) is not None
    return " " if is_one_word and not _IS_SPACELESS.match(before) else ""
