"""Broken objects through all Options and rules of the user's own: an output without the patient, or an error of ours.

The mutations are seeded, so that a failure can be repeated: the number in its message is the seed.
"""

from __future__ import annotations

import random
import tempfile
from functools import cache
from pathlib import Path

import pytest

from dcmveil import Limits, Policy, deidentify_file
from dcmveil.errors import DcmveilError
from dcmveil.resolver import Resolver
from tests.engine.support import feed
from tests.engine.test_option_chunks import CLEANING, RETAINING, SAMPLE, rules, structured
from tests.hostile.forms import FORMS, PLAIN_FORMS, Form
from tests.hostile.malformed import ANYWHERE, AT_TOP
from tests.hostile.test_random import WORDS
from tests.reference.files import samples

SECRET = b"a secret of sixteen bytes or more"
POLICIES = {
    "cleaning": Policy(secret=SECRET, options=CLEANING, existing_encrypted="remove"),
    "eager": Policy(
        secret=SECRET, options=RETAINING, existing_encrypted="keep", limits=Limits(drain_at=1, hold_limit=0)
    ),
    "rules": Policy(secret=SECRET, options=CLEANING, rules=rules(), existing_encrypted="remove"),
}
# Of the patient of what is generated, in any case of letters.
IDENTITY = (b"veilme", b"id-77-veil")

# Besides those of test_random: what Options look at.
OPTION_WORDS = [
    *WORDS,
    b"\x40\x00\x30\xa7",
    b"\x40\x00\x43\xa0",
    b"\x40\x00\x40\xa0",
    b"\x40\x00\x73\xdb",
    b"\x40\x00\x60\xa1",
    b"\x08\x00\x05\x00",
    b"\x08\x00\x00\x01",
    b"\x08\x00\x02\x01",
    b"\x08\x00\x00\x03",
    b"\x19\x00\x10\x00",
    b"\x19\x00\x0c\x10",
    b"ISO_IR 192",
    b"\\ISO 2022 IR 87",
    b"\x1b$B",
    b"109054",
    b"121032",
    b"SIEMENS MR HEADER",
    b"DA\x08\x0020200101",
    b"UI",
    b"UT",
    b"\x5c",
    b"\0",
]


@cache
def own() -> list[bytes]:
    """Objects of our own, whose patient is known."""
    return [form.file(b"".join(structured(form))) for form in FORMS]


@cache
def seeds() -> list[bytes]:
    """Objects to be mutated: ours, broken ones, and the smallest of the real files."""
    broken = [
        form.file(b"".join(structured(form)) + make(form).data) for form in FORMS[:3] for make in (*ANYWHERE, *AT_TOP)
    ]
    real = sorted((sample.path for sample in samples()), key=lambda path: path.stat().st_size)
    return [*own() * 8, *broken, SAMPLE.read_bytes(), *(path.read_bytes() for path in real[:60])]


def mutated(data: bytes, chooser: random.Random) -> bytes:
    """`data` with a few changes, mostly in its header and mostly of the same length: the others are soon found out."""
    changed = bytearray(data)
    for _ in range(chooser.randint(1, 3)):
        at, other = (chooser.randrange(min(len(changed), 6000) or 1) for _ in range(2))
        kind = chooser.randrange(12)
        word = chooser.choice(OPTION_WORDS)
        if kind < 4:
            changed[at : at + 1] = bytes([chooser.randrange(256)])
        elif kind < 8:
            changed[at : at + len(word)] = word
        elif kind == 8:
            changed[at:at] = word
        elif kind == 9:
            del changed[at : at + chooser.randint(1, 40)]
        elif kind == 10:
            changed[at:at] = changed[other : other + chooser.randint(1, 200)]
        elif chooser.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def rearranged(form: Form, chooser: random.Random) -> bytes:
    """Our elements in another order, repeated, left out, and nested in one another; the patient stays in some place."""
    parts = structured(form)
    name = next(part for part in parts if b"Veilme^Ann" in part and len(part) < 30)
    for _ in range(chooser.randint(1, 6)):
        at, other = (chooser.randrange(len(parts)) for _ in range(2))
        kind = chooser.randrange(5)
        if kind == 0:
            parts.insert(at, parts.pop(other))
        elif kind == 1:
            parts.insert(at, parts[other])
        elif kind == 2 and len(parts) > 2:
            del parts[at]
        else:
            tag = chooser.choice([0x00081140, 0x0040A730, 0x00400555, 0x0040B020, 0x00191177, 0x00080300, 0x52009230])
            inner = chooser.sample(parts, chooser.randint(1, 5))
            items = [(form.item if chooser.random() < 0.5 else form.open_item)(b"".join(inner)) for _ in range(2)]
            parts.insert(at, form.sequence(tag, *items, open_end=chooser.random() < 0.5))
    parts.insert(chooser.randrange(len(parts) + 1), name)
    return form.file(b"".join(parts))


def written(data: bytes, policy: Policy, folder: Path) -> bytes | None:
    """The output, None if the object is refused."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(data)
    try:
        deidentify_file(source, target, policy)
    except DcmveilError as error:
        assert not target.exists()
        assert "\n" not in str(error)
        assert not any(word.decode() in str(error).lower() for word in IDENTITY)
        return None
    output = target.read_bytes()
    target.unlink()
    return output


def attack(policy: Policy, numbers: range) -> int:
    """How many of these mutations are accepted."""
    accepted = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            chooser = random.Random(number)
            data = mutated(chooser.choice(seeds()), chooser)
            try:
                accepted += written(data, policy, Path(folder)) is not None
            except Exception as error:
                raise AssertionError(f"seed {number}: {type(error).__name__}") from error
    return accepted


@pytest.mark.parametrize("name", POLICIES)
def test_mutations_end_in_an_output_or_an_error_of_ours(name: str) -> None:
    """R1: no other error, and with an error no output."""
    assert 120 < attack(POLICIES[name], range(1200)) < 1200


@pytest.mark.slow
@pytest.mark.parametrize("name", POLICIES)
def test_many_mutations_end_in_an_output_or_an_error_of_ours(name: str) -> None:
    assert attack(POLICIES[name], range(10_000, 40_000)) > 1000


def leaks(numbers: range) -> tuple[int, list[tuple[int, bytes]]]:
    """How many objects are accepted, and those of them, by seed, in which the patient's name can still be read."""
    found, accepted = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            chooser = random.Random(number)
            data = rearranged(chooser.choice(PLAIN_FORMS), chooser)
            output = written(data, POLICIES["cleaning"], Path(folder))
            if output is not None:
                accepted += 1
                found += [(number, word) for word in IDENTITY if word in output.lower()]
    return accepted, found


def test_who_it_was_is_in_no_output() -> None:
    """R50: wherever names and texts stand, with descriptors cleaned none of these is left."""
    accepted, found = leaks(range(800))
    assert found == []
    assert accepted > 350


@pytest.mark.slow
def test_who_it_was_is_in_none_of_many_outputs() -> None:
    assert leaks(range(10_000, 40_000))[1] == []


def fed(data: bytes, size: int, policy: Policy) -> object:
    """What a Planner makes of pieces of `size` bytes: its segments, or its error."""
    planner = policy.planner()
    try:
        for start in range(0, len(data), size):
            feed(planner, data[start : start + size])
        planner.finish()
        Resolver(planner, policy.answers()).answer()
        return planner.plan.segments()
    except DcmveilError as error:
        return type(error), str(error)


def test_small_pieces_end_as_the_whole_does() -> None:
    for number in range(600):
        chooser = random.Random(number)
        data = mutated(chooser.choice(own()[:3]), chooser)
        for policy in POLICIES.values():
            assert fed(data, chooser.randint(1, 9), policy) == fed(data, len(data) or 1, policy), number
