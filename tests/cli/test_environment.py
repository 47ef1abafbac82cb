"""What surrounds a command: streams that are closed or full, permissions, disks, signals, pipes, terminals."""

from __future__ import annotations

import os
import pty
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dcmveil.output import AtomicFile
from tests.cli.support import BAD, MARK, image, invoke, listing, one_line, process
from tests.hostile.forms import EXPLICIT

Capture = pytest.CaptureFixture[str]
OLD = b"an output that was there before"
FULL = "No space left on device"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.dcm"
    path.write_bytes(image(EXPLICIT, EXPLICIT.element(0x7FE00010, "OW", bytes(4000))))
    return path


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder of which others may see what is in it; pytest's may not be entered."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    (folder / "in.dcm").write_bytes(image())
    yield folder
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700)
    shutil.rmtree(folder)


# ---- one file, in place and elsewhere --------------------------------------------------------------------------


def test_a_file_may_be_its_own_output(source: Path, capfd: Capture) -> None:
    other = source.with_name("hard link")
    other.hardlink_to(source)
    before = source.read_bytes()
    assert invoke(capfd, source, source) == (0, "", "")
    assert MARK not in source.read_bytes()
    assert other.read_bytes() == before
    assert listing(source.parent) == ["hard link", "in.dcm"]


@pytest.mark.parametrize("keep", [0, 200, -1])
def test_a_bad_file_that_is_its_own_output_stays(keep: int, source: Path, capfd: Capture) -> None:
    data = source.read_bytes()[:keep]
    source.write_bytes(data)
    one_line(invoke(capfd, source, source), source)
    assert source.read_bytes() == data
    assert listing(source.parent) == ["in.dcm"]


def test_a_link_in_the_place_of_the_output_is_replaced_not_followed(source: Path, capfd: Capture) -> None:
    victim, link = source.with_name("victim"), source.with_name("link")
    victim.write_bytes(OLD)
    link.symlink_to(victim)
    assert invoke(capfd, source, link) == (0, "", "")
    assert victim.read_bytes() == OLD
    assert not link.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o444, 0o755])
def test_the_output_is_no_wider_than_the_input(mode: int, source: Path, capfd: Capture) -> None:
    source.chmod(mode)
    target = source.with_name("out.dcm")
    target.write_bytes(OLD)
    target.chmod(0o666)
    assert invoke(capfd, source, target).status == 0
    assert stat.S_IMODE(target.stat().st_mode) & ~(mode & 0o666) == 0


def test_an_input_that_does_not_exist(source: Path, capfd: Capture) -> None:
    one_line(invoke(capfd, source.with_name("no"), source.with_name("out")), "no: ", "No such file")
    one_line(invoke(capfd, source / "no", source.with_name("out")), "Not a directory")
    one_line(invoke(capfd, "x" * 300, source.with_name("out")), "File name too long")
    assert listing(source.parent) == ["in.dcm"]


def test_a_pipe_is_neither_read_nor_replaced(source: Path) -> None:
    """Nobody is at its other end: to open it would be to wait forever."""
    pipe = source.with_name("pipe")
    os.mkfifo(pipe)
    one_line(process(pipe, source.with_name("out")), pipe, "is no regular file")
    one_line(process(source, pipe), pipe, "is no regular file")
    one_line(process("--dry-run", pipe), pipe, "is no regular file")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert listing(source.parent) == ["in.dcm", "pipe"]


def test_stdin_is_not_a_file(source: Path) -> None:
    one_line(process("/dev/stdin", source.with_name("out")), "is no regular file")


def test_eight_runs_onto_one_output(source: Path) -> None:
    """Each of them replaces what another has written; no file of theirs is left behind."""
    target, secret = source.with_name("out"), source.with_name("secret")
    secret.write_bytes(b"sixteen bytes or more")
    command = [sys.executable, "-m", "dcmveil", "--secret-file", secret, source]
    running = [subprocess.Popen([*command, target], stderr=subprocess.DEVNULL) for _ in range(8)]
    assert [one.wait(20) for one in running] == [0] * 8
    assert listing(source.parent) == ["in.dcm", "out", "secret"]
    assert process("--secret-file", secret, source, source.with_name("alone")).status == 0
    assert target.read_bytes() == source.with_name("alone").read_bytes()


# ---- permissions and disks -------------------------------------------------------------------------------------


def test_an_input_that_may_not_be_read(public: Path) -> None:
    (public / "in.dcm").chmod(0)
    one_line(process(public / "in.dcm", public / "out", unprivileged=True), public / "in.dcm", "Permission denied")
    assert listing(public) == ["in.dcm"]


def test_an_input_in_a_folder_that_may_not_be_entered(public: Path) -> None:
    public.chmod(0)
    one_line(process(public / "in.dcm", "/nowhere/out", unprivileged=True), public / "in.dcm", "Permission denied")


def test_a_folder_that_may_not_be_read_does_not_stop_the_others(public: Path) -> None:
    source, target = public / "in", public / "out"
    for name in ("a", "locked", "z"):
        (source / name).mkdir(parents=True)
        (source / name / "file").write_bytes(image())
    (source / "locked").chmod(0)
    said = process("-r", source, target, unprivileged=True)
    (source / "locked").chmod(0o755)
    one_line(said, source / "locked", "folder cannot be used: Permission denied")
    assert listing(target) == ["a", "a/file", "z", "z/file"]


@pytest.mark.parametrize("old", [None, OLD])
def test_a_folder_that_may_not_be_written(old: bytes | None, public: Path) -> None:
    if old is not None:
        (public / "out").write_bytes(old)
    before = listing(public)
    public.chmod(0o555)
    one_line(process(public / "in.dcm", public / "out", unprivileged=True), public / "out", "Permission denied")
    assert listing(public) == before
    assert old is None or (public / "out").read_bytes() == old


def test_an_output_folder_that_cannot_be_made(public: Path) -> None:
    public.chmod(0o555)
    said = process("-r", public, public / "below" / "out", unprivileged=True)
    one_line(said, "folder cannot be used", public / "below", "Permission denied")


def limit_file_size(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 1, 500, 4000])
@pytest.mark.parametrize("old", [None, OLD])
def test_a_disk_that_is_full(old: bytes | None, size: int, source: Path) -> None:
    """Nothing under the output's name, or what was there before."""
    target = source.with_name("out")
    if old is not None:
        target.write_bytes(old)
    before = listing(source.parent)
    one_line(process(source, target, setup=limit_file_size(size)), target, "not written", "File too large")
    assert listing(source.parent) == before
    assert old is None or target.read_bytes() == old


def test_a_disk_that_is_full_leaves_the_input_that_is_its_own_output(source: Path) -> None:
    before = source.read_bytes()
    one_line(process(source, source, setup=limit_file_size(1000)), source, "not written")
    assert source.read_bytes() == before


# ---- standard streams ------------------------------------------------------------------------------------------

PRINTING = [["--dry-run", "{source}"], ["-h"], ["-v"], ["-v", "-D"]]


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_stdout_that_is_full(arguments: list[str], source: Path) -> None:
    with open("/dev/full", "wb") as full:
        said = process(*(part.format(source=source) for part in arguments), stdout=full)
    one_line(said, "standard output", FULL)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_stdout_that_nobody_reads(arguments: list[str], source: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        one_line(process(*(part.format(source=source) for part in arguments), stdout=writer), "Broken pipe")
    finally:
        os.close(writer)


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_stdout_that_is_closed(arguments: list[str], source: Path) -> None:
    said = process(*(part.format(source=source) for part in arguments), setup=lambda: os.close(1))
    one_line(said, "standard output", "closed")


@pytest.mark.parametrize("streams", [(0,), (1,), (2,), (0, 1, 2)])
def test_streams_that_are_closed_do_not_get_into_files(streams: tuple[int, ...], source: Path) -> None:
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
def test_errors_without_stderr_are_not_told_on_stdout(folder: bool, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(BAD)
    (tmp_path / "in" / "b").write_bytes(image())
    source = tmp_path / "in" if folder else tmp_path / "in" / "a"
    assert process(source, tmp_path / "out", setup=lambda: os.close(2)) == (1, "", "")
    assert listing(tmp_path / "out") == (["b"] if folder else [])
    with open("/dev/full", "wb") as full:
        assert process(source, tmp_path / "again", stderr=full) == (1, "", "")
    assert listing(tmp_path / "again") == (["b"] if folder else [])


def test_a_report_that_cannot_be_written(source: Path) -> None:
    one_line(process("--report", "/dev/full", source, source.with_name("out")), "/dev/full", FULL)


def test_names_that_stdout_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "\u00e4").write_bytes(image())
    said = process("--dry-run", tmp_path / "\u00e4", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"# {tmp_path}/\\xe4: ")


# ---- signals and terminals -------------------------------------------------------------------------------------


def test_an_interrupt_is_one_line_and_no_output(source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_process_that_is_killed_leaves_no_output(number: signal.Signals, source: Path) -> None:
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
def test_a_folder_has_a_progress_bar_on_a_terminal(jobs: int, source: Path) -> None:
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


def test_a_single_file_has_none(source: Path) -> None:
    assert on_terminal(source, source.with_name("out")) == (0, "")
