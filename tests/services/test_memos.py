"""What is remembered from object to object: no more of it than was said, and nothing that takes a lot of room."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from dcmveil import Deidentifier, Options, Policy
from dcmveil._tables import confidentiality, dictionary_vr
from dcmveil.cleaning import Cleaner
from dcmveil.dates import DateShifter
from dcmveil.identity import Identity
from dcmveil.memos import Memo
from dcmveil.needles import needles_of
from dcmveil.pseudonyms import PATIENT_ID, Pseudonyms
from dcmveil.uids import UidMapper
from tests.hostile.forms import EXPLICIT

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

GROUPS = (0x0008, 0x0018, 0x0040)
GOING = {tag for tag, *_rest in confidentiality()}
KEPT_SEQUENCES = [
    tag
    for group in GROUPS
    for tag in range(group << 16, (group + 1) << 16)
    if dictionary_vr(tag) == "SQ" and tag not in GOING
]


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


def handle(policy: Policy, data: bytes) -> None:
    driver = Deidentifier(policy)
    driver.feed(data)
    driver.finish()


def asking(number: int) -> bytes:
    """An object with 1,000 questions that no other has."""
    uids = b"".join(EXPLICIT.element(tag, "UI", "1.2") for tag in (0x00080018, 0x0020000D, 0x0020000E, 0x00200052))
    tags = KEPT_SEQUENCES[number : number + 250]
    return EXPLICIT.file(b"".join(EXPLICIT.sequence(tag, EXPLICIT.item(uids)) for tag in tags))


def test_what_odd_objects_ask_is_not_remembered() -> None:
    """It would be a third of a megabyte for each."""
    policy = Policy(secret=SECRET)
    handle(policy, asking(0))
    tracemalloc.start()
    try:
        for number in range(1, 6):
            handle(policy, asking(number))
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


def test_a_full_memo_begins_anew() -> None:
    memo: Memo[int, int] = Memo(3)
    for number in range(4):
        assert memo.keep(number, -number) == -number
    assert (memo.find(0), memo.find(3)) == (None, -3)


def test_dates_that_were_made_are_not_remembered_for_ever() -> None:
    """Of one patient with a million images, each with a time of its own."""
    policy = Policy(secret=SECRET, options=Options(modify_dates=True))
    common = EXPLICIT.common() + EXPLICIT.element(PATIENT_ID, "LO", "VEILME")
    made = 0
    for number in range(2500):
        driver = Deidentifier(policy)
        moment = f"2020010110{number // 60:02}{number % 60:02}"
        driver.feed(EXPLICIT.file(common + EXPLICIT.element(0x0008002A, "DT", moment)))
        driver.finish()
        made = max(made, len(driver.report().remarks.made))
    assert 1 < made < 1500
