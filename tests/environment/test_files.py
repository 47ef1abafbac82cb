"""One file in, one file out: what may be at both ends, permissions, disks."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import InputError
from tests.cli.support import BAD, MARK, image, invoke, listing, one_line, process
from tests.hostile.forms import EXPLICIT
from tests.sink.mounts import tmpfs

Capture = pytest.CaptureFixture[str]
OLD = b"an output that was there before"
# Owner, one more user, group, mask, others: tag, permissions, who.
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in ((1, 6, 0xFFFFFFFF), (2, 4, 65534), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF))
)


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


def test_case_05_a_file_may_be_its_own_output(source: Path, capfd: Capture) -> None:
    """It is replaced when all is written; another name of the old file keeps the old bytes."""
    other = source.with_name("hard link")
    other.hardlink_to(source)
    before = source.read_bytes()
    assert invoke(capfd, source, source) == (0, "", "")
    assert MARK not in source.read_bytes()
    assert other.read_bytes() == before
    assert listing(source.parent) == ["hard link", "in.dcm"]


@pytest.mark.parametrize("keep", [0, 200, -1])
def test_case_06_a_bad_file_that_is_its_own_output_stays(keep: int, source: Path, capfd: Capture) -> None:
    """One line, and every byte as it was."""
    data = source.read_bytes()[:keep]
    source.write_bytes(data)
    one_line(invoke(capfd, source, source), source)
    assert source.read_bytes() == data
    assert listing(source.parent) == ["in.dcm"]


def test_case_07_a_link_in_the_place_of_the_output_is_replaced_not_followed(source: Path, capfd: Capture) -> None:
    """What it led to stays as it was."""
    victim, link = source.with_name("victim"), source.with_name("link")
    victim.write_bytes(OLD)
    link.symlink_to(victim)
    assert invoke(capfd, source, link) == (0, "", "")
    assert victim.read_bytes() == OLD
    assert not link.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o444, 0o755])
def test_case_16_the_output_is_no_wider_than_the_input(mode: int, source: Path, capfd: Capture) -> None:
    """Whatever an old output was, and nothing is executable."""
    source.chmod(mode)
    target = source.with_name("out.dcm")
    target.write_bytes(OLD)
    target.chmod(0o666)
    assert invoke(capfd, source, target).status == 0
    assert stat.S_IMODE(target.stat().st_mode) & ~(mode & 0o666) == 0


def test_case_02_an_input_that_does_not_exist(source: Path, capfd: Capture) -> None:
    """One line, no output."""
    one_line(invoke(capfd, source.with_name("no"), source.with_name("out")), "no: ", "No such file")
    one_line(invoke(capfd, source / "no", source.with_name("out")), "Not a directory")
    one_line(invoke(capfd, "x" * 300, source.with_name("out")), "File name too long")
    assert listing(source.parent) == ["in.dcm"]


def test_case_04_a_pipe_without_a_writer_is_neither_read_nor_replaced(source: Path) -> None:
    """Nobody is at its other end: to open it would be to wait forever."""
    pipe = source.with_name("pipe")
    os.mkfifo(pipe)
    one_line(process(pipe, source.with_name("out")), pipe, "is no regular file")
    one_line(process(source, pipe), pipe, "is no regular file")
    one_line(process("--dry-run", pipe), pipe, "is no regular file")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert listing(source.parent) == ["in.dcm", "pipe"]


def test_case_40_a_device_is_no_input(source: Path) -> None:
    """One line, also behind the name of standard input."""
    one_line(process("/dev/stdin", source.with_name("out")), "is no regular file")


def test_case_22_eight_runs_onto_one_output(source: Path) -> None:
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


def test_case_30_an_input_that_may_not_be_read(public: Path) -> None:
    """One line, no output."""
    (public / "in.dcm").chmod(0)
    one_line(process(public / "in.dcm", public / "out", unprivileged=True), public / "in.dcm", "Permission denied")
    assert listing(public) == ["in.dcm"]


def test_case_30_an_input_in_a_folder_that_may_not_be_entered(public: Path) -> None:
    """One line."""
    public.chmod(0)
    one_line(process(public / "in.dcm", "/nowhere/out", unprivileged=True), public / "in.dcm", "Permission denied")


def test_case_30_a_folder_that_may_not_be_read_does_not_stop_the_others(public: Path) -> None:
    """One line for it; the others are done."""
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
def test_cases_13_and_30_a_folder_that_may_not_be_written(old: bytes | None, public: Path) -> None:
    """One line; an old output stays."""
    if old is not None:
        (public / "out").write_bytes(old)
    before = listing(public)
    public.chmod(0o555)
    one_line(process(public / "in.dcm", public / "out", unprivileged=True), public / "out", "Permission denied")
    assert listing(public) == before
    assert old is None or (public / "out").read_bytes() == old


def test_cases_13_and_30_an_output_folder_that_cannot_be_made(public: Path) -> None:
    """One line."""
    public.chmod(0o555)
    said = process("-r", public, public / "below" / "out", unprivileged=True)
    one_line(said, "folder cannot be used", public / "below", "Permission denied")


def limit_file_size(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 1, 500, 4000])
@pytest.mark.parametrize("old", [None, OLD])
def test_cases_11_and_15_a_file_size_limit(old: bytes | None, size: int, source: Path) -> None:
    """Nothing under the output's name, or what was there before."""
    target = source.with_name("out")
    if old is not None:
        target.write_bytes(old)
    before = listing(source.parent)
    one_line(process(source, target, setup=limit_file_size(size)), target, "not written", "File too large")
    assert listing(source.parent) == before
    assert old is None or target.read_bytes() == old


def test_case_11_a_file_size_limit_leaves_the_input_that_is_its_own_output(source: Path) -> None:
    """One line, and every byte as it was."""
    before = source.read_bytes()
    one_line(process(source, source, setup=limit_file_size(1000)), source, "not written")
    assert source.read_bytes() == before


@pytest.fixture(params=["tmpfs", "file size limit"])
def little_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None] | None]]:
    """A folder where 64 KiB can be written, and what limits it: who may not mount has the limit of a file only."""
    if request.param == "tmpfs" and os.geteuid() == 0:
        with tmpfs(tmp_path, 1 << 16) as folder:
            yield folder, None
    else:
        (tmp_path / "limited").mkdir()
        yield tmp_path / "limited", limit_file_size(1 << 16)


@pytest.mark.ci
@pytest.mark.parametrize("copy", ["auto", "readwrite"])
@pytest.mark.parametrize("many", [False, True], ids=["file", "folder"])
def test_case_15_an_old_output_on_a_disk_that_is_full(
    many: bool, copy: str, little_room: tuple[Path, Callable[[], None] | None], source: Path
) -> None:
    """It stays as it was, and nothing else is left."""
    folder, setup = little_room
    source.write_bytes(image(EXPLICIT, EXPLICIT.element(0x7FE00010, "OW", bytes(1 << 17))))
    (folder / "in.dcm").write_bytes(OLD)
    taken = os.statvfs(folder).f_bfree
    places = (source.parent, folder) if many else (source, folder / "in.dcm")
    one_line(process("--copy", copy, *places, setup=setup), folder / "in.dcm", "not written")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"in.dcm": OLD}
    assert setup is not None or os.statvfs(folder).f_bfree == taken


# ---- what is at the ends ---------------------------------------------------------------------------------------


def test_case_01_a_folder_where_a_file_is_wanted(source: Path, tmp_path: Path, capfd: Capture) -> None:
    """One line; a folder is input for folders only."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is no regular file"):
        deidentify_file(tmp_path / "folder", tmp_path / "out", Policy())
    one_line(invoke(capfd, tmp_path / "folder", "-"), "standard output cannot be OUT for a folder")
    one_line(invoke(capfd, source, tmp_path / "folder"), tmp_path / "folder", "is no regular file")
    assert listing(tmp_path) == ["folder", "in.dcm"]


def test_case_03_a_pipe_with_a_writer_is_not_opened(source: Path, tmp_path: Path) -> None:
    """Whoever waits to write into it goes on waiting."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = "import sys; print('waits', flush=True); open(sys.argv[1], 'wb'); print('opened', flush=True)"
    with subprocess.Popen([sys.executable, "-c", program, pipe], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"waits\n"
        one_line(process(pipe, tmp_path / "out"), pipe, "is no regular file")
        one_line(process("--dry-run", pipe), pipe, "is no regular file")
        writer.kill()
        assert writer.stdout.read() == b""
    assert listing(tmp_path) == ["in.dcm", "pipe"]


@pytest.mark.ci
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"])
def test_cases_09_and_40_a_device_is_neither_input_nor_output(device: str, source: Path, tmp_path: Path) -> None:
    """One line, and nothing is written."""
    if Path(device).exists():
        one_line(process(source, device), device, "is no regular file")
        one_line(process(device, tmp_path / "out"), device, "is no regular file")
    assert listing(tmp_path) == ["in.dcm"]


def test_case_08_an_output_that_is_a_hard_link_to_the_input(source: Path, tmp_path: Path, capfd: Capture) -> None:
    """The name is taken over; the input has its bytes."""
    before, target = source.read_bytes(), tmp_path / "out"
    target.hardlink_to(source)
    assert invoke(capfd, source, target) == (0, "", "")
    assert source.read_bytes() == before
    assert MARK not in target.read_bytes()
    assert (source.stat().st_nlink, target.stat().st_nlink) == (1, 1)


@pytest.mark.ci
@pytest.mark.parametrize("mode", ["-e", "-d", "--dumb", "folder", "jobs", "pipe"])
def test_case_14_an_old_output_stays_when_the_input_is_bad(mode: str, tmp_path: Path) -> None:
    """Whatever is done, and however it comes."""
    source, target = tmp_path / "in" / "a", tmp_path / "out" / "a"
    for path, data in ((source, BAD), (target, OLD), (tmp_path / "password", b"pw")):
        path.parent.mkdir(exist_ok=True)
        path.touch(0o600)
        path.write_bytes(data)
    options: dict[str, list[object]] = {
        "-d": ["-d", "--password-file", tmp_path / "password"],
        "--dumb": ["--dumb", "--empty", "10,10"],
        "jobs": ["--jobs", 3],
    }
    places = {"folder": (source.parent, target.parent), "jobs": (source.parent, target.parent), "pipe": ("-", target)}
    with source.open("rb") as file:
        one_line(process(*options.get(mode, []), *places.get(mode, (source, target)), stdin=file), "")
    assert (listing(tmp_path / "out"), target.read_bytes()) == (["a"], OLD)


def test_case_38_attributes_of_the_file_are_not_copied(source: Path, tmp_path: Path, capfd: Capture) -> None:
    """Extended attributes, lists of who may read it, set-user-ID, owner, and times."""
    os.setxattr(source, "user.patient", MARK)
    os.setxattr(source, "system.posix_acl_access", ACL)
    source.chmod(0o4755)
    os.utime(source, (1, 1))
    assert invoke(capfd, source, tmp_path / "out") == (0, "", "")
    assert os.listxattr(tmp_path / "out") == []
    status = (tmp_path / "out").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode) & ~0o666) == (os.geteuid(), 0)
    assert status.st_mtime > 1


# ---- names -----------------------------------------------------------------------------------------------------

NAMES = [b"two\nlines"]
MORE_NAMES = [b"not \xff UTF-8", b"-rf", b"-", b"--help", b"\x1b[31mred", "n\u00e4me\u2028".encode(), b"'; rm"]


@pytest.mark.parametrize("name", [*NAMES, *(pytest.param(name, marks=pytest.mark.ci) for name in MORE_NAMES)], ids=repr)
def test_cases_17_to_19_names(name: bytes, tmp_path: Path) -> None:
    """A file of any name is processed, and a bad one is one printable line; so is what the report says."""
    text = os.fsdecode(name)
    (tmp_path / "in").mkdir()
    bare = "./-" if text == "-" else text
    ways = {tmp_path: ["in", "out"], tmp_path / "in": ["--", bare, "../-x"]}
    for data, status in ((image(), 0), (BAD, 1)):
        (tmp_path / "in" / text).write_bytes(data)
        for folder, places in ways.items():
            said = process("--report", tmp_path / "report", "--map", tmp_path / "map", *places, cwd=folder)
            assert said.status == status, said
            assert said.err.count("\n") == status, said
            assert said.err.removesuffix("\n").isprintable()
            report = (tmp_path / "report").read_text()
            assert report.count("\n") == 1
            assert report.removesuffix("\n").isprintable()
            assert (tmp_path / "map").read_bytes().isascii()
    assert listing(tmp_path / "out") == [(Path("out") / text).relative_to("out").as_posix()]
