"""Clean Descriptors, as properties: whatever is cut, how, and what never survives (R50)."""

# ruff: noqa: RUF001 - letters and punctuation of many scripts

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil.folding import SPACELESS, WORD, fold
from dcmveil.identity import Identity
from tests.services.test_cleaning import (
    CLEANER,
    CLINICAL,
    IDENTIFIERS,
    MOMENTS,
    NAMES,
    NOBODY,
    PATIENT,
    SIGNS,
    TIDY,
    TRACES,
)

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéñøłžабвгдеёийαβγδεήςאבابتح山田太郎東京あいうカキク김이박한글สมชาย"
PIECES = st.sampled_from(
    [*CLINICAL, *MOMENTS]
    + [text for table in (NAMES, SIGNS, IDENTIFIERS, TRACES, TIDY) for text, _expected in table]
    + [
        " ",
        ", ",
        "-",
        "_",
        "(",
        ")",
        ": ",
        ".",
        "\n",
        "\r\n",
        "/",
        "\u3000",
        "'",
        '"',
        "=",
        "^",
        "#",
        "Dr.",
        "born",
        "by",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=8).map("".join) | st.lists(PIECES, max_size=6).map(" ".join)
COMPONENTS = st.text(LETTERS, min_size=2, max_size=8).filter(lambda text: text not in ("none", "null"))
PEOPLE = st.tuples(COMPONENTS, COMPONENTS).map("^".join)
SIGN = re.compile(f"[{SPACELESS}]")


def words(text: str) -> list[str]:
    """Words, and characters of scripts without spaces."""
    found: list[str] = []
    for word in WORD.findall(text):
        found += list(word) if SIGN.match(word) else [word]
    return found


def is_subsequence(part: Iterable[str], whole: Iterable[str]) -> bool:
    rest = iter(whole)
    return all(one in rest for one in part)


@settings(max_examples=400)
@given(TEXTS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for clean in (CLEANER.clean, CLEANER.clean_identity):
        once = clean(text, PATIENT)
        assert clean(once, PATIENT) == once


@settings(max_examples=400)
@given(TEXTS)
def test_words_that_stay_are_the_same_in_the_same_order(text: str) -> None:
    """R50"""
    for clean in (CLEANER.clean, CLEANER.clean_identity):
        assert is_subsequence(words(clean(text, PATIENT)), words(text))


@settings(max_examples=300)
@given(TEXTS)
def test_a_cut_leaves_no_loose_ends(text: str) -> None:
    cleaned = CLEANER.clean(text, PATIENT)
    if cleaned != text:
        assert cleaned == cleaned.strip()
        assert not cleaned or WORD.search(cleaned)
        assert cleaned.count("\n") <= text.count("\n")


WAYS = (
    "{family} {given}", "{given} {family}", "{family}, {given}", "{family}_{given}", "{given}.{family}", "{family}",
    "{given}", "{family}^{given}", "{initial}. {family}", "{family} {initial}", "({given}-{family})",
)  # fmt: skip
CASES = (str, str.upper, str.lower, str.title, lambda text: unicodedata.normalize("NFD", text))


@settings(max_examples=400)
@given(
    PEOPLE, st.sampled_from(WAYS), st.sampled_from(CASES), TEXTS, TEXTS, st.sampled_from([" ", ", ", "; ", "/", "\n"])
)
def test_a_planted_name_never_survives(name: str, way: str, case, before: str, after: str, gap: str) -> None:
    """R50"""
    family, given = name.split("^")
    planted = case(way.format(family=family, given=given, initial=given[0]))
    text = f"{before}{gap}{planted}{gap}{after}"
    for clean in (CLEANER.clean, CLEANER.clean_identity):
        left = clean(text, Identity.of([("PN", name)]))
        left_words = {fold(word) for word in WORD.findall(left)}
        for component in (family, given):
            assert fold(component) not in left_words
            if all(map(SIGN.match, component)):
                assert not any(component in word for word in WORD.findall(left))


@settings(max_examples=200)
@given(st.from_regex(r"[A-Z]{0,3}[0-9]{5,10}", fullmatch=True), st.sampled_from(["{}", "x{}", "00{}", "{}-1"]), TEXTS)
def test_a_planted_identifier_never_survives(number: str, way: str, rest: str) -> None:
    """R50"""
    left = CLEANER.clean_identity(f"CT {way.format(number)} {rest}", Identity.of([("LO", number)]))
    assert not any(fold(number) in fold(word) for word in WORD.findall(left))


@settings(max_examples=200)
@given(
    st.dates(date(1850, 1, 1), date(2150, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %B %Y", "%b %d, %Y", "%d%b%Y"]),
)
def test_a_planted_date_never_survives(day, notation: str) -> None:
    """R50"""
    text = day.strftime(notation)
    assert CLEANER.clean_identity(f"CT {text} AX", Identity.of([("DA", day.strftime("%Y%m%d"))])) == "CT AX"
    assert CLEANER.clean(f"CT {text} AX", NOBODY) == "CT AX"
