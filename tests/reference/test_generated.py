"""dcmveil and the reference agree on generated objects, which have what real files lack; a failure names the seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .agreement import BASIC, KEEPING, REMOVING, actual, disagreement, expectation
from .generate import generated
from .model import Expected, Settings

COUNT, CI_COUNT, SLOW_COUNT, BATCHES = 100, 300, 8000, 20


def batches(first: int, count: int) -> list[range]:
    """The seeds `first` to `first + count` in equal parts."""
    size = count // BATCHES
    return [range(start, start + size) for start in range(first, first + count, size)]


def disagreements(seeds: range, folder: Path) -> dict[tuple[int, str], list[str]]:
    """The differences by seed and settings, for those objects that have any."""
    source, target, found = folder / "in.dcm", folder / "out.dcm", {}
    for seed in seeds:
        source.write_bytes(generated(seed))
        for name, settings in both(seed).items():
            target.unlink(missing_ok=True)
            outcome = actual(source, target, settings)
            found[seed, name] = disagreement(expectation(source, settings), outcome, target)
    return {key: differences for key, differences in found.items() if differences}


def both(seed: int) -> dict[str, Settings]:
    """The settings that refuse, and by turns those that remove or keep what is encrypted already."""
    return {"basic": BASIC, "lenient": KEEPING if seed % 2 else REMOVING}


@pytest.mark.parametrize("seeds", batches(0, COUNT), ids=str)
def test_generated_objects(seeds: range, tmp_path: Path) -> None:
    assert disagreements(seeds, tmp_path) == {}


@pytest.mark.ci
@pytest.mark.parametrize("seeds", batches(COUNT, CI_COUNT), ids=str)
def test_more_generated_objects(seeds: range, tmp_path: Path) -> None:
    assert disagreements(seeds, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(COUNT + CI_COUNT, SLOW_COUNT), ids=str)
def test_many_generated_objects(seeds: range, tmp_path: Path) -> None:
    assert disagreements(seeds, tmp_path) == {}


def test_disagreement_is_seen(tmp_path: Path) -> None:
    """Other reason, output in spite of a reason, no output without one."""
    missing, there, tree = tmp_path / "missing", tmp_path / "there", Expected([], [])
    there.touch()
    assert disagreement("dicomdir", "dicomdir", missing) == []
    assert disagreement("dicomdir", "embedded-overlay", missing) == ["embedded-overlay, expected dicomdir"]
    assert disagreement(tree, "ParseError", missing) == ["ParseError, expected an output"]
    assert disagreement("dicomdir", None, there) == ["an output, expected dicomdir"]
    assert disagreement("dicomdir", "dicomdir", there) == ["output without success"]
    assert disagreement(tree, None, missing) == ["success without output"]
    assert disagreement(tree, None, there) == ["output can not be read: not-dicom"]
    there.write_bytes(generated(1))
    assert disagreement(tree, None, there) != []


def test_a_seed_is_an_object() -> None:
    """What fails once fails again."""
    assert [generated(seed) for seed in range(50)] == [generated(seed) for seed in range(50)]
    assert len({generated(seed) for seed in range(50)}) == 50


def test_the_generator_makes_well_formed_objects_of_every_kind(tmp_path: Path) -> None:
    """Agreement on what nobody can read, or on refusals alone, would be worth nothing."""
    source, reasons = tmp_path / "in.dcm", Counter[str]()
    for seed in range(2 * COUNT):
        source.write_bytes(generated(seed))
        expected = expectation(source, BASIC)
        reasons[expected if isinstance(expected, str) else "an output"] += 1
    assert set(reasons) == {"an output", "encrypted-attributes", "embedded-overlay", "dicomdir"}
    assert reasons["an output"] > COUNT
