"""Inputs that change while they are read: what was planned for one file is not carried out on another."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmveil import files, reidentifying, rewriting
from dcmveil._planner import Planner
from dcmveil.report import Report
from dcmveil.rewriting import SHRANK
from dcmveil.sinks import Output
from dcmveil.sources import CHANGED
from tests.cli.support import MARK, Said, image, invoke, listing, one_line
from tests.hostile.forms import EXPLICIT

Capture = pytest.CaptureFixture[str]
Change = Callable[[Path], None]
OLD = b"an output that was there before"
PIXELS = 300_000  # more than is read at once: part of them is read when the output is written


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.dcm"
    path.write_bytes(image(EXPLICIT, struct.pack("<HH2sxxI", 0x7FE0, 0x0010, b"OW", PIXELS), bytes(PIXELS)))
    wait_for_tick(path)
    return path


def wait_for_tick(path: Path) -> None:
    """What happens from here on has another time, on kernels with a coarse clock as well."""
    clock = path.with_name("clock")
    clock.touch()
    while clock.stat().st_ctime_ns <= path.stat().st_ctime_ns:
        clock.chmod(0o600)
    clock.unlink()


# ---- changes ---------------------------------------------------------------------------------------------------


def shrinks(path: Path) -> None:
    os.truncate(path, 350)


def loses_its_end(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)


def grows(path: Path) -> None:
    with path.open("ab") as file:
        file.write(EXPLICIT.element(0xFFFAFFFA, "UT", MARK))


def is_written_over(path: Path) -> None:
    """As many bytes as before, with a name where there was none: the plan says that they can be copied."""
    with path.open("r+b") as file:
        file.seek(-PIXELS, os.SEEK_END)
        file.write(MARK * 100)


def is_written_over_and_dated_back(path: Path) -> None:
    before = path.stat()
    is_written_over(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def is_replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def is_removed(path: Path) -> None:
    path.unlink()


CHANGES = [shrinks, loses_its_end, grows, is_written_over, is_written_over_and_dated_back, is_replaced, is_removed]


def before_writing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Something happens when the input has been planned and nothing has been written."""
    write = rewriting.Writer.write

    def written(writer: rewriting.Writer, planner: Planner) -> None:
        happens()
        write(writer, planner)

    monkeypatch.setattr(rewriting.Writer, "write", written)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mode", ["-e", "--dumb"])
def test_case_26_a_file_that_changes_between_planning_and_copying(
    mode: str, change: Change, source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error; no output, or the old one."""
    before_writing(monkeypatch, lambda: change(source))
    target = source.with_name("out")
    target.write_bytes(OLD)
    said = invoke(capfd, mode, *(["--empty", "10,10"] if mode == "--dumb" else []), source, target)
    one_line(said, source)
    assert said.err.endswith((f": {SHRANK}\n", f": {CHANGED}\n"))
    assert target.read_bytes() == OLD
    assert set(listing(source.parent)) <= {"in.dcm", "out"}


@pytest.mark.parametrize("change", CHANGES)
def test_case_26_a_file_that_changes_when_all_has_been_copied(
    change: Change, source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error as well: what was copied may have been the change."""
    completed = files.deidentify_source

    def deidentified(*arguments: object, **more: object) -> object:
        result = completed(*arguments, **more)  # type: ignore[arg-type]
        change(source)
        return result

    monkeypatch.setattr(files, "deidentify_source", deidentified)
    one_line(invoke(capfd, source, source.with_name("out")), source, CHANGED)
    assert set(listing(source.parent)) <= {"in.dcm"}


@pytest.mark.ci
@pytest.mark.parametrize("change", CHANGES)
def test_case_26_a_file_that_changes_while_it_is_restored(
    change: Change, source: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error with -d too."""
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_bytes(b"pw")
    password = ["--password-file", tmp_path / "password"]
    veiled, target = tmp_path / "veiled", tmp_path / "out"
    assert invoke(capfd, *password, source, veiled).status == 0
    restore = reidentifying.Restorer.restore

    def restored(restorer: reidentifying.Restorer, output: Output) -> Report:
        report = restore(restorer, output)
        change(veiled)
        return report

    monkeypatch.setattr(reidentifying.Restorer, "restore", restored)
    one_line(invoke(capfd, "-d", *password, veiled, target), veiled, CHANGED)
    assert not target.exists()


# A command line whose input grows when it has been planned, whoever has opened it.
GROWING = """
import sys
from dcmveil import cli, rewriting
write = rewriting.Writer.write
def written(writer, planner):
    with open(sys.argv[1], "ab") as file:
        file.write(b"VEILME")
    write(writer, planner)
rewriting.Writer.write = written
sys.exit(cli.run(sys.argv[2:]))
"""


@pytest.mark.parametrize("to_pipe", [False, True])
def test_case_26_a_file_that_is_standard_input_and_grows(to_pipe: bool, source: Path) -> None:
    """An error; what has gone to a pipe is told of."""
    target = source.with_name("out")
    command = [sys.executable, "-c", GROWING, source, "-", "-" if to_pipe else target]
    with source.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=False, timeout=20)
    one_line(Said(done.returncode, "", done.stderr.decode()), "standard input", CHANGED)
    assert MARK not in done.stdout
    assert not target.exists()
    assert (b"are to be discarded" in done.stderr) == to_pipe


def test_case_26_an_untouched_file_is_no_changed_one(source: Path, capfd: Capture) -> None:
    """Not even if it is looked at, linked from elsewhere in the same run, or its own output."""
    assert invoke(capfd, source, source.with_name("out")) == (0, "", "")
    source.with_name("link").hardlink_to(source)
    assert invoke(capfd, source, source.with_name("link")) == (0, "", "")
    assert invoke(capfd, source, source) == (0, "", "")
