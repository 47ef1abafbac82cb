"""What identifies in one object, and where in a text it stands (PS3.15 E.3.5: identifying Values within descriptors).

Each identifying Value becomes a few forms: of a name the components, whole and word by word, and the ways in which they
are run together or shortened; of an identifier the characters without separators and leading zeros; of an institution
or address the phrase and its parts. Forms are folded, and are looked for in the folded text; what is found counts if
it begins and ends where words do, as the form demands. Most texts have none: whether a part that all forms of a Value
have is in the text is asked first, and mostly that is all.

Dates and times are not looked for here, for they are written in too many ways: `moments` is for those who find any.
"""

# ruff: noqa: RUF001 - apostrophes and dashes as people write them

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, NoReturn

from dcmveil.folding import Layout, Span, fold, is_spaceless
from dcmveil.memos import LONGEST_MEMO
from dcmveil.stems import LONGEST, Stems
from dcmveil.vocabulary import COMMON

__all__ = ["Identity"]

MEMO_ENTRIES = 4096

_MIN_WORD = 2  # letters of a name, alone
_MIN_PART = 3  # letters of a word within a component; characters of an identifier
_MIN_WITHIN = 5  # characters of an identifier that is found within a longer word; letters of a name that is inflected
_MIN_JOINED_WITHIN = 6  # letters of family and given name, run together within a longer word
_MOST_ENDING = 2  # letters that inflection adds
_MOST_SOURCES = 64  # that are looked for in a text, and one more for so many characters of it
_CHARACTERS_EACH = 8
_MOST_WORK = 1 << 26  # characters of a text times the forms that are looked for in it


class _Kind:
    """How a form has to stand in a text: plain texts, for forms are hashed a lot, and members of an Enum take long."""

    NAME = "as words of its own, digits may follow"
    INITIALS = "as words of its own, side by side"
    JOINED = "the same, or within a word"
    CHARACTERS = "anywhere in one run of a script without spaces"
    JOINED_CHARACTERS = "anywhere"
    UID = "as it is written, in words that may have more"
    IDENTIFIER = "as words of its own, or within one if it is long"
    PHRASE = "as words of its own, unless they are to be kept"
    PHRASE_CHARACTERS = "anywhere, unless they are to be kept"


_KEEPABLE = (_Kind.PHRASE, _Kind.PHRASE_CHARACTERS)


class _Form(NamedTuple):
    """What to look for in a folded text; `raw` is how an identifier was written."""

    text: str
    kind: str
    raw: str = ""


class _Name(NamedTuple):
    """A person's name in one spelling. Its forms are made when they are needed, which is seldom."""

    family: str
    given: str
    middle: str


class _Part(NamedTuple):
    """What one Value adds: forms or a name, by parts that each form has; days as YYYYMMDD, times as HHMM and HHMMSS."""

    stems: tuple[tuple[str, _Name | _Form], ...] = ()
    moments: tuple[str, ...] = ()


class Identity:
    """What identifies in one object. Immutable; may be used by several threads."""

    moments: frozenset[str]
    _sources: dict[str, set[_Name | _Form]]
    _stems: Stems

    __slots__ = ("_sources", "_stems", "moments")

    @classmethod
    def of(cls, values: Iterable[tuple[str, str]]) -> Identity:
        """That of Values as pairs of VR and text, padded or not; of PN, DA, DT and TM the text may be several Values.

        VRs other than these and UI are taken for identifiers, institutions, addresses, telephone numbers.
        """
        sources: defaultdict[str, set[_Name | _Form]] = defaultdict(set)
        moments: set[str] = set()
        for vr, text in values:
            part = _part(vr, text) if len(text) <= LONGEST_MEMO else _read(vr, text)
            for stem, source in part.stems:
                sources[stem[:LONGEST]].add(source)
            moments.update(part.moments)
        identity = cls()
        object.__setattr__(identity, "_sources", dict(sources))
        object.__setattr__(identity, "_stems", Stems(sources))
        object.__setattr__(identity, "moments", frozenset(moments))
        return identity

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an Identity cannot be changed")

    def __repr__(self) -> str:
        return "Identity(...)"

    def may_be_in(self, folded: str) -> bool:
        """Whether a part that all forms of a Value have is in a folded text."""
        return self._stems.any_in(folded)

    def find(self, text: str, folded: str) -> tuple[list[Span], list[Span]] | None:
        """Where in a text, `folded` when folded, names and identifiers stand, and where phrases that may be kept.

        None if so many of them may be in it that looking for all takes too long: no honest text has them.
        """
        names: list[Span] = []
        phrases: list[Span] = []
        sources = {source for stem in self._stems.all_in(folded) for source in self._sources[stem]}
        if len(sources) > _MOST_SOURCES + len(folded) // _CHARACTERS_EACH:
            return None
        if sources:
            forms = _forms_of(sources)
            if len(forms) * len(folded) > _MOST_WORK:
                return None
            layout = Layout(text, folded)
            for form in forms:
                (phrases if form.kind in _KEEPABLE else names).extend(_occurrences(layout, form))
        return names, phrases


def _forms_of(sources: set[_Name | _Form]) -> set[_Form]:
    forms: set[_Form] = set()
    for source in sources:
        forms |= _forms_of_name(source) if isinstance(source, _Name) else {source}
    return forms


# ---- where a form stands ------------------------------------------------------------------------------------------


def _occurrences(layout: Layout, form: _Form) -> Iterator[Span]:
    """Each place where the form is and counts. What cannot count any more within a word is not tried again in it."""
    size, find = len(form.text), layout.folded.find
    at = find(form.text)
    while at >= 0:
        first, last = layout.word_at(at), layout.word_before(at + size)
        found = _SPANS[form.kind](layout, form, at, first, last)
        if found is not None:
            yield found
        if form.kind in _ANYWHERE:
            at = find(form.text, at + (size if found else 1))
        else:
            within = form.kind == _Kind.IDENTIFIER and found is None and size >= _MIN_WITHIN
            at = find(form.text, at + 1 if within else max(layout.starts[last if last > first else last + 1], at + 1))


def _as_words(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    if at == layout.starts[first] and at + len(form.text) == layout.starts[last + 1]:
        return layout.span(first, last)
    return None


def _as_initials(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    span = _as_words(layout, form, at, first, last)
    return span if span and not _APART.search(layout.text, *span) else None


_APART = re.compile(r"[;:()\[\]\r\n]|,.*,")


def _as_name(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    """Digits may stand around it, and a long one may be inflected; what is English for "his" goes along."""
    folded, size = layout.folded, len(form.text)
    end, begin, stop = at + size, layout.starts[first], layout.starts[last + 1]
    if at != begin and not (size >= _MIN_PART and folded[at - 1].isdigit()):
        return None
    ending = folded[end:stop] if stop - end <= _MOST_ENDING else ""
    is_inflected = size >= _MIN_WITHIN and ending.isalpha()
    if end != stop and not is_inflected and not (size >= _MIN_PART and folded[end].isdigit()):
        return None
    start, after = layout.span(first, last)
    return start, _GENITIVE.match(layout.text, after).end()  # type: ignore[union-attr]  # it matches nothing as well


_GENITIVE = re.compile(r"(?:['’´`][sS](?![^\W_]))?")


def _as_joined(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    if first == last and len(form.text) >= _MIN_JOINED_WITHIN:
        return layout.span(first, last)
    return _as_name(layout, form, at, first, last)


def _as_characters(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    return _as_joined_characters(layout, form, at, first, last) if first == last else None


def _as_joined_characters(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    return layout.characters(first, last, at, at + len(form.text))


def _as_identifier(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    """Whole words, but for leading zeros, or within one. A short one in several words has to be written as it was."""
    begin, end = layout.starts[first], at + len(form.text)
    start, stop = layout.span(first, last)
    if first == last and len(form.text) >= _MIN_WITHIN:
        return start, stop
    if layout.folded[begin:at].strip("0") or end != layout.starts[last + 1]:
        return None
    is_one = first == last or (len(form.text) >= _MIN_WITHIN and not _APART.search(layout.text, start, stop))
    return (start, stop) if is_one or layout.text[start:stop].casefold() == form.raw else None


def _as_uid(layout: Layout, form: _Form, at: int, first: int, last: int) -> Span | None:
    start, stop = layout.span(first, last)
    return (start, stop) if form.raw in layout.text[start:stop].casefold() else None


_SPANS = {
    _Kind.NAME: _as_name,
    _Kind.INITIALS: _as_initials,
    _Kind.JOINED: _as_joined,
    _Kind.CHARACTERS: _as_characters,
    _Kind.JOINED_CHARACTERS: _as_joined_characters,
    _Kind.UID: _as_uid,
    _Kind.IDENTIFIER: _as_identifier,
    _Kind.PHRASE: _as_words,
    _Kind.PHRASE_CHARACTERS: _as_joined_characters,
}
_ANYWHERE = (_Kind.CHARACTERS, _Kind.JOINED_CHARACTERS, _Kind.PHRASE_CHARACTERS)


# ---- what a Value says ---------------------------------------------------------------------------------------------


def _read(vr: str, text: str) -> _Part:
    stems: list[tuple[str, _Name | _Form]] = []
    moments: list[str] = []
    for value in text.split("\\"):
        value = value.strip("\0 \t\r\n\u3000")
        if vr in _MOMENT:
            moment = _MOMENT[vr].match(value)
            if moment is not None:
                moments += _moments_of(moment.groupdict())
        elif vr == "PN":
            stems += _name_stems(value)
        else:
            stems += [(form.text, form) for form in (_uid_forms(value) if vr == "UI" else _other_forms(value))]
    return _Part(tuple(stems), tuple(moments))


_part = lru_cache(MEMO_ENTRIES)(_read)

_NO_DIGITS = re.compile(r"\D")
_DAY = r"(?P<day>\d{4}\.\d\d\.\d\d|\d{8})"
_TIME = r"(?P<time>\d\d:\d\d(?::\d\d)?|\d{4}(?:\d\d)?)"
_MOMENT = {"DA": re.compile(_DAY), "DT": re.compile(f"{_DAY}{_TIME}?"), "TM": re.compile(_TIME)}


def _moments_of(found: dict[str, str | None]) -> list[str]:
    """The day as YYYYMMDD, the time as HHMM and HHMMSS. Midnight is often no time at all."""
    day, time = (_NO_DIGITS.sub("", found.get(name) or "") for name in ("day", "time"))
    return ([day] if day else []) + ([time[:4], time] if time.strip("0") else [])


# ---- person names --------------------------------------------------------------------------------------------------

_NOBODY = frozenset("anonymous anonymized anonymised deidentified unknown none removed null unspecified".split())
_PARTICLES = frozenset(
    "van von der den dem des del della delle dello das dos las los les the bin ibn ben abu abd ter ten zum zur vom"
    " und".split()
)
_DIGRAPHS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "Å": "Aa", "ø": "oe", "Ø": "Oe"}
)
_DIGRAPH = re.compile(r"(?<=[^\W_])([aou])e(?=[^\W_]{2})", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+")


def _name_stems(value: str) -> Iterator[tuple[str, _Name]]:
    """All component groups of a PN, in all spellings."""
    for group in filter(None, value.split("=")):
        name = _components(group)
        spellings = {name: None}
        if not group.isascii():
            spellings[_Name(*(component.translate(_DIGRAPHS) for component in name))] = None
        if _DIGRAPH.search(group):
            spellings[_Name(*(_DIGRAPH.sub(r"\1", component) for component in name))] = None
        for spelling in spellings:
            for stem in _stems_of(spelling):
                yield stem, spelling


def _components(group: str) -> _Name:
    """Family, given and middle name; of a name without delimiters the last word is the family name, or the first."""
    family, given, middle, *_affixes = [*group.split("^"), "", ""]
    if given or middle or not family:
        return _Name(family, given, middle)
    before, comma, after = family.partition(",")
    if comma:
        return _Name(before, after, "")
    *first, last = family.split() or [""]
    return _Name(last, " ".join(first), "")


def _stems_of(name: _Name) -> list[str]:
    """What has to be in a text that one of the forms is in."""
    whole = [fold(component) for component in name]
    stems = [folded for raw, folded in zip(name, whole, strict=True) if _is_word(raw, folded)]
    for component in name:
        if not component.isalpha():
            stems += _words_apart(component)
    return stems or [form.text for form in _joined_forms(*whole) if not _NOBODY.issuperset(whole)]


def _is_word(raw: str, folded: str) -> bool:
    """Two letters or more, also as written, for Hangul is folded to its parts; and no word for having no name."""
    return len(folded) >= _MIN_WORD and len(raw.strip()) >= _MIN_WORD and folded not in _NOBODY


def _words_apart(component: str) -> list[str]:
    words = _WORDS.findall(component)
    folded = map(fold, words) if len(words) > 1 else ()
    return [word for word in folded if len(word) >= _MIN_PART and word not in _PARTICLES]


def _forms_of_name(name: _Name) -> frozenset[_Form]:
    is_short = sum(map(len, name)) <= LONGEST_MEMO
    return _forms_of_short_name(name) if is_short else _make_forms(name)


def _make_forms(name: _Name) -> frozenset[_Form]:
    family, given, middle = map(fold, name)
    forms = set(_joined_forms(family, given, middle))
    for raw, folded in zip(name, (family, given, middle), strict=True):
        if _is_word(raw, folded):
            forms.add(_Form(folded, _Kind.CHARACTERS if is_spaceless(raw) else _Kind.NAME))
        forms |= {_Form(word, _Kind.NAME) for word in _words_apart(raw)}
    words = [fold(word) for word in _WORDS.findall(f"{name.given} {name.middle}")]
    if len(family) >= _MIN_WORD and words and not is_spaceless(family):
        forms |= _initialled_forms(family, [word for word in words if word])
    return frozenset(forms)


_forms_of_short_name = lru_cache(MEMO_ENTRIES)(_make_forms)


def _joined_forms(family: str, given: str, middle: str) -> Iterator[_Form]:
    """Family and given names run together."""
    kind = _Kind.JOINED_CHARACTERS if is_spaceless(family + given) else _Kind.JOINED
    for names in {given, given + middle} if family else ():
        if names:
            yield from (_Form(joined, kind) for joined in (family + names, names + family))


def _initialled_forms(family: str, words: list[str]) -> set[_Form]:
    """Initials beside the family name, of all other names or of those behind the first."""
    initials = "".join(word[0] for word in words)
    shortened = {words[0], words[0] + initials[1:], initials, initials[:1], initials[:2]}
    pairs = [pair for names in shortened for pair in (family + names, names + family)]
    return {_Form(joined, _Kind.INITIALS) for joined in pairs if len(joined) >= _MIN_PART}


# ---- identifiers, institutions, addresses --------------------------------------------------------------------------

_PIECES = re.compile(r"[,;()|\r\n\t\f^]+|\s[-–—/]\s")
_DIGIT = re.compile(r"\d")
_RUNS = re.compile(rf"\d{{{_MIN_WITHIN},}}")


def _uid_forms(value: str) -> Iterator[_Form]:
    folded = fold(value)
    if len(folded) >= _MIN_PART:
        yield _Form(folded, _Kind.UID, value.casefold())


def _other_forms(value: str) -> Iterator[_Form]:
    yield from _phrase_forms(value, is_whole=True)
    pieces = _PIECES.split(value)
    if len(pieces) > 1:
        for piece in pieces:
            yield from _phrase_forms(piece, is_whole=False)


def _phrase_forms(value: str, *, is_whole: bool) -> Iterator[_Form]:
    """With a digit it is an identifier; without, it has to be more than a word that institutions have in common."""
    folded = fold(value)
    if len(folded) < _MIN_PART or folded in COMMON:
        return
    if _DIGIT.search(folded):
        yield from _identifier_forms(folded, value)
        if is_spaceless(value):
            yield _Form(folded, _Kind.JOINED_CHARACTERS)
    elif is_spaceless(value):
        yield _Form(folded, _Kind.PHRASE_CHARACTERS)
    elif _is_distinctive(value, is_whole):
        yield _Form(folded, _Kind.PHRASE)


def _identifier_forms(folded: str, value: str) -> Iterator[_Form]:
    raw = value.strip().casefold()
    yield _Form(folded, _Kind.IDENTIFIER, raw)
    bare = folded.lstrip("0")
    if bare != folded and len(bare) >= _MIN_PART:
        yield _Form(bare, _Kind.IDENTIFIER, raw.lstrip("0"))
    for digits in _RUNS.findall(folded):
        if digits != folded:
            yield _Form(digits, _Kind.IDENTIFIER)


def _is_distinctive(value: str, is_whole: bool) -> bool:
    words = [fold(word) for word in _WORDS.findall(value)]
    return (is_whole and len(words) > 1) or any(len(word) >= _MIN_PART and word not in COMMON for word in words)
