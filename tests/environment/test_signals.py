"""A run that is ended in the middle, at whichever call of a function: by profiling, so that no clock decides."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dcmveil import cli, output, stopping
from tests.cli.support import MARK, image
from tests.hostile.forms import EXPLICIT

OLD = b"an output that was there before"
TIMES = 40
FEW = 6
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
BULK = EXPLICIT.element(0x7FE00010, "OW", bytes(300_000))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file, and a folder of some."""
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / "in" / f"{number}").write_bytes(image(EXPLICIT, BULK))
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_bytes(b"sixteen bytes or more")
    return tmp_path


@pytest.fixture(params=["nameless", "named"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With and without files that have no name."""
    if request.param == "named":
        monkeypatch.setattr(output, "_NAMELESS", 0)
    return str(request.param)


class Run:
    """A command line in a process of its own, which gets a signal at one of its events."""

    def __init__(self, *arguments: object) -> None:
        self._arguments = [*map(str, arguments)]
        self._log = Path(str(arguments[-1]) + ".log")

    def __call__(self, number: int, at: int) -> int:
        """How it ended, as `os.waitstatus_to_exitcode` says."""
        pid = os.fork()
        if pid == 0:
            self._be(lambda: os.kill(os.getpid(), number), at)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._log.unlink(missing_ok=True)
        return code

    def events(self) -> int:
        """How many there are if none comes."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be(lambda: None, 0, told=writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            count = int(told.read())
        assert os.waitpid(pid, 0)[1] == 0
        self._log.unlink()
        return count

    def _be(self, happens: Callable[[], None], at: int, told: int = -1) -> None:
        """The life of the process."""
        count = 0

        def event(*_what: object) -> None:
            nonlocal count
            count += 1
            if count == at:
                happens()

        status = 1
        try:
            sys.stderr = self._log.open("w")
            sys.modules.pop("tqdm", None)  # its lock is one for all processes: one that is killed would keep it
            for number in SIGNALS:  # as Python starts
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
            stopping.heed_signals()
            sys.setprofile(event)
            status = cli.run(self._arguments)
            sys.setprofile(None)
            if told >= 0:
                os.write(told, b"%d" % count)
        finally:
            os._exit(status)


def points(run: Run, times: int) -> Iterator[int]:
    """Events to be ended at: the same in each run of these tests."""
    count = run.events()
    chosen = random.Random(6)
    return (chosen.randrange(1, count) for _ in range(times))


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


def check(target: Path, expected: bytes, old: bytes | None) -> None:
    """It is whole, or as it was before."""
    found = target.read_bytes() if target.exists() else None
    assert found in (expected, old)


def end_a_file(number: int, way: str, times: int, folder: Path) -> None:
    expected, target = folder / "expected", folder / "out"
    command = ["--secret-file", folder / "secret", folder / "in" / "0"]
    assert cli.run([*map(str, command), str(expected)]) == 0
    run = Run(*command, target)
    for old in (None, OLD):
        for at in points(run, times):
            target.unlink(missing_ok=True)
            if old is not None:
                target.write_bytes(old)
            code = run(number, at)
            assert code in (0, 1, -number), at
            check(target, expected.read_bytes(), old)
            assert code != 0 or target.read_bytes() != old
            if number != signal.SIGKILL:
                assert hidden(folder) == [], at
            elif way == "nameless" and old is None:
                assert hidden(folder) == []
            for name in hidden(folder):
                (folder / name).unlink()
    assert MARK in (folder / "in" / "0").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.ci)])
def test_cases_23_and_24_a_few_times(number: int, way: str, folder: Path) -> None:
    """An output is whole or as it was; nothing else is left, but for SIGKILL where files need a name."""
    end_a_file(number, way, FEW, folder)


@pytest.mark.ci
def test_case_23_sigkill_at_40_random_times(way: str, folder: Path) -> None:
    """Whole or as it was before."""
    end_a_file(signal.SIGKILL, way, TIMES, folder)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.ci),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_case_24_sigterm_and_its_like_at_40_random_times(number: int, way: str, folder: Path) -> None:
    """Whole or as it was before, and nothing is left."""
    end_a_file(number, way, TIMES, folder)


@pytest.mark.slow
def test_case_24_at_every_event_of_an_output(way: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between a call that makes a file and the note that it has been made."""
    target = folder / "out"
    run = Run(folder / "in" / "0", target)
    first, last = events_of_output(run, folder, monkeypatch)
    for at in range(first, last):
        target.write_bytes(OLD)
        run(signal.SIGTERM, at)
        assert hidden(folder) == [], at
        assert target.read_bytes()[:4] == OLD[:4] or target.stat().st_size > 300_000, at


def events_of_output(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The first and the last event at which there is an output that has been opened and not left."""
    marks = folder / "marks"
    enter, leave = output.AtomicFile.__enter__, output.AtomicFile.__exit__

    def mark() -> None:
        event = sys.getprofile()
        assert event is not None
        with marks.open("a") as file:
            file.write(f"{event.__closure__[1].cell_contents}\n")  # type: ignore[index]

    def entered(opened: output.AtomicFile) -> output.AtomicFile:
        mark()
        return enter(opened)

    def left(opened: output.AtomicFile, *error: object) -> None:
        leave(opened, *error)  # type: ignore[arg-type]
        mark()

    monkeypatch.setattr(output.AtomicFile, "__enter__", entered)
    monkeypatch.setattr(output.AtomicFile, "__exit__", left)
    run.events()
    monkeypatch.undo()
    first, last = map(int, marks.read_text().split())
    return first, last


@pytest.mark.ci
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_cases_23_and_24_a_folder(number: int, jobs: int, way: str, folder: Path) -> None:
    """Each output is whole or not there. All processes get the signal, at the same number of events of each."""
    command = ["--secret-file", folder / "secret", "--jobs", jobs, folder / "in"]
    assert cli.run([*map(str, command), str(folder / "expected")]) == 0
    expected = (folder / "expected" / "0").read_bytes()
    run = Run(*command, folder / "out")
    for at in points(run, TIMES // 4):
        run(number, at)
        for index in range(4):
            check(folder / "out" / f"{index}", expected, None)
            (folder / "out" / f"{index}").unlink(missing_ok=True)
        if number == signal.SIGTERM or way == "nameless":
            assert hidden(folder) == []
        for name in hidden(folder):
            (folder / "out" / name).unlink()
