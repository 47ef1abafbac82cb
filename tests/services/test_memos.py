"""What is remembered from object to object: no more of it than was said, and none of what is long."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from dcmveil.cleaning import Cleaner
from dcmveil.dates import DateShifter
from dcmveil.identity import Identity
from dcmveil.memos import Memo
from dcmveil.needles import needles_of
from dcmveil.pseudonyms import PATIENT_ID, Pseudonyms
from dcmveil.uids import UidMapper

SECRET = bytes(32)
LONG, TIMES = 1 << 14, 12
PSEUDONYMS = Pseudonyms(SECRET, patient_id="keyed")
CLEANER = Cleaner()
REMEMBERING: dict[str, Callable[[bytes], object]] = {
    "a UID": UidMapper(SECRET).map,
    "Values of UIDs": UidMapper(SECRET).map_value,
    "days": DateShifter(SECRET).days,
    "pseudonyms": lambda value: PSEUDONYMS.replacement(PATIENT_ID, value.decode(), patient_id=""),
    "Application Entities": PSEUDONYMS.ae_title,
    "needles": lambda value: needles_of([(PATIENT_ID, "LO", value)], [None]),
    "needles in long sets": lambda value: needles_of([(PATIENT_ID, "LO", b"DOE")], [value]),
    "identity": lambda value: Identity.of([("LO", value.decode())]),
    "texts": lambda value: CLEANER.clean(value.decode(), Identity.of([])),
}


@pytest.mark.parametrize("name", REMEMBERING)
def test_long_values_are_not_remembered(name: str) -> None:
    """A run over many objects would take as much memory as all of their Values that somebody made long."""
    remember = REMEMBERING[name]
    remember(b"1.2.840.0")
    tracemalloc.start()
    try:
        for number in range(TIMES):
            remember(b"1.2.840.%d." % number + b"7" * LONG)
        assert tracemalloc.get_traced_memory()[0] < TIMES * LONG // 10
    finally:
        tracemalloc.stop()


def test_a_full_memo_begins_anew() -> None:
    memo: Memo[int, int] = Memo(3)
    for number in range(4):
        assert memo.keep(number, -number) == -number
    assert (memo.find(0), memo.find(3)) == (None, -3)
