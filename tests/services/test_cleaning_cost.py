"""Clean Descriptors: the time it takes is linear, what it remembers is bounded (R50)."""

from __future__ import annotations

import time

import pytest

from dcmveil import cleaning, identity
from dcmveil.cleaning import Cleaner
from dcmveil.identity import Identity
from dcmveil.memos import LONGEST_MEMO
from tests.services.test_cleaning import CLEANER, NOBODY

UNITS = [
    "a", "1", "1 ", "1.", "1-", "a.", "a@", "@", "a-", "a.b@", "(", "()", "(Doe)", "Doe ", "doe", "Dr.", "Dr. ",
    "Dr. A.", "Dr.a.", "name:", "pt:A-", "MRN:1.", "id:1", "acc-id.1-", "tel 1", "born ", "geb.1", "by A ",
    "ref by A-", "aa ", "aa", "11111", "11111 ", "山田", "山田 ", "山", "1:1", "1:11:", "1/1/11/", "1 Jan ", "Jan",
    "2020年", "1月", "http://", "www.", "a.b.c.d.", "1.1.1.1.", "e\u0301", "\u0301", "\u200b", " ", "- ", "_",
    "'", "Doe's", "[Doe", "Doe]", "T07:11", "11-11-11-", "::", "a:", "van ", "+", "(+1", "ß", "각", "doe1",
    "A.A.", "\\", "^", "\n",
]  # fmt: skip
ADVERSE = Identity.of(
    [
        ("PN", "Doe^John"),
        ("PN", "Aa^Aa"),
        ("PN", "山田^山"),
        ("LO", "11111"),
        ("DA", "20111111"),
        ("TM", "111111"),
        ("LO", "a a, b b"),
    ]
)
PLAIN = "CT Abdomen 5.0 mm B30f with contrast. "


def seconds(text: str) -> float:
    start = time.perf_counter()
    CLEANER.clean(text, ADVERSE)
    CLEANER.clean_identity(text, ADVERSE)
    return time.perf_counter() - start


def of_size(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


@pytest.mark.ci
@pytest.mark.parametrize("unit", UNITS)
def test_no_text_takes_more_than_a_multiple_of_a_plain_one(unit: str) -> None:
    """8 KiB, so the hundredfold of what is linear. What is not would take thousands of times as long."""
    plain = min(seconds(of_size(PLAIN, 1 << 13)) for _ in range(3))
    assert min(seconds(of_size(unit, 1 << 13)) for _ in range(2)) < 150 * plain


@pytest.mark.slow
@pytest.mark.parametrize("unit", [*UNITS, "(" * 4096 + "Doe" + ")" * 4096, "(Doe " * 4096 + ")" * 4096])
def test_time_grows_as_the_text_does(unit: str) -> None:
    """1 MiB against 128 KiB."""
    small, large = (seconds(of_size(unit, size)) for size in (1 << 17, 1 << 20))
    assert large < 24 * small


def test_brackets_around_cuts_take_linear_time() -> None:
    small, large = (seconds("(" * size + "Doe" + ")" * size) for size in (1 << 12, 1 << 15))
    assert large < 40 * small


def test_memos_are_bounded_and_hold_no_long_text() -> None:
    cleaner = Cleaner()
    for number in range(cleaning.MEMO_ENTRIES + 10):
        cleaner.clean(f"CT number {number}", NOBODY)
        Identity.of([("LO", f"number {number}")])
    assert cleaner._remembered.cache_info().currsize == cleaning.MEMO_ENTRIES
    assert identity._part.cache_info().currsize <= identity.MEMO_ENTRIES
    known = cleaner._remembered.cache_info().misses
    cleaner.clean("CT " * LONGEST_MEMO, NOBODY)
    assert cleaner._remembered.cache_info().misses == known
