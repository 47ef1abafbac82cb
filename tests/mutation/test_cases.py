"""Each robustness case by the command line: what came of it, what it cost, and whether others can read the output."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pydicom
import pytest

from tests.hostile.forms import inflated
from tests.mutation.cases import CASES, MARK
from tests.mutation.runner import Outcome, run_all

MOST_MEMORY = 64 << 10  # KiB
MOST_HELD = 192 << 10  # where all edits are held to the end, for texts to be cleaned
MOST_SECONDS = 10  # of processor time
LARGE = {name for name in CASES if name.startswith("case 12") or "100000 " in name}
SMALL = CASES.keys() - LARGE

# Not read by these, and neither is the input: Pixel Data that dcmdump will not have, a number of one byte.
UNREAD = {"dcmdump": {"case 6, native where it should be encapsulated"}, "pydicom": {"case 9, number"}}
WORDS: dict[str, list[str]] = {
    "-e": [],
    "--dumb": ["--dumb", "--remove", "0010,0010"],
    "--dry-run": ["--dry-run"],
    "Options": ["--modify-dates", "--clean-descriptors", "--clean-structured-content", "--retain-safe-private"],
}
FIRST = ("-e",)


class Runs:
    """What came of all cases of a kind, each in some ways, done when the first is asked for."""

    def __init__(self, folder: Path, names: set[str], ways: Collection[str]) -> None:
        self.ways = ways
        self._folder = folder
        (folder / "secret").write_bytes(bytes(range(32)))
        (folder / "secret").chmod(0o600)
        self._numbers = {name: number for number, name in enumerate(sorted(names))}
        for name, number in self._numbers.items():
            (folder / f"{number}.in").write_bytes(CASES[name].make())
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        for way in ways:  # each in a process of its own: what one of them holds is in the way of the next
            lines = [[*WORDS[way], *self._files(name, way)] for name in self._numbers]
            asked = [(name, way) for name in self._numbers]
            self._outcomes.update(zip(asked, run_all(lines), strict=True))

    def _files(self, name: str, way: str) -> list[str]:
        files = ["--secret-file", str(self._folder / "secret")] if way == "Options" else []
        files.append(str(self._folder / f"{self._numbers[name]}.in"))
        return files if way == "--dry-run" else [*files, str(self.target(name, way))]

    def of(self, name: str, way: str) -> Outcome:
        return self._outcomes[name, way]

    def target(self, name: str, way: str) -> Path:
        return self._folder / f"{self._numbers[name]}.{list(WORDS).index(way)}"

    def outputs(self, way: str) -> Iterator[tuple[str, Path]]:
        for name in self._numbers:
            if self.target(name, way).exists():
                yield name, self.target(name, way)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("small"), set(SMALL), FIRST)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("large"), set(LARGE), WORDS)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("others"), set(SMALL), WORDS.keys() - set(FIRST))


def check(runs: Runs, name: str) -> None:
    """An output and nothing said, or one line and no output; as it is to be, within bounds, and no marker."""
    for way in runs.ways:
        found, target = runs.of(name, way), runs.target(name, way)
        assert found.status in (0, 1)
        assert target.exists() == (found.status == 0 and way != "--dry-run")
        assert found.err.count("\n") == found.status
        assert found.err.startswith("dcmveil: ") == bool(found.status)
        assert MARK.decode() not in found.out + found.err
        assert found.peak < (MOST_HELD if way == "Options" else MOST_MEMORY)
        assert found.seconds < MOST_SECONDS
        if way in ("-e", "Options"):
            assert found.status or MARK not in inflated(target.read_bytes())
        if way != "Options" or name in SMALL:  # which holds so much only
            assert CASES[name].outcome in (None, "error" if found.status else "ok") or way == "--dumb"


@pytest.mark.parametrize("name", sorted(SMALL))
def test_robust(name: str, small: Runs) -> None:
    check(small, name)


@pytest.mark.ci
@pytest.mark.parametrize("name", sorted(SMALL))
def test_robust_in_other_ways(name: str, others: Runs) -> None:
    check(others, name)


@pytest.mark.ci
@pytest.mark.parametrize("name", sorted(LARGE))
def test_robust_in_spite_of_its_size(name: str, large: Runs) -> None:
    check(large, name)


@pytest.mark.ci
def test_pydicom_reads_the_outputs(small: Runs) -> None:
    """To the last Item; its reader is recursive, so that deep ones take a stack of their own."""

    def read() -> None:
        for name, path in small.outputs("-e"):
            if name not in UNREAD["pydicom"]:
                assert sum(1 for _ in pydicom.dcmread(path).iterall()), name

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with_a_large_stack(read)


def with_a_large_stack(work: Callable[[], None]) -> None:
    """Raises what the work raises."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # to be raised where it is awaited
            raised.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(256 << 20)
    sys.setrecursionlimit(100_000)
    try:
        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    if raised:
        raise raised[0]


@pytest.mark.ci
@pytest.mark.parametrize("tool", [tool for tool in ("dcmdump",) if shutil.which(tool)])
def test_dcmdump_reads_the_outputs(tool: str, small: Runs) -> None:
    paths = {str(path): name for name, path in small.outputs("-e") if name not in UNREAD[tool]}
    done = subprocess.run([tool, "-q", "+L", *paths], capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, [name for path, name in paths.items() if path in done.stderr]


def test_there_is_a_case_of_each_kind() -> None:
    """As many as are asked for of some kinds."""
    counts = {number: sum(name.startswith(f"case {number},") for name in CASES) for number in range(1, 18)}
    assert all(counts.values())
    assert (counts[2], counts[5]) == (14, 9)
    assert counts[11] == 17


@pytest.mark.ci
@pytest.mark.parametrize("size", [0, 200])
def test_the_peak_of_a_command_is_its_own(size: int, tmp_path: Path) -> None:
    """What is measured grows with what is held, and is forgotten from one command to the next."""
    (tmp_path / "large").write_bytes(bytes(128) + b"DICM")
    lines = [
        ["-h"],
        ["--patient-id", str(tmp_path / "ids.csv"), str(tmp_path / "large"), str(tmp_path / "out")],
        ["-h"],
    ]
    (tmp_path / "ids.csv").write_text("\n".join(f"{number:0100},x" for number in range(size * 500)))
    first, second, third = (outcome.peak for outcome in run_all(lines))
    assert first < MOST_MEMORY
    assert third < MOST_MEMORY
    assert (second > MOST_MEMORY) == bool(size)
