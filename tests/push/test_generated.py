"""What goes out does not depend on how an object came, whatever it is, nor on how often something could go out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil import (
    Deidentifier,
    Editor,
    Edits,
    Limits,
    Options,
    Policy,
    Segment,
    deidentify_file,
    edit_file,
    flowing,
    parse_operation,
    resolver,
)
from dcmveil.errors import DcmveilError
from tests.hostile.forms import EXPLICIT, FORMS
from tests.hostile.malformed import ANYWHERE, AT_TOP
from tests.push.objects import structures
from tests.push.support import assembled, fed, random_chunks, skipped
from tests.reference.generate import generated
from tests.reversible.support import SECRET

Way = Callable[..., list[Segment]]
EVERYTHING: dict[str, Any] = {"secret": SECRET, "existing_encrypted": "keep", "allow_embedded_overlays": True}
RETAINING = Options(retain_device_identity=True, retain_uids=True, retain_full_dates=True)
POLICIES = {
    "basic": Policy(**EVERYTHING),
    "all lengths undefined": Policy(**EVERYTHING, limits=Limits(hold_limit=0)),
    "some lengths undefined": Policy(**EVERYTHING, limits=Limits(hold_limit=300)),
    "retaining": Policy(**EVERYTHING, options=RETAINING),
    "safe private": Policy(**EVERYTHING, options=Options(retain_safe_private=True)),
    "shifted dates": Policy(**EVERYTHING, options=Options(modify_dates=True)),
    "identity": Policy.identity(),
}


def edits(*operations: tuple[str, str]) -> Edits:
    return Edits([parse_operation(kind, text) for kind, text in operations])


EDITS = {
    "plain edits": edits(("replace", "PatientName=Doe^Jane"), ("remove", "0008,2218")),
    "edits of UIDs": edits(("replace", "SOPInstanceUID=2.999.1"), ("empty", "FFFC,FFFC")),
    "edits in Items": edits(("replace", "0008,2218[1]>0008,0100=X"), ("clear", "0010,0010")),
}
WORKS = [*POLICIES, *EDITS]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something goes out as soon as it can, which else only long objects see."""
    monkeypatch.setattr(flowing, "_BULK", 1)
    monkeypatch.setattr(flowing, "_ROUND", 1)
    monkeypatch.setattr(resolver, "_ALIGNED_WITHIN", 0)


def expected(data: bytes, work: str, folder: Path) -> bytes | str:
    source, target = folder / "in", folder / "out"
    source.write_bytes(data)
    try:
        if work in EDITS:
            edit_file(source, target, EDITS[work])
        else:
            deidentify_file(source, target, POLICIES[work])
    except DcmveilError as error:
        return str(error)
    return target.read_bytes()


def driver_of(work: str) -> Deidentifier | Editor:
    return Editor(EDITS[work]) if work in EDITS else Deidentifier(POLICIES[work])


def pushed(data: bytes, work: str, way: Way, sizes: Iterator[int]) -> bytes | str:
    try:
        return assembled(way(driver_of(work), data, sizes), data)
    except DcmveilError as error:
        return str(error)


def differing(data: bytes, work: str, folder: Path, seed: int) -> list[str]:
    """The ways in which something else comes out than from a file."""
    wanted, chooser = expected(data, work, folder), random.Random(seed)
    ways: list[tuple[str, Way, Iterator[int]]] = [("by few bytes", fed, cycle([chooser.randrange(1, 30)]))]
    ways += [("by thousands", fed, cycle([1000])), ("at random", fed, random_chunks(seed))]
    ways += [
        ("advancing", skipped, random_chunks(seed)),
        ("advancing often", skipped, cycle([chooser.randrange(1, 9)])),
    ]
    return [name for name, way, sizes in ways if pushed(data, work, way, sizes) != wanted]


@pytest.mark.ci
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", WORKS)
def test_structures(work: str, tmp_path: Path) -> None:
    objects = [one for seed in range(2) for one in structures(seed)]
    found = {name: differing(data, work, tmp_path, seed) for seed, (name, data) in enumerate(objects)}
    assert {name: ways for name, ways in found.items() if ways} == {}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", WORKS)
def test_generated_objects(work: str, tmp_path: Path) -> None:
    found = {seed: differing(generated(seed), work, tmp_path, seed) for seed in range(14)}
    assert {seed: ways for seed, ways in found.items() if ways} == {}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", WORKS)
def test_a_specific_character_set_that_comes_too_late(work: str, tmp_path: Path) -> None:
    """The pseudonym of a Patient ID depends on it, and is written by then."""
    patient = EXPLICIT.element(0x00100020, "LO", b"ID-\xe9\xe8 ")
    late = EXPLICIT.element(0x00080005, "CS", "ISO_IR 101")
    data = EXPLICIT.file(EXPLICIT.common() + patient * 3 + late + patient * 3)
    assert differing(data, work, tmp_path, 1) == []


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", WORKS)
def test_many_generated_objects(work: str, tmp_path: Path) -> None:
    found = {seed: differing(generated(seed), work, tmp_path, seed) for seed in range(1000, 1600)}
    assert {seed: ways for seed, ways in found.items() if ways} == {}


STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, 2, 7, 300, 5000, 60_000])), max_size=60)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", ["basic", "some lengths undefined", "edits of UIDs"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 20), kind=st.integers(0, 5), steps=STEPS)
def test_any_chunks_and_advances(
    work: str, seed: int, kind: int, steps: list[tuple[bool, int]], tmp_path: Path
) -> None:
    """Each step advances if it may and can, else it feeds; what is left is fed at once."""
    data = [generated(seed), *(one for _name, one in structures(seed))][kind]
    wanted, driver = expected(data, work, tmp_path), driver_of(work)
    segments: list[Segment] = []
    found: bytes | str
    at = 0
    try:
        for advances, size in [*steps, (False, len(data))]:
            count = min(size, len(data) - at)
            if advances and driver.ahead:
                count = min(count, driver.ahead)
                segments += driver.advance(count)
            else:
                segments += driver.feed(data[at : at + count])
            at += count
        found = assembled(segments + driver.finish(), data)
    except DcmveilError as error:
        found = str(error)
    assert found == wanted


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_malformed_objects_fail_alike(form: Any, tmp_path: Path) -> None:
    """The same error, at the same place, however early something could have gone out."""
    found = {}
    for make in (*ANYWHERE, *AT_TOP):
        data = form.file(form.common() + make(form).data)
        assert isinstance(expected(data, "basic", tmp_path), str)
        found[make.__name__] = [differing(data, work, tmp_path, 5) for work in ("basic", "edits of UIDs")]
    assert {name: ways for name, ways in found.items() if any(ways)} == {}


@pytest.mark.usefixtures("eager")
def test_objects_that_are_cut_fail_alike(tmp_path: Path) -> None:
    found = {}
    for name, data in structures(3):
        for stop in range(0, len(data), max(1, len(data) // 8)):
            found[name, stop] = differing(data[:stop], "basic", tmp_path, stop)
    assert {place: ways for place, ways in found.items() if ways} == {}
