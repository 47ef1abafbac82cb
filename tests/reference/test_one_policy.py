"""One Policy for all: what it remembers of objects before makes no difference to any that come later.

Each object goes through a Policy of its own, and through one that has seen all others: objects of the same kind that
differ by one byte, of which a memo that is too coarse would take one for the other.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from dcmveil import Deidentifier, Options, Policy
from dcmveil.errors import DcmveilError
from dcmveil.report import Report
from tests.reference.files import samples

SECRET = bytes(range(32))
OPTIONS = {
    "basic": {},
    "dates": {"options": Options(modify_dates=True)},
    "texts": {"options": Options(clean_descriptors=True, retain_patient_characteristics=True), "verifies": True},
    "private": {"options": Options(retain_safe_private=True, retain_uids=True)},
    "pairs": {"records_pairs": True, "assesses_risks": True},
    "flat": {"patient_id": "empty", "patient_name": "empty"},
}
MUTANTS = 5  # of each object
LONGEST = 40_000  # bytes
MOST = 400  # objects
SHORT = 6_000  # bytes of header that are changed

Result = tuple[bytes, Report] | tuple[str, str]


@cache
def objects() -> list[bytes]:
    """Small objects, and others like them, in no order."""
    choose = random.Random(20261127)
    found = []
    for sample in samples():
        data = Path(sample.path).read_bytes()
        if len(data) > LONGEST:
            continue
        found.append(data)
        for _ in range(MUTANTS):
            changed = bytearray(data)
            at = choose.randrange(min(len(data), SHORT)) if data else 0
            changed[at : at + 1] = bytes([choose.choice(b"0123456789AZaz\0 \\^")])
            found.append(bytes(changed))
    choose.shuffle(found)
    return found[:MOST]


def outcome(data: bytes, policy: Policy) -> Result:
    driver = Deidentifier(policy)
    try:
        segments = [*driver.feed(data), *driver.finish()]
    except DcmveilError as error:
        return type(error).__name__, str(error)
    parts = [data[part.start : part.stop] if part.data is None else bytes(part.data) for part in segments]
    report = driver.report()  # the dates that were made are those of all objects of a subject so far
    return b"".join(parts), report._replace(remarks=report.remarks._replace(made=()))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.ci) if name != "basic" else name for name in OPTIONS]
)
def test_what_was_seen_before_makes_no_difference(name: str) -> None:
    def policy() -> Policy:
        return Policy(secret=SECRET, **OPTIONS[name])  # type: ignore[arg-type]

    shared, accepted = policy(), 0
    for data in objects():
        first = outcome(data, policy())
        accepted += isinstance(first[0], bytes)
        assert outcome(data, shared) == first
        assert outcome(data, shared) == first
    assert accepted > len(objects()) // 3
