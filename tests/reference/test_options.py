"""dcmveil and the reference agree with every Option alone and with 200 combinations, on real files and generated ones.

Each combination meets some files and objects, and each file some combinations; those that are not in the default run
are in the one marked `ci`. In the slow one every combination meets every file. A failure names the combination
(`combinations`), and the file or the seed.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from .agreement import actual, disagreement, expectation
from .combinations import DATES, RANDOM_COUNT, combinations
from .files import Sample, samples
from .generate import generated
from .model import Settings
from .options import COLUMNS

FILES, OBJECTS, MANY_OBJECTS = 2, 3, 100
FIRST_SEED = 100_000
NAMES = list(combinations())


def is_first(name: str) -> bool:
    """In the default run: each Option alone, and every ninth of the combinations."""
    number = NAMES.index(name)
    return number < len(COLUMNS) or number % 9 == 0


def of_file(sample: Sample, settings: Settings, target: Path) -> list[str]:
    """The differences for a real file: that it can not be read has to be doubtful to others as well."""
    target.unlink(missing_ok=True)
    outcome = actual(sample.path, target, settings)
    if outcome == "unreadable":
        return [] if sample.is_doubtful() and not target.exists() else ["ParseError on what others read"]
    return disagreement(expectation(sample.path, settings), outcome, target)


def of_object(seed: int, settings: Settings, folder: Path) -> list[str]:
    """The differences for a generated object."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(generated(seed))
    target.unlink(missing_ok=True)
    outcome = actual(source, target, settings)
    return disagreement(expectation(source, settings), outcome, target)


def share(number: int) -> list[Sample]:
    """The files of a combination: dealt out like cards, until all combinations have theirs."""
    cards = list(samples())
    Random(0).shuffle(cards)
    first = number * FILES
    return [cards[index % len(cards)] for index in range(first, first + FILES)]


def disagreements(name: str, files: list[Sample], seeds: range, folder: Path) -> dict[str, list[str]]:
    settings = combinations()[name]
    found = {sample.name: of_file(sample, settings, folder / "out.dcm") for sample in files}
    found |= {str(seed): of_object(seed, settings, folder) for seed in seeds}
    return {what: differences for what, differences in found.items() if differences}


@pytest.mark.parametrize(
    "name", [each if is_first(each) else pytest.param(each, marks=pytest.mark.ci) for each in NAMES]
)
def test_every_combination_on_some_objects(name: str, tmp_path: Path) -> None:
    """R11, R45-R66."""
    number = NAMES.index(name)
    seeds = range(FIRST_SEED + number * OBJECTS, FIRST_SEED + (number + 1) * OBJECTS)
    assert disagreements(name, share(number), seeds, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_combination_on_every_file(name: str, tmp_path: Path) -> None:
    first = 2 * FIRST_SEED + NAMES.index(name) * MANY_OBJECTS
    assert disagreements(name, samples(), range(first, first + MANY_OBJECTS), tmp_path) == {}


def test_combinations_are_those_the_standard_allows() -> None:
    """R53: dates in full or modified; each Option alone and each many times with others, none of them twice."""
    all_ = [tuple(option for option in COLUMNS if getattr(settings, option)) for settings in combinations().values()]
    assert len(all_) == len(COLUMNS) + RANDOM_COUNT
    assert all_[: len(COLUMNS)] == [(option,) for option in COLUMNS]
    assert len(set(all_)) == len(all_)
    assert not any(set(DATES) <= set(chosen) for chosen in all_)
    assert all(sum(option in chosen for chosen in all_) > RANDOM_COUNT // 5 for option in COLUMNS)


def test_every_file_meets_a_combination() -> None:
    met = {sample.name for number in range(len(NAMES)) for sample in share(number)}
    assert met == {sample.name for sample in samples()}
