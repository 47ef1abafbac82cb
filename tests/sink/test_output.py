"""An output exists under its name when it is whole, or not at all, and is never wider than its input."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dcmveil import output
from dcmveil._copier import Copier
from dcmveil.errors import OutputError
from dcmveil.output import AtomicFile
from tests.sink.scripts import INPUT, child_environment, copy, opened, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("way")


@pytest.fixture(params=["nameless", "named"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to write: a file without a name, and what there is where the system has none."""
    if request.param == "named":
        monkeypatch.setattr(output, "_NAMELESS", 0)
    return str(request.param)


@pytest.fixture
def umask() -> Iterator[None]:
    previous = os.umask(0o022)
    yield
    os.umask(previous)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write(target: Path, value: bytes = b"new", mode_of: os.stat_result | None = None) -> None:
    with AtomicFile(target, mode_of=mode_of) as out:
        os.write(out.fd, value)
        out.commit()


def test_appears_on_commit_only(folder: Path, way: str) -> None:
    with AtomicFile(folder / "out", mode_of=None) as out:
        os.write(out.fd, b"new")
        assert len(listing(folder)) == (way == "named")
        assert not (folder / "out").exists()
        out.commit()
        assert listing(folder) == {"out": b"new"}
    assert listing(folder) == {"out": b"new"}


@pytest.mark.parametrize("present", [{}, {"out": b"old"}], ids=["new", "existing"])
@pytest.mark.parametrize("failure", [None, OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=repr)
def test_any_other_exit_leaves_nothing_and_touches_nothing(
    folder: Path, present: dict[str, bytes], failure: BaseException | None
) -> None:
    for name, value in present.items():
        (folder / name).write_bytes(value)
    with suppress(OutputError, KeyboardInterrupt), AtomicFile(folder / "out", mode_of=None) as out:
        os.write(out.fd, b"half")
        if failure is not None:
            raise failure
    assert listing(folder) == present


def test_replaces_a_regular_file_on_commit(folder: Path) -> None:
    (folder / "out").write_bytes(b"old")
    with AtomicFile(folder / "out", mode_of=None) as out:
        os.write(out.fd, b"new")
        assert (folder / "out").read_bytes() == b"old"
        out.commit()
    assert listing(folder) == {"out": b"new"}


def test_replaces_what_appeared_meanwhile(folder: Path) -> None:
    with AtomicFile(folder / "out", mode_of=None) as out:
        os.write(out.fd, b"new")
        (folder / "out").write_bytes(b"from another run")
        out.commit()
    assert listing(folder) == {"out": b"new"}


@pytest.mark.parametrize("pointee", ["victim", "missing", "subfolder"])
def test_a_symbolic_link_is_replaced_and_never_followed(tmp_path: Path, folder: Path, pointee: str) -> None:
    (tmp_path / "victim").write_bytes(b"victim")
    (tmp_path / "subfolder").mkdir()
    (folder / "out").symlink_to(tmp_path / pointee)
    write(folder / "out")
    assert not (folder / "out").is_symlink()
    assert listing(folder) == {"out": b"new"}
    assert (tmp_path / "victim").read_bytes() == b"victim"
    assert not (tmp_path / "missing").exists()
    assert list((tmp_path / "subfolder").iterdir()) == []


def test_a_planted_temporary_name_is_refused_and_not_followed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "victim").write_bytes(b"victim")
    (folder / "out").write_bytes(b"old")
    (folder / ".planted").symlink_to(tmp_path / "victim")
    monkeypatch.setattr(output, "_unpredictable_name", lambda: ".planted")
    with pytest.raises(OutputError, match="File exists"):
        write(folder / "out")
    assert (tmp_path / "victim").read_bytes() == b"victim"
    assert (folder / "out").read_bytes() == b"old"
    assert (folder / ".planted").is_symlink()


def other_kinds(folder: Path) -> list[Path]:
    os.mkfifo(folder / "fifo")
    (folder / "subfolder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener, opened(folder) as descriptor:
        listener.bind(f"/proc/self/fd/{descriptor}/socket")  # a short path, whatever the folder's is
    names = ["fifo", "subfolder", "socket", "subfolder/..", "subfolder/."]
    return [*(folder / name for name in names), Path("/dev/null"), Path("/"), Path()]


def test_other_kinds_of_file_are_refused_before_anything_is_written(folder: Path) -> None:
    for target in other_kinds(folder):
        with pytest.raises(OutputError, match="exists and is no regular file"):
            AtomicFile(target, mode_of=None).__enter__()
    assert listing(folder) == {}


def test_a_folder_that_takes_the_name_meanwhile_is_refused(folder: Path) -> None:
    def take_the_name() -> None:
        with AtomicFile(folder / "out", mode_of=None) as out:
            (folder / "out").mkdir()
            out.commit()

    with pytest.raises(OutputError, match="exists and is no regular file"):
        take_the_name()
    assert [path.name for path in folder.iterdir()] == ["out"]


def test_a_folder_that_is_swapped_meanwhile_gets_nothing(tmp_path: Path, folder: Path) -> None:
    with AtomicFile(folder / "out", mode_of=None) as out:
        folder.rename(tmp_path / "moved")
        folder.symlink_to("/")
        out.commit()
    assert listing(tmp_path / "moved") == {"out": b""}


@pytest.mark.parametrize("make", [os.link, os.symlink, None], ids=["hard link", "symbolic link", "same name"])
def test_output_onto_its_input_is_safe(folder: Path, make: object) -> None:
    (folder / "in").write_bytes(INPUT)
    target = folder / "in"
    if callable(make):
        target = folder / "out"
        make(folder / "in", target)
    with opened(folder / "in") as source, AtomicFile(target, mode_of=None) as out:
        copier = Copier(source, out.fd, size=len(INPUT))
        copier.run(copy(5, len(INPUT) - 5))
        copier.finish()
        out.commit()
    assert listing(folder) == ({"in": INPUT} if callable(make) else {}) | {target.name: INPUT[5:]}


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    ("mode", "mask", "wanted"),
    [
        (0o644, 0o022, 0o644),
        (0o666, 0o022, 0o644),
        (0o600, 0o000, 0o600),
        (0o777, 0o000, 0o666),
        (0o4755, 0o022, 0o644),
        (0o640, 0o077, 0o600),
        (0o400, 0o022, 0o400),
        (0o664, 0o777, 0o000),
    ],
    ids=oct,
)
def test_mode_is_the_input_s_without_what_the_umask_takes(
    tmp_path: Path, folder: Path, mode: int, mask: int, wanted: int
) -> None:
    (tmp_path / "in").touch()
    (tmp_path / "in").chmod(mode)
    os.umask(mask)
    with AtomicFile(folder / "out", mode_of=(tmp_path / "in").stat()) as out:
        status = os.fstat(out.fd)
        assert status.st_nlink == 0 or stat.S_IMODE(status.st_mode) & 0o077 == 0  # no name, or nobody else's
        out.commit()
    assert stat.S_IMODE((folder / "out").stat().st_mode) == wanted


@pytest.mark.usefixtures("umask")
def test_mode_without_an_input_is_for_the_owner_only(folder: Path) -> None:
    (folder / "out").touch()
    (folder / "out").chmod(0o666)
    write(folder / "out")
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o600


def test_no_descriptor_stays_open(folder: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    write(folder / "out")
    with suppress(OutputError):
        write(folder / "missing" / "out")
    with AtomicFile(folder / "out", mode_of=None):
        pass
    assert len(os.listdir("/dev/fd")) == before


def test_errors_are_one_line_with_path_and_reason(folder: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write(folder / "missing" / "out")
    assert str(caught.value) == f"{folder / 'missing' / 'out'}: not written: No such file or directory"


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", os.fsdecode(b"not \xff UTF-8")])
def test_errors_show_any_path_as_one_printable_line(folder: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        write(folder / name / "out")
    assert str(caught.value).isprintable()


def test_a_full_device_is_an_output_error(folder: Path) -> None:
    (folder / "in").write_bytes(INPUT)
    code = """if True:
        import os, resource, sys
        from pathlib import Path
        from dcmveil import output
        from dcmveil._copier import Copier
        output._NAMELESS &= int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        source = os.open(sys.argv[1] + "/in", os.O_RDONLY)
        try:
            with output.AtomicFile(Path(sys.argv[1], "out"), mode_of=None) as out:
                copier = Copier(source, out.fd, size=os.fstat(source).st_size)
                copier.run((1 << 63).to_bytes(8, sys.byteorder) + (2 << 20).to_bytes(8, sys.byteorder))
                out.commit()
        except Exception as error:
            print(type(error).__name__, error)
    """
    printed = run_python(code, folder, str(output._NAMELESS))
    assert printed == f"OutputError {folder / 'out'}: not written: File too large"
    assert listing(folder) == {"in": INPUT}


def test_an_error_about_another_file_passes_as_it_is(folder: Path) -> None:
    with pytest.raises(FileNotFoundError), AtomicFile(folder / "out", mode_of=None):
        (folder / "nowhere").read_bytes()
    assert listing(folder) == {}


def test_a_late_write_error_is_reported_before_there_is_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def close_late(fd: int) -> None:
        monkeypatch.undo()
        os.close(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def commit_late() -> None:
        with AtomicFile(folder / "out", mode_of=None) as out:
            monkeypatch.setattr(os, "close", close_late)
            out.commit()

    with pytest.raises(OutputError, match="Input/output error"):
        commit_late()
    assert listing(folder) == {}


def test_a_folder_that_must_not_be_written_is_an_output_error(folder: Path) -> None:
    code = """if True:
        import os, sys
        from pathlib import Path
        from dcmveil import output
        output._NAMELESS &= int(sys.argv[2])
        os.chdir(sys.argv[1])
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            with output.AtomicFile(Path("out"), mode_of=None) as out:
                out.commit()
        except output.OutputError as error:
            print(error)
    """
    folder.chmod(0o555)
    assert run_python(code, folder, str(output._NAMELESS)) == "out: not written: Permission denied"
    assert listing(folder) == {}


def test_a_killed_run_leaves_no_output(folder: Path, way: str) -> None:
    code = """if True:
        import os, sys
        from pathlib import Path
        from dcmveil import output
        output._NAMELESS &= int(sys.argv[2])
        with output.AtomicFile(Path(sys.argv[1], "out"), mode_of=None) as out:
            os.write(out.fd, b"half")
            print("written", flush=True)
            sys.stdin.read()
    """
    argv = [sys.executable, "-c", code, str(folder), str(output._NAMELESS)]
    with subprocess.Popen(argv, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert not (folder / "out").exists()
    assert len(listing(folder)) == (way == "named")
