"""The seeds of the fuzzers, with the modules as they are; and where clang has libFuzzer, each fuzzer for a while."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fuzz import building
from tests.fuzz.referee import Referee
from tests.fuzz.seeds import ARCHIVE, TARGETS
from tests.hostile.channels import MARK
from tests.hostile.forms import EXPLICIT

MOST_SEED_BYTES = 400_000  # of the archive


@pytest.mark.ci
@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzers_have_found_is_as_it_should_be(target: str) -> None:
    """In a process of its own: targets change what some modules go by."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "replay", target],
        cwd=building.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[1]) > 30


@pytest.mark.ci
def test_pydicom_is_asked_for_what_is_left() -> None:
    """In its own process, of any number of objects."""
    referee = Referee(MARK)
    left = EXPLICIT.element(0x00100010, "PN", MARK) + EXPLICIT.element(0x00100020, "LO", "1")
    within = EXPLICIT.sequence(0x0040A043, EXPLICIT.item(EXPLICIT.element(0x00080100, "SH", MARK)))
    assert referee.tags(EXPLICIT.file(EXPLICIT.common())) == []
    assert referee.tags(EXPLICIT.file(EXPLICIT.common() + left + within)) == [0x00100010, 0x00080100]
    assert referee.tags(b"no object") == []


def test_seeds_are_few() -> None:
    assert ARCHIVE.stat().st_size < MOST_SEED_BYTES


@pytest.mark.ci
@pytest.mark.parametrize("target", [*TARGETS] if building.has_libfuzzer() else [])
def test_fuzzers_find_nothing_in_a_while(target: str) -> None:
    """Under AddressSanitizer and UndefinedBehaviorSanitizer, from the seeds; only what has changed is built anew."""
    for work in (["build", target], ["run", target, "--seconds", "5"]):
        command = [sys.executable, "-m", "tests.fuzz", *work]
        done = subprocess.run(command, cwd=building.CHECKOUT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
