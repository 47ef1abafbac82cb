"""Standard streams and signals: closed, full, nobody at the other end, a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from dcmveil.output import AtomicFile
from tests.cli.support import BAD, image, invoke, listing, one_line, process
from tests.hostile.forms import EXPLICIT

Capture = pytest.CaptureFixture[str]
OLD = b"an output that was there before"
FULL = "No space left on device"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.dcm"
    path.write_bytes(image(EXPLICIT, EXPLICIT.element(0x7FE00010, "OW", bytes(4000))))
    return path


# ---- standard streams ------------------------------------------------------------------------------------------

PRINTING = [["--dry-run", "{source}"], ["-h"], ["-v"], ["-v", "-D"]]


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_case_10_stdout_that_is_full(arguments: list[str], source: Path) -> None:
    """One line, status 1."""
    with open("/dev/full", "wb") as full:
        said = process(*(part.format(source=source) for part in arguments), stdout=full)
    one_line(said, "standard output", FULL)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_case_31_stdout_that_nobody_reads(arguments: list[str], source: Path) -> None:
    """One line, status 1, of what is printed for people."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        one_line(process(*(part.format(source=source) for part in arguments), stdout=writer), "Broken pipe")
    finally:
        os.close(writer)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_case_32_stdout_that_is_closed(arguments: list[str], source: Path) -> None:
    """One line, status 1."""
    said = process(*(part.format(source=source) for part in arguments), setup=lambda: os.close(1))
    one_line(said, "standard output", "closed")


@pytest.mark.parametrize("streams", [(0,), (1,), (2,), (0, 1, 2)])
def test_case_32_streams_that_are_closed_do_not_get_into_files(streams: tuple[int, ...], source: Path) -> None:
    """A file opened may get the number of a closed stream: what is said must not end up in it."""

    def close() -> None:
        for stream in streams:
            os.close(stream)

    expected = source.with_name("expected")
    secret = source.with_name("secret")
    secret.write_bytes(b"sixteen bytes or more")
    assert process("-D", "--secret-file", secret, source, expected).status == 0
    target = source.with_name("out")
    said = process("-D", "--secret-file", secret, source, target, setup=close)
    assert (said.status, said.out) == (0, "")
    assert target.read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("folder", [False, True])
def test_case_32_errors_without_stderr_are_not_told_on_stdout(folder: bool, tmp_path: Path) -> None:
    """The status says it; the others are done."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(BAD)
    (tmp_path / "in" / "b").write_bytes(image())
    source = tmp_path / "in" if folder else tmp_path / "in" / "a"
    assert process(source, tmp_path / "out", setup=lambda: os.close(2)) == (1, "", "")
    assert listing(tmp_path / "out") == (["b"] if folder else [])
    with open("/dev/full", "wb") as full:
        assert process(source, tmp_path / "again", stderr=full) == (1, "", "")
    assert listing(tmp_path / "again") == (["b"] if folder else [])


def test_case_09_a_report_on_a_full_device(source: Path) -> None:
    """One line."""
    one_line(process("--report", "/dev/full", source, source.with_name("out")), "/dev/full", FULL)


def test_case_37_names_that_stdout_cannot_show(tmp_path: Path) -> None:
    """They are escaped."""
    (tmp_path / "\u00e4").write_bytes(image())
    said = process("--dry-run", tmp_path / "\u00e4", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"# {tmp_path}/\\xe4: ")


# ---- signals and terminals -------------------------------------------------------------------------------------


def test_case_24_an_interrupt_is_one_line_and_no_output(
    source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes at the worst moment: all has been written and nothing has a name."""
    target = source.with_name("out")
    target.write_bytes(OLD)
    commit = AtomicFile.commit

    def interrupted(output: AtomicFile) -> None:
        signal.raise_signal(signal.SIGINT)
        commit(output)

    monkeypatch.setattr(AtomicFile, "commit", interrupted)
    one_line(invoke(capfd, source, target), "interrupted")
    one_line(invoke(capfd, source.parent, source.with_name("folder")), "interrupted")
    assert target.read_bytes() == OLD
    assert listing(source.parent) == ["folder", "in.dcm", "out"]


def not_as_nohup_does() -> None:
    """In the new process: what the tests were started by may have it ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_cases_23_and_24_a_process_that_is_killed_leaves_no_output(number: signal.Signals, source: Path) -> None:
    """All has been written when it happens."""
    target = source.with_name("out")
    script = (
        "import os, sys\n"
        "from dcmveil import cli\n"
        "from dcmveil.output import AtomicFile\n"
        f"AtomicFile.commit = lambda output: os.kill(os.getpid(), {int(number)})\n"
        "cli.run(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, source, target]
    done = subprocess.run(command, check=False, timeout=20, preexec_fn=not_as_nohup_does)
    assert done.returncode == -number
    assert not target.exists()


def on_terminal(*arguments: object) -> tuple[int, str]:
    """Exit status and what is seen on a terminal that is stderr."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, 80))  # a new one has no columns, and so no room for a bar
    command = [sys.executable, "-m", "dcmveil", *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # what Linux says when the other end is closed
                break
            if not piece:
                break
            seen += piece
        os.close(ours)
        return running.wait(20), seen.decode()


@pytest.mark.parametrize("jobs", [1, 3])
def test_case_33_a_folder_has_a_progress_bar_on_a_terminal(jobs: int, source: Path) -> None:
    """Lines of errors stand by themselves."""
    folder = source.parent / "folder"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}").write_bytes(image())
    (folder / "2bad").write_bytes(BAD)
    status, seen = on_terminal("--jobs", jobs, folder, source.with_name("out"))
    assert status == 1
    assert " files" in seen
    lines = [line for line in seen.replace("\r\n", "\n").replace("\r", "\n").split("\n") if "not a DICOM" in line]
    assert lines == [f"dcmveil: {folder}/2bad: not a DICOM file: no DICM prefix and no plausible first element"]
    assert " files" not in process(folder, source.with_name("out")).err


def test_case_33_a_single_file_has_none(source: Path) -> None:
    """Nothing is said."""
    assert on_terminal(source, source.with_name("out")) == (0, "")


def test_case_33_standard_input_that_is_a_terminal(source: Path) -> None:
    """Nobody types an object: it is refused at once, whether anything is typed or not."""
    ours, theirs = pty.openpty()
    try:
        for target in (source.with_name("out"), "-"):
            one_line(process("-", target, stdin=theirs), "standard input cannot be IN if it is a terminal")
        one_line(process("--dry-run", "-", stdin=theirs), "standard input cannot be IN if it is a terminal")
    finally:
        os.close(ours)
        os.close(theirs)
    assert listing(source.parent) == ["in.dcm"]


@pytest.mark.parametrize("target", ["out", "-"])
def test_case_32_standard_input_that_is_closed(target: str, source: Path) -> None:
    """One line, no output, and no other file taken for it."""
    place = target if target == "-" else source.with_name(target)
    one_line(process("-", place, stdin=None, setup=lambda: os.close(0)), "standard input: is closed")
    assert listing(source.parent) == ["in.dcm"]


def test_case_10_an_object_to_stdout_that_is_full(source: Path) -> None:
    """One line, and status 1."""
    with open("/dev/full", "wb") as full:
        one_line(process(source, "-", stdout=full), "standard output", FULL)


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_case_31_an_object_to_stdout_that_nobody_reads(way: str, source: Path) -> None:
    """Ended by SIGPIPE, without a message, as others are."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(source, "rb") as file:
        said = process(source if way == "file" else "-", "-", stdin=file, stdout=writer)
    os.close(writer)
    assert (said.status, said.err) == (-signal.SIGPIPE, "")
